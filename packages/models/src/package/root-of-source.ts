import { type Hex32, MerkleTag, merkleRootOfParts, toHex } from '@commonweight/protocol';
import type { ByteSource } from '../gguf/byte-source.ts';
import { limits } from '../limits.ts';
import { nativeSha256 } from '../sha256.ts';

/** Merkle root (tag `file`) over a source that is read front to back. Memory: one slab. */
export const rootOfSource = (source: ByteSource): Hex32 => toHex(merkleRootOfParts(MerkleTag.file, slabsOf(source), nativeSha256));

function* slabsOf({ size, read }: ByteSource): Generator<Uint8Array> {
  const slab = new Uint8Array(limits.slabBytes);
  for (let offset = 0; offset < size; offset += slab.length) {
    const part = slab.subarray(0, Math.min(slab.length, size - offset));
    read(offset, part);
    yield part;
  }
}
