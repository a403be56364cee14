import { gunzip } from 'node:zlib';
import { promisify } from 'node:util';
import { readFile, rename } from 'node:fs/promises';
import { writeFileAtomic } from './atomic-file.ts';
import { type DevChainPaths } from './dev-chain-files.ts';
import { ChainError } from './errors.ts';
import { jsonRpc } from './platform/json-rpc.ts';
import { limits } from './limits.ts';

const unzip = promisify(gunzip);

const readBlockNumber = (rpcUrl: string): Promise<unknown> => jsonRpc(rpcUrl, 'eth_blockNumber');

/** Snapshots of one running anvil. anvil's own `--state` writes in place: a crash in the middle leaves a file that it refuses to load. */
export class Snapshots {
  readonly #paths: DevChainPaths;
  readonly #rpcUrl: string;
  #saved: unknown;

  constructor(paths: DevChainPaths, rpcUrl: string) {
    this.#paths = paths;
    this.#rpcUrl = rpcUrl;
  }

  /** Call once after a start from a snapshot: what is loaded need not be written again. */
  async adopt(): Promise<void> {
    this.#saved = await readBlockNumber(this.#rpcUrl);
  }

  /** Writes a snapshot when there are new blocks. @returns whether it wrote one */
  async save(): Promise<boolean> {
    const block = await readBlockNumber(this.#rpcUrl);
    if (block === this.#saved) return false;
    const dump = await jsonRpc(this.#rpcUrl, 'anvil_dumpState', [], limits.dumpTimeout);
    if (typeof dump !== 'string') throw new ChainError('dev_chain_failed', 'anvil_dumpState answered with no string');
    const state = await unzip(Buffer.from(dump.slice(2), 'hex'));
    await keepPrevious(this.#paths);
    await writeFileAtomic(this.#paths.snapshot, state);
    // blocks mined during the dump may be missing from it: the next round sees a higher number and writes again
    this.#saved = block;
    return true;
  }
}

async function keepPrevious({ snapshot, previousSnapshot }: DevChainPaths): Promise<void> {
  // a damaged file must not push out a good one
  if (await isWhole(snapshot)) await rename(snapshot, previousSnapshot);
}

async function isWhole(path: string): Promise<boolean> {
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'));
    return typeof value === 'object' && value !== null;
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

/** Snapshots worth a try, newest first. Only whole JSON is offered; whether anvil takes it shows at the start. */
export async function loadableSnapshots({ snapshot, previousSnapshot }: DevChainPaths): Promise<string[]> {
  const files: string[] = [];
  for (const path of [snapshot, previousSnapshot]) if (await isWhole(path)) files.push(path);
  return files;
}
