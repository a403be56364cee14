import { type MerkleTag, limits, merkleRootOfTop } from '@commonweight/protocol';
import type { EngineInstance } from './kernels.ts';

const DIGEST = 32;

/** Merkle root (SPEC section 20) over `length` bytes at `start` of the engine's memory, where they lie: what `merkleRootOfBytes` gives, four leaves at a time. */
export function merkleRootInMemory({ memory, kernels }: EngineInstance, tag: MerkleTag, start: number, length: number): Uint8Array {
  const leaves = Math.ceil(length / limits.leafBytes);
  const digests = memory.allocate(DIGEST * leaves, 'digests of leaves');
  try {
    // new memory is zero, which is the top of no leaves
    kernels.hash_leaves(start, length, tag, digests);
    kernels.merkle_top(digests, leaves);
    return merkleRootOfTop(tag, leaves, memory.bytes(digests, DIGEST));
  } finally {
    memory.free(digests);
  }
}
