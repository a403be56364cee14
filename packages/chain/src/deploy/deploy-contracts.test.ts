import { type Address, type Hex32, addressOfKey } from '@commonweight/protocol';
import { describe, expect, test } from 'vitest';
import { drandSeedAbi, parametersAbi } from '../abis.gen.ts';
import { contractCaller } from '../contract-caller.ts';
import { type ContractName } from '../deployments.ts';
import { type DevChain, startDevChain } from '../dev-chain.ts';
import { generateKey } from '../keys.ts';
import { jsonRpc } from '../platform/json-rpc.ts';
import { connectRpc } from '../rpc.ts';
import { failingRpc } from '../testing/failing-rpc.ts';
import { temporaryFolder } from '../testing/folders.ts';
import { startBlockOf } from './start-block.ts';
import { CREATE2_FACTORY } from './create2.ts';
import { type DeployProgress, deployContracts, deploymentAddresses } from './deploy-contracts.ts';
import { deployDevNetwork } from './deploy-dev-network.ts';
import { devGenesis } from './dev-genesis.ts';
import { planDeployment } from './plan.ts';
import { prepareDeployment } from './prepare.ts';
import { verifyCode } from './verify-code.ts';

const holder = addressOfKey(generateKey());
const genesis = devGenesis(holder);

/** An empty chain of its own. */
async function startChain(): Promise<{ readonly dev: DevChain; readonly privateKey: Hex32 } & AsyncDisposable> {
  const folder = await temporaryFolder();
  const dev = await startDevChain({ dataDir: folder.path });
  const stop = async (): Promise<void> => {
    await dev.stop();
    await folder[Symbol.asyncDispose]();
  };
  return { dev, privateKey: dev.devAccount.privateKey, [Symbol.asyncDispose]: stop };
}

