import { type Graph, padTo } from '@commonweight/protocol';

/** Bytes of one sequence's KV cache of `capacity` positions: see `kv_block_bytes` in kernels/model.h. */
export const cacheBytes = (graph: Graph, capacity: number): number =>
  graph.layers * graph.kvHeads * capacity * (2 * padTo(graph.headDimension, 16) + 8);

/** The KV cache of a sequence in the layout of kernels/model.h. */
export interface CacheBytes {
  readonly bytes: Uint8Array;
  readonly capacity: number;
}

/** The first `positions` of every KV head's block: keys, values and their scales (`kv_block_bytes` in kernels/model.h). */
export function copyCache(graph: Graph, from: CacheBytes, to: CacheBytes, positions: number): void {
  const row = padTo(graph.headDimension, 16);
  const block = 2 * row + 8;
  for (let head = 0; head < graph.layers * graph.kvHeads; head++) {
    let source = head * block * from.capacity;
    let target = head * block * to.capacity;
    for (const size of [row, row, 4, 4]) {
      to.bytes.set(from.bytes.subarray(source, source + size * positions), target);
      source += size * from.capacity;
      target += size * to.capacity;
    }
  }
}
