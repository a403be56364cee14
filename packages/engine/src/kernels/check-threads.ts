import { CommonweightError } from '@commonweight/protocol';
import { limits } from '../limits.ts';

/** Throws unless an executor may have so many threads. */
export function checkThreads(threads: number): void {
  if (Number.isInteger(threads) && threads >= 1 && threads <= limits.threads) return;
  throw new CommonweightError(`threads: expected 1 to ${limits.threads}, got ${threads}`, { code: 'executor', field: 'threads' });
}
