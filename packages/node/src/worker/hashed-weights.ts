import type { WeightsSource } from '@commonweight/engine';
import { CommonweightError, type Manifest, MerkleTag, MerkleTree, limits, packageFiles, toHex } from '@commonweight/protocol';
import { nativeSha256 } from '../platform/sha256.ts';

/**
 * Hands weights to an executor and hashes what it got, where it got it: the digest is over the bytes in the engine's memory, so nothing can change between
 * check and use.
 */
export class HashedWeights implements WeightsSource {
  readonly #source: WeightsSource;
  readonly #tree = new MerkleTree(MerkleTag.file, nativeSha256);
  #next = 0;

  constructor(source: WeightsSource) {
    this.#source = source;
  }

  readonly read = (offset: number, target: Uint8Array): void => {
    if (offset !== this.#next || target.length % limits.leafBytes !== 0) {
      throw new CommonweightError(`expected a read of whole leaves at byte ${this.#next}, got ${target.length} bytes at ${offset}`, {
        code: 'weights_order',
        action: 'stop',
      });
    }
    this.#source.read(offset, target);
    for (let at = 0; at < target.length; at += limits.leafBytes) this.#tree.append(target.subarray(at, at + limits.leafBytes));
    this.#next += target.length;
  };

  /** Throws CommonweightError `digest_mismatch` unless exactly the manifest's weights were handed out. */
  check({ files }: Manifest): void {
    const expected = files.find((file) => file.name === packageFiles.weights);
    const root = toHex(this.#tree.root());
    if (expected?.size !== this.#next || expected.root !== root) {
      throw new CommonweightError(
        `${packageFiles.weights}: expected Merkle root ${expected?.root}, got ${root}; the file was changed or damaged, import the model again`,
        {
          code: 'digest_mismatch',
          action: 'stop',
          field: packageFiles.weights,
        },
      );
    }
  }
}
