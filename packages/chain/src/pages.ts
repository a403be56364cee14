import { ChainError } from './errors.ts';
import { limits } from './limits.ts';

/** Reads a whole list page by page. Entries that move between two pages are dropped by `key`; a list may change while it is read. */
export async function readPages<T>(
  read: (offset: bigint, limit: bigint) => Promise<readonly T[]>,
  key: (entry: T) => string,
  size: number = limits.page,
): Promise<T[]> {
  const entries = new Map<string, T>();
  for (let page = 0; page < limits.pages; page++) {
    const part = await read(BigInt(page * size), BigInt(size));
    for (const entry of part) entries.set(key(entry), entry);
    if (part.length < size) return [...entries.values()];
  }
  throw new ChainError('chain_rpc', `a list on chain has more than ${limits.pages * size} entries; read it from an indexer`);
}
