import type { ByteSource } from '../gguf/byte-source.ts';
import type { GgufTensor } from '../gguf/parse-gguf.ts';

/** A tensor of the input, wherever it is from: named as in GGUF, its bytes at `offset` of `source`, rows in the order that the engine wants. */
export interface StoredTensor extends GgufTensor {
  readonly source: ByteSource;
}
