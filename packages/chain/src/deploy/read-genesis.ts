import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CommonweightError } from '@commonweight/protocol';
import { ChainError } from '../errors.ts';
import { type Genesis } from './genesis.ts';
import { parseAllocation, parseParameters } from './parse-genesis.ts';

/** Reads the two files of a genesis folder: `allocation.json` (who holds what) and `parameters.json` (every other term). */
export async function readGenesis(folder: string): Promise<Genesis> {
  const [allocation, parameters] = await Promise.all([
    read(join(folder, 'allocation.json'), parseAllocation),
    read(join(folder, 'parameters.json'), parseParameters),
  ]);
  return { ...allocation, ...parameters };
}

async function read<T>(path: string, parse: (value: unknown, path: string) => T): Promise<T> {
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'ENOENT') throw cause;
    throw new ChainError('bad_genesis', `${path} is not there: expected a genesis folder with allocation.json and parameters.json`, {
      cause,
    });
  });
  try {
    return parse(JSON.parse(text), path);
  } catch (cause) {
    if (cause instanceof CommonweightError) throw new ChainError('bad_genesis', cause.message, { cause });
    if (cause instanceof SyntaxError) throw new ChainError('bad_genesis', `${path}: expected JSON: ${cause.message}`, { cause });
    throw cause;
  }
}
