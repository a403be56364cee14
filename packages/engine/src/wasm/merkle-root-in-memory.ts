import { type MerkleTag, limits as protocolLimits, merkleRootOfTop } from '@commonweight/protocol';
import { limits } from '../limits.ts';
import type { EngineInstance } from './kernels.ts';

const DIGEST = 32;

/**
 * Merkle root (SPEC section 20) over `length` bytes at `start` of the engine's memory, where they lie: what `merkleRootOfBytes` gives, four leaves at a time.
 * @param most - leaves whose digests are in memory at once, a power of two: such a piece is a subtree, so the tops of all pieces make the tree
 */
export function merkleRootInMemory(
  { memory, kernels }: EngineInstance,
  tag: MerkleTag,
  start: number,
  length: number,
  most: number = limits.merklePiece,
): Uint8Array {
  const leaves = Math.ceil(length / protocolLimits.leafBytes);
  const pieces = Math.ceil(leaves / most);
  const tops = memory.allocate(DIGEST * Math.max(1, pieces), 'tops of a tree');
  const digests = memory.allocate(DIGEST * Math.min(leaves, most), 'digests of leaves');
  try {
    for (let piece = 0; piece < pieces; piece++) {
      const first = piece * most;
      const bytes = Math.min(length - first * protocolLimits.leafBytes, most * protocolLimits.leafBytes);
      kernels.hash_leaves(start + first * protocolLimits.leafBytes, bytes, tag, digests);
      kernels.merkle_top(digests, Math.min(leaves - first, most));
      memory.bytes(tops + DIGEST * piece, DIGEST).set(memory.bytes(digests, DIGEST));
    }
    // new memory is zero, which is the top of no leaves
    kernels.merkle_top(tops, pieces);
    return merkleRootOfTop(tag, leaves, memory.bytes(tops, DIGEST));
  } finally {
    memory.free(digests);
    memory.free(tops);
  }
}
