import { CommonweightError, type Graph } from '@commonweight/protocol';

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
