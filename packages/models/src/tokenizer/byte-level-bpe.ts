import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers';
import { byteOf } from './byte-alphabet.ts';
import type { PieceModel } from './piece-model.ts';

/** Byte-level BPE by Hugging Face's library. Added tokens are cut out before, under our own rule for user text. */
export function byteLevelBpe(file: Readonly<Record<string, unknown>>): PieceModel {
  const bpe = new HuggingFaceTokenizer({ ...file, added_tokens: [] }, { clean_up_tokenization_spaces: false });
  return {
    encode: (text) => bpe.encode(text, { add_special_tokens: false }).ids,
    bytesOf: (token) => Uint8Array.from(token, byteOf),
  };
}
