import type { FileHandle } from 'node:fs/promises';
import { CommonweightError, limits as protocolLimits, MerkleTag, MerkleTree, padTo, toHex } from '@commonweight/protocol';
import type { Hex32 } from '@commonweight/protocol';
import { nativeSha256 } from '../sha256.ts';

/** Appends to weights.bin and to its Merkle tree at once, so that the root is over the bytes that were written. */
export class WeightsWriter {
  readonly #file: FileHandle;
  readonly #tree = new MerkleTree(MerkleTag.file, nativeSha256);
  #size = 0;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  get size(): number {
    return this.#size;
  }

  get root(): Hex32 {
    return toHex(this.#tree.root());
  }

  /** Writes all of `bytes`, then zeros up to a multiple of 1,024. */
  async append(bytes: Uint8Array): Promise<void> {
    const leaf = protocolLimits.leafBytes;
    let data = bytes;
    if (bytes.length % leaf !== 0) {
      data = new Uint8Array(padTo(bytes.length, leaf));
      data.set(bytes);
    }
    for (let at = 0; at < data.length; at += leaf) this.#tree.append(data.subarray(at, at + leaf));
    for (let done = 0; done < data.length;) {
      const { bytesWritten } = await this.#file.write(data, done, data.length - done, this.#size + done);
      if (bytesWritten === 0) throw new CommonweightError('weights.bin: nothing more could be written', { code: 'file', action: 'stop' });
      done += bytesWritten;
    }
    this.#size += data.length;
  }
}
