import { CommonweightError, type Graph } from '@commonweight/protocol';
import type { BatchPart, Sequence } from './executor.ts';

/** Throws unless a sequence of `capacity` positions fits the model's context. */
export function checkCapacity({ context }: Graph, capacity: number): void {
  if (!Number.isInteger(capacity) || capacity < 1 || capacity > context) {
    throw new CommonweightError(`capacity: expected 1 to ${context} positions, got ${capacity}`, { code: 'sequence', field: 'capacity' });
  }
}

/** Throws unless every id is in the vocabulary and all of them fit into the `left` free positions of a sequence. */
export function checkIds({ vocabulary }: Graph, ids: readonly number[], left: number): void {
  const wrong = ids.find((id) => !Number.isInteger(id) || id < 0 || id >= vocabulary);
  if (wrong !== undefined)
    throw new CommonweightError(`expected ids from 0 to ${vocabulary - 1}, got ${wrong}`, { code: 'ids', field: 'ids' });
  if (ids.length > left) {
    throw new CommonweightError(`expected at most ${left} more ids, got ${ids.length}; open a longer sequence`, {
      code: 'sequence',
      field: 'ids',
    });
  }
}

/** Throws unless every sequence of a batch stands in it once. */
export function checkBatch(parts: readonly BatchPart[]): void {
  if (new Set(parts.map(({ sequence }) => sequence)).size !== parts.length) {
    throw new CommonweightError('expected every sequence of a batch once, got one twice', { code: 'sequence', action: 'stop' });
  }
}

/** Throws unless `target` is empty and both hold `positions`. */
export function checkCopy(target: Sequence, source: Sequence, positions: number): void {
  const most = Math.min(source.length, target.capacity);
  if (target.length !== 0) {
    throw new CommonweightError(`expected an empty sequence to copy into, got one of ${target.length} positions`, {
      code: 'sequence',
      action: 'stop',
    });
  }
  if (!Number.isInteger(positions) || positions < 0 || positions > most) {
    throw new CommonweightError(`positions: expected 0 to ${most}, got ${positions}`, { code: 'sequence', field: 'positions' });
  }
}