describe('deployContracts', () => {
  test('goes on after a failure at any transaction, and sends nothing twice', async () => {
    await using chain = await startChain();
    const { dev, privateKey } = chain;
    const { chainId } = dev;
    const steps = planDeployment(genesis, chainId).steps.length;
    const created: ContractName[] = [];
    const onProgress = (progress: DeployProgress): void => void (progress.type === 'created' && created.push(progress.name));
    let nonce = 0;
    for (const failure of Array.from({ length: steps }, (_, i) => (i % 2 === 0 ? 'after' : 'before') as 'after' | 'before')) {
      // the second transaction of a run: one contract is made, and the next is lost, or made without that anybody hears of it
      await using rpc = await failingRpc(dev.rpcUrl, 2, failure);
      try {
        await deployContracts({ rpcUrl: rpc.url, chainId, privateKey, genesis, onProgress });
        break;
      } catch (error) {
        expect(error).toMatchObject({ code: 'chain_unreachable' });
      }
      // what was sent may still wait for its block
      const now = await connectRpc(dev.rpcUrl, chainId).client.getTransactionCount({
        address: dev.devAccount.address,
        blockTag: 'pending',
      });
      expect(now).toBe(nonce + (failure === 'after' ? 2 : 1));
      nonce = now;
    }
    const deployments = await deployContracts({ rpcUrl: dev.rpcUrl, chainId, privateKey, genesis, onProgress });
    const count = await connectRpc(dev.rpcUrl, chainId).client.getTransactionCount({ address: dev.devAccount.address });
    expect(count).toBe(steps);
    expect(new Set(created).size).toBe(created.length);
    expect(deployments).toMatchObject({ chainId, startBlock: 0, ...deploymentAddresses(genesis, chainId) });
  });

  test('audit seeds of the beacon, where blocks are not ours', async () => {
    await using chain = await startChain();
    const { rpcUrl, chainId } = chain.dev;
    const terms = { ...genesis, auditSeed: { source: 'drand', margin: 90 } } as const;
    const { auditSeed } = await deployContracts({ rpcUrl, chainId, privateKey: chain.privateKey, genesis: terms });
    const beacon = contractCaller(connectRpc(rpcUrl, chainId), undefined, auditSeed, drandSeedAbi);
    expect(await beacon.read('MARGIN', [])).toBe(90n);
    expect(auditSeed).not.toBe(deploymentAddresses(genesis, chainId).auditSeed);
  });

  test('a caller that stops after any step goes on later', async () => {
    await using chain = await startChain();
    const { dev, privateKey } = chain;
    const { rpcUrl, chainId } = dev;
    const created: ContractName[] = [];
    const stopAfterOne = (progress: DeployProgress): void => {
      if (progress.type !== 'created') return;
      created.push(progress.name);
      throw new Error('enough');
    };
    const { steps } = planDeployment(genesis, chainId);
    for (const step of steps) {
      await expect(deployContracts({ rpcUrl, chainId, privateKey, genesis, onProgress: stopAfterOne })).rejects.toThrow('enough');
      expect(created.at(-1)).toBe(step.name);
    }
    const events: string[] = [];
    // a key without any ether: nothing is left to be sent
    await deployContracts({ rpcUrl, chainId, privateKey: generateKey(), genesis, onProgress: ({ type }) => void events.push(type) });
    expect(events).toEqual(['prepared', 'verified']);
    const rpc = connectRpc(rpcUrl, chainId);
    expect(await startBlockOf(rpc, planDeployment(genesis, chainId).addresses.token)).toBe(0);
  });

  test('estimates gas for every step before the first is sent, never too little and less than a quarter too much', async () => {
    await using chain = await startChain();
    const { dev, privateKey } = chain;
    const { rpcUrl, chainId } = dev;
    const used: bigint[] = [];
    let estimated = 0n;
    await deployContracts({
      rpcUrl,
      chainId,
      privateKey,
      genesis,
      onProgress: (progress) => {
        if (progress.type === 'prepared') estimated = progress.prepared.totalGas;
        if (progress.type === 'created') used.push(progress.gasUsed);
      },
    });
    const sum = used.reduce((total, gas) => total + gas, 0n);
    expect(estimated).toBeGreaterThanOrEqual(sum);
    expect(Number(estimated) / Number(sum)).toBeLessThan(1.25);
  });

  test('errors say what is missing: gas money, the factory, the chain', async () => {
    await using chain = await startChain();
    const { rpcUrl, chainId } = chain.dev;
    const poor = generateKey();
    await expect(deployContracts({ rpcUrl, chainId, privateKey: poor, genesis })).rejects.toMatchObject({
      code: 'insufficient_funds',
      message: expect.stringMatching(/contracts cost up to 0\.\d+ ether of gas, 0x[0-9a-f]{40} holds 0; send it 0\.\d+ more/u),
    });
    await expect(deployContracts({ rpcUrl, chainId: 1, privateKey: poor, genesis })).rejects.toMatchObject({ code: 'wrong_chain' });
    await jsonRpc(rpcUrl, 'anvil_setCode', [CREATE2_FACTORY, '0x6000']);
    await expect(deployContracts({ rpcUrl, chainId, privateKey: poor, genesis })).rejects.toMatchObject({
      code: 'no_create2_factory',
      message: expect.stringContaining('found another contract'),
    });
    await jsonRpc(rpcUrl, 'anvil_setCode', [CREATE2_FACTORY, '0x']);
    await expect(deployContracts({ rpcUrl, chainId, privateKey: poor, genesis })).rejects.toMatchObject({
      code: 'no_create2_factory',
      message: expect.stringContaining('found no code'),
    });
    const unnamed = { ...genesis, holders: [{ name: 'authors', holder: undefined, amount: 1n }] };
    await expect(deployContracts({ rpcUrl, chainId, privateKey: poor, genesis: unnamed })).rejects.toMatchObject({
      code: 'bad_genesis',
      message: expect.stringContaining('authors'),
    });
  });

  test('other code at one of our addresses is found, also where immutables lie', async () => {
    await using chain = await startChain();
    const { rpcUrl, chainId } = chain.dev;
    await deployContracts({ rpcUrl, chainId, privateKey: chain.privateKey, genesis });
    const rpc = connectRpc(rpcUrl, chainId);
    const { contracts } = planDeployment(genesis, chainId);
    for (const { name, address } of contracts) {
      const code = (await rpc.client.getCode({ address }))!;
      const last = code.at(-1) === '0' ? '1' : '0';
      await jsonRpc(rpcUrl, 'anvil_setCode', [address, code.slice(0, -1) + last]);
      await expect(verifyCode(rpc, contracts)).rejects.toMatchObject({ code: 'wrong_code', details: { name } });
      await jsonRpc(rpcUrl, 'anvil_setCode', [address, `${code}00`]);
      await expect(verifyCode(rpc, contracts)).rejects.toMatchObject({ code: 'wrong_code', details: { name } });
      await jsonRpc(rpcUrl, 'anvil_setCode', [address, code]);
    }
    await verifyCode(rpc, contracts);
  });

  test('a dry run tells what would be sent and sends nothing', async () => {
    await using chain = await startChain();
    const { rpcUrl, chainId, devAccount } = chain.dev;
    const rpc = connectRpc(rpcUrl, chainId);
    const { missing, cost, plan } = await prepareDeployment(rpc, devAccount.address, genesis);
    expect(missing).toEqual(plan.steps);
    expect(cost).toBeGreaterThan(0n);
    expect(await rpc.client.getTransactionCount({ address: devAccount.address })).toBe(0);
  });
});

