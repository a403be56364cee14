import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Chain,
  type DevChain,
  Submitter,
  connectChain,
  deployDevNetwork,
  generateKey,
  installDevContracts,
  stakingAbi,
  startDevChain,
  testDollarAbi,
  tokenAbi,
  writeDeployments,
} from '@commonweight/chain';
import { type Address, type Hex32, addressOfKey } from '@commonweight/protocol';
import { encodeFunctionData } from 'viem';
import { type WorkerConfig, type WorkerConfigInput, parseWorkerConfig } from '../config.ts';

/** A folder with a development chain, our contracts and configured workers. */
export interface DevNetwork {
  readonly folder: string;
  readonly dev: DevChain;
  readonly chain: Chain;
  /** Raises the test dollars of an address to at least `amount` millionths. */
  readonly fundDollars: (address: Address, amount: bigint) => Promise<void>;
  /** Test dollars of an address, in millionths. */
  readonly balanceOf: (address: Address) => Promise<bigint>;
  /** Puts stake behind a node. */
  readonly stake: (node: Address, amount: bigint) => Promise<void>;
  /** Makes keys for a new, funded worker named `name` that serves `packages`. */
  readonly worker: (name: string, packages: string[], change?: Partial<WorkerConfigInput>) => Promise<WorkerConfig>;
  readonly stop: () => Promise<void>;
}

export async function startDevNetwork(): Promise<DevNetwork> {
  const folder = await mkdtemp(join(tmpdir(), 'commonweight-worker-'));
  const dev = await startDevChain({ dataDir: join(folder, 'chain') });
  const { rpcUrl, chainId } = dev;
  const deployments = await deployDevNetwork({ rpcUrl, chainId, privateKey: dev.devAccount.privateKey });
  const deploymentsFile = join(folder, 'deployments.json');
  await writeDeployments(deploymentsFile, deployments);
  const chain = await connectChain({ rpcUrl, chainId, deployments });
  const read = (functionName: 'balanceOf', args: readonly [Address]): Promise<bigint> =>
    chain.rpc.call({ what: functionName }, (c) =>
      c.readContract({ address: deployments.testDollar!, abi: testDollarAbi, functionName, args }),
    );
  const writeKey = async (name: string, key: Hex32): Promise<string> => {
    const path = join(folder, name);
    await writeFile(path, `${key}\n`, { mode: 0o600 });
    return path;
  };
  return {
    folder,
    dev,
    chain,
    fundDollars: async (address, amount) =>
      (await installDevContracts({ rpcUrl, chainId, privateKey: dev.devAccount.privateKey })).fundDollars(address, amount),
    balanceOf: (address) => read('balanceOf', [address]),
    stake: async (node, amount) => {
      const submitter = new Submitter({ rpc: chain.rpc, privateKey: dev.devAccount.privateKey });
      const { token, staking } = deployments;
      await submitter.send({ to: token, data: encodeFunctionData({ abi: tokenAbi, functionName: 'approve', args: [staking, amount] }) });
      await submitter.send({ to: staking, data: encodeFunctionData({ abi: stakingAbi, functionName: 'stake', args: [node, amount] }) });
    },
    worker: async (name, packages, change = {}) => {
      const operatorKey = generateKey();
      await dev.fund(addressOfKey(operatorKey), 10n ** 18n);
      return parseWorkerConfig({
        role: 'worker',
        // tests share the processors
        threads: 1,
        dataDir: join(folder, name),
        packages,
        listen: { host: '127.0.0.1', port: 0 },
        chain: { rpcUrl, deploymentsFile },
        operatorKeyFile: await writeKey(`${name}.operator.key`, operatorKey),
        sessionKeyFile: await writeKey(`${name}.session.key`, generateKey()),
        batchIntervalMs: 20,
        ...change,
      });
    },
    stop: async () => {
      await dev.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
