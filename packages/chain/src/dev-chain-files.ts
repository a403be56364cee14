import { type Hex32, isPrivateKey } from '@commonweight/protocol';
import { randomInt } from 'node:crypto';
import { mkdir, readFile, readdir, realpath, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from './atomic-file.ts';
import { ChainError } from './errors.ts';
import { generateKey } from './keys.ts';

/** What stays the same over all starts of one development chain. The file is readable by its owner only. */
export interface DevChainIdentity {
  readonly chainId: number;
  /** Key of the funded account: deployer and faucet. */
  readonly devKey: Hex32;
  /** Port of the last start; taken again when it is free. */
  readonly port: number;
}

export interface DevChainPaths {
  readonly folder: string;
  readonly lock: string;
  readonly identity: string;
  readonly snapshot: string;
  readonly previousSnapshot: string;
  /** anvil's own scratch folder; as an argument it also marks the process as ours. */
  readonly cache: string;
}

/** Makes the folder and gives the paths in it, free of symbolic links: they identify processes. */
export async function openDevChainFolder(dataDir: string): Promise<DevChainPaths> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const folder = await realpath(dataDir);
  const at = (name: string): string => join(folder, name);
  return {
    folder,
    lock: at('guard.pid'),
    identity: at('identity.json'),
    snapshot: at('snapshot.json'),
    previousSnapshot: at('snapshot.previous.json'),
    cache: at('anvil-cache'),
  };
}

/** Removes what a killed process left half written. Call with the lock held. */
export async function removeTemporaryFiles({ folder }: DevChainPaths): Promise<void> {
  const names = await readdir(folder);
  await Promise.all(names.filter((name) => name.endsWith('.tmp')).map((name) => rm(join(folder, name), { force: true })));
}

const isNumber = (value: unknown, least: number, most: number): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= least && value <= most;

/** The stored identity; undefined on the first start. Throws `dev_chain_file` when the file is damaged: a new key would lose the chain. */
export async function readIdentity(paths: DevChainPaths): Promise<DevChainIdentity | undefined> {
  let text: string;
  try {
    text = await readFile(paths.identity, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const damaged = (cause?: unknown): ChainError =>
    new ChainError('dev_chain_file', `${paths.identity} is damaged; remove the folder ${paths.folder} to start a new development chain`, {
      cause,
    });
  let value: { chainId?: unknown; devKey?: unknown; port?: unknown } | null;
  try {
    value = JSON.parse(text) as typeof value;
  } catch (cause) {
    throw damaged(cause);
  }
  const { chainId, devKey, port } = value ?? {};
  if (!isNumber(chainId, 1, 2 ** 48) || !isPrivateKey(devKey) || !isNumber(port, 0, 65_535)) throw damaged();
  return { chainId, devKey, port };
}

export const writeIdentity = (paths: DevChainPaths, identity: DevChainIdentity): Promise<void> =>
  writeFileAtomic(paths.identity, `${JSON.stringify(identity)}\n`);

/** A random chain id: nothing signed for one development chain counts on another, or on a public chain. */
export const newIdentity = (): DevChainIdentity => ({ chainId: randomInt(2 ** 32, 2 ** 47), devKey: generateKey(), port: 0 });