test('addresses follow from terms: what depends on a term moves, nothing else', () => {
  const before = deploymentAddresses(genesis, 1);
  expect(deploymentAddresses(genesis, 2)).toEqual(before);
  const bond = deploymentAddresses({ ...genesis, nodes: { minimumBond: 5n, unbondingDelay: 86_400 } }, 1);
  expect(bond.nodeRegistry).not.toBe(before.nodeRegistry);
  expect(bond.receiptLog).not.toBe(before.receiptLog);
  expect(bond).toMatchObject({ token: before.token, parameters: before.parameters, modelRegistry: before.modelRegistry });
  const asset = { name: 'Dollar', chainId: 2, asset: holder, ratio: 1n };
  expect(deploymentAddresses({ ...genesis, assets: [asset] }, 1)).toEqual(before);
  expect(deploymentAddresses({ ...genesis, assets: [asset] }, 2).parameters).not.toBe(before.parameters);
});

test('a development network: money that is accepted, and nothing is sent the second time', async () => {
  await using chain = await startChain();
  const { dev, privateKey } = chain;
  const { rpcUrl, chainId } = dev;
  const first = await deployDevNetwork({ rpcUrl, chainId, privateKey });
  const rpc = connectRpc(rpcUrl, chainId);
  const ratio = await contractCaller(rpc, undefined, first.parameters, parametersAbi).read('stakeRatio', [first.testDollar!]);
  expect(ratio).toBe(10n ** 30n);
  const block = await rpc.client.getBlockNumber();
  // a key without any ether could not send a transaction
  expect(await deployDevNetwork({ rpcUrl, chainId, privateKey: generateKey(), known: first })).toBe(first);
  // blocks of one second cannot be told apart by their time: the start may be found a little early
  const again = await deployDevNetwork({ rpcUrl, chainId, privateKey });
  expect(again.startBlock).toBeLessThanOrEqual(first.startBlock);
  expect({ ...again, startBlock: first.startBlock }).toEqual(first);
  expect(await rpc.client.getBlockNumber()).toBe(block);
  const elsewhere = { ...first, receiptLog: first.token.replace(/^0x.{4}/u, '0xffff') as Address };
  expect(await deployDevNetwork({ rpcUrl, chainId, privateKey, known: elsewhere })).toEqual(again);
});
