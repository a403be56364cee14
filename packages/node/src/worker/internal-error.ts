import { CommonweightError } from '@commonweight/protocol';
import { randomHex } from '../platform/random.ts';
import { describeError } from './describe-error.ts';
import type { WorkerLog } from './log.ts';

/** Errors of ours go out as they are; anything else leaves as an opaque id, which the log explains. */
export function opaque(error: unknown, log: WorkerLog): CommonweightError {
  if (error instanceof CommonweightError) return error;
  const id = randomHex(8);
  log.error('internal_error', { id, ...describeError(error) });
  return new CommonweightError(`internal error ${id}`, { code: 'internal', action: 'retry' });
}
