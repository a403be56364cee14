import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Chain,
  type DevChain,
  connectChain,
  deployDevNetwork,
  generateKey,
  startDevChain,
  writeDeployments,
} from '@commonweight/chain';
import { openPackage } from '@commonweight/models';
import type { WorkerConfigInput } from '@commonweight/node';
import { type Address, type ModelId, addressOfKey, canonicalize, packageFiles, sha256, toHex, utf8 } from '@commonweight/protocol';
import { byzantineCommand } from './byzantine/byzantine-command.ts';
import type { ByzantineStrategy } from './byzantine/strategies.ts';
import { type RoleCommand, type RoleProcess, spawnRole } from './role-process.ts';

export interface TestNetworkOptions {
  /** An empty folder. */
  readonly dataDir: string;
  /** Folder of the model package that every node serves. */
  readonly packageDir: string;
  /** `commonweight`'s script. */
  readonly cliScript: string;
}

/** A chain with our contracts and a published model; workers and gateways are started on it one by one, each a real process. */
export interface TestNetwork extends AsyncDisposable {
  readonly chain: Chain;
  readonly modelId: ModelId;
  readonly gatewayDir: string;
  /** An honest node under a new operator key, registered and serving. */
  readonly startWorker: (name: string, settings?: WorkerSettings) => Promise<RoleProcess>;
  /** A lying one. */
  readonly startLiar: (strategy: ByzantineStrategy) => Promise<RoleProcess>;
  readonly startGateway: () => Promise<RoleProcess>;
}

/** What of a worker's configuration a test may set. */
export type WorkerSettings = Partial<
  Pick<WorkerConfigInput, 'backend' | 'threads' | 'slots' | 'kvBytes' | 'prefixCacheBytes' | 'queueLimit'>
>;

interface NewNode {
  readonly node: Address;
  readonly configFile: string;
  readonly logFile: string;
}

/** Wei: bond and gas. */
const BALANCE = 10n ** 18n;

export async function startTestNetwork({ dataDir, packageDir, cliScript }: TestNetworkOptions): Promise<TestNetwork> {
  const devChain = await startDevChain({ dataDir: folder(dataDir, 'chain') });
  const roles: RoleProcess[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(roles.map((role) => role.stop()));
    await devChain.stop();
  };
  try {
    return { ...(await assemble(devChain, roles, { dataDir, packageDir, cliScript })), [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function assemble(
  devChain: DevChain,
  roles: RoleProcess[],
  { dataDir, packageDir, cliScript }: TestNetworkOptions,
): Promise<Omit<TestNetwork, typeof Symbol.asyncDispose>> {
  const { rpcUrl, chainId, devAccount } = devChain;
  const deployments = await deployDevNetwork({ rpcUrl, chainId, privateKey: devAccount.privateKey });
  const deploymentsFile = join(dataDir, 'deployments.json');
  await writeDeployments(deploymentsFile, deployments);
  const chain = await connectChain({ rpcUrl, chainId, deployments, privateKey: devAccount.privateKey });
  const modelId = await publish(chain, packageDir);

  const shared = { packages: [packageDir], listen: { host: '127.0.0.1', port: 0 }, chain: { rpcUrl, deploymentsFile } };
  const logFile = (name: string): string => join(folder(dataDir, 'logs'), `${name}.log`);
  const start = async (command: RoleCommand): Promise<RoleProcess> => {
    const role = await spawnRole(command);
    roles.push(role);
    return role;
  };
  const newNode = async (name: string, settings: WorkerSettings = {}): Promise<NewNode> => {
    const dir = folder(dataDir, 'nodes', name);
    const operator = writeKey(dir, 'operator.key');
    await devChain.fund(operator.address, BALANCE);
    const sessionKeyFile = writeKey(dir, 'session.key').file;
    const keys = { operatorKeyFile: operator.file, sessionKeyFile };
    const config = { role: 'worker', dataDir: dir, ...shared, ...keys, batchIntervalMs: 500, threads: 1, ...settings };
    return { node: operator.address, configFile: writeJson(dir, config), logFile: logFile(name) };
  };
  const gatewayDir = folder(dataDir, 'gateway');
  return {
    chain,
    modelId,
    gatewayDir,
    startWorker: async (name, settings) => {
      const { configFile } = await newNode(name, settings);
      return start({ name, args: [cliScript, 'worker', '--config', configFile], logFile: logFile(name) });
    },
    startLiar: async (strategy) => {
      const { configFile } = await newNode(strategy);
      return start(byzantineCommand(strategy, configFile, logFile(strategy)));
    },
    startGateway: () => {
      const payerKeyFile = writeKey(gatewayDir, 'payer.key').file;
      const config = { role: 'gateway', dataDir: gatewayDir, ...shared, payerKeyFile, allowLoopback: true };
      return start({
        name: 'gateway',
        args: [cliScript, 'gateway', '--config', writeJson(gatewayDir, config)],
        logFile: logFile('gateway'),
      });
    },
  };
}

async function publish(chain: Chain, packageDir: string): Promise<ModelId> {
  const model = await openPackage(packageDir);
  try {
    const { modelId, manifest, card } = model;
    const weightsRoot = manifest.files.find(({ name }) => name === packageFiles.weights)!.root;
    await chain.publishModel({
      modelId,
      weightsRoot,
      manifestPointer: '',
      cardDigest: toHex(sha256(utf8(canonicalize(card)))),
      cardPointer: '',
    });
    return modelId;
  } finally {
    await model.close();
  }
}

function folder(...parts: string[]): string {
  const path = join(...parts);
  mkdirSync(path, { recursive: true, mode: 0o700 });
  return path;
}

function writeKey(dir: string, name: string): { readonly file: string; readonly address: Address } {
  const key = generateKey();
  const file = join(dir, name);
  writeFileSync(file, `${key}\n`, { mode: 0o600, flag: 'wx' });
  return { file, address: addressOfKey(key) };
}

function writeJson(dir: string, value: unknown): string {
  const file = join(dir, 'config.json');
  writeFileSync(file, JSON.stringify(value, undefined, 2), { mode: 0o600 });
  return file;
}
