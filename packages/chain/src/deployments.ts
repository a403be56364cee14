import { type Address, CommonweightError, Fields } from '@commonweight/protocol';
import { readFile } from 'node:fs/promises';
import { writeFileAtomic } from './atomic-file.ts';
import { ChainError } from './errors.ts';

/** Where our contracts are on one chain. */
export interface Deployments {
  readonly chainId: number;
  readonly modelRegistry: Address;
  readonly nodeRegistry: Address;
  readonly receiptLog: Address;
}

export function parseDeployments(value: unknown, path = 'deployments'): Deployments {
  const f = new Fields(value, path, ['chainId', 'modelRegistry', 'nodeRegistry', 'receiptLog']);
  return {
    chainId: f.integer('chainId', 1, Number.MAX_SAFE_INTEGER),
    modelRegistry: f.address('modelRegistry'),
    nodeRegistry: f.address('nodeRegistry'),
    receiptLog: f.address('receiptLog'),
  };
}

/** Reads deployments.json; undefined when there is none. */
export async function readDeployments(path: string): Promise<Deployments | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return parseDeployments(JSON.parse(text), path);
  } catch (cause) {
    if (!(cause instanceof SyntaxError || cause instanceof CommonweightError)) throw cause;
    throw new ChainError(
      'dev_chain_file',
      `${path}: expected the addresses of our contracts (${cause.message}); remove it and deploy again`,
      { cause },
    );
  }
}

export const writeDeployments = (path: string, deployments: Deployments): Promise<void> =>
  writeFileAtomic(path, `${JSON.stringify(deployments, undefined, 2)}\n`, 0o644);
