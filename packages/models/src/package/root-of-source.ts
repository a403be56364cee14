import { type Hex32, limits as protocolLimits, MerkleTag, MerkleTree, toHex } from '@commonweight/protocol';
import type { ByteSource } from '../gguf/byte-source.ts';
import { limits } from '../limits.ts';
import { nativeSha256 } from '../sha256.ts';

/** Merkle root (tag `file`) over a source that is read front to back. Memory: one slab and 32 bytes a KB. */
export function rootOfSource({ size, read }: ByteSource): Hex32 {
  const tree = new MerkleTree(MerkleTag.file, nativeSha256);
  const slab = new Uint8Array(limits.slabBytes);
  for (let offset = 0; offset < size; offset += slab.length) {
    const part = slab.subarray(0, Math.min(slab.length, size - offset));
    read(offset, part);
    for (let at = 0; at < part.length; at += protocolLimits.leafBytes) tree.append(part.subarray(at, at + protocolLimits.leafBytes));
  }
  return toHex(tree.root());
}
