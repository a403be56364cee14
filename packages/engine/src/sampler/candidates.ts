import { NOT_ALLOWED } from './not-allowed.ts';

/** Ids that are left, in increasing order: distance from the largest logit, and weight. Only the first `count` entries mean anything. */
export interface Candidates {
  readonly ids: Int32Array;
  readonly deltas: Uint32Array;
  readonly weights: Int32Array;
  count: number;
}

let shared: Candidates = { ids: new Int32Array(0), deltas: new Uint32Array(0), weights: new Int32Array(0), count: 0 };

/** The logits that lie at most `last` below `largest`. The arrays are shared: choosing one token never overlaps with choosing another. */
export function candidatesWithin(logits: Int32Array, largest: number, last: number): Candidates {
  if (shared.ids.length < logits.length) {
    const size = logits.length;
    shared = { ids: new Int32Array(size), deltas: new Uint32Array(size), weights: new Int32Array(size), count: 0 };
  }
  const { ids, deltas } = shared;
  let count = 0;
  for (let id = 0; id < logits.length; id++) {
    const delta = largest - logits[id]!;
    if (delta > last || logits[id] === NOT_ALLOWED) continue;
    ids[count] = id;
    deltas[count++] = delta;
  }
  shared.count = count;
  return shared;
}

/** Drops the candidates beyond `cut`. */
export function keepWithin(set: Candidates, cut: number): void {
  const { ids, deltas } = set;
  let count = 0;
  for (let i = 0; i < set.count; i++) {
    if (deltas[i]! > cut) continue;
    ids[count] = ids[i]!;
    deltas[count++] = deltas[i]!;
  }
  set.count = count;
}
