import type { PieceModel } from './piece-model.ts';
import { MergeQueue } from './merge-queue.ts';

/** What SentencePiece writes for a space (U+2581). */
export const SPACE_MARK = '\u2581';
const BYTE_TOKEN = /^<0x([0-9A-F]{2})>$/;
export const byteToken = (byte: number): string => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`;

export interface Pieces {
  /** Ids of single characters by their text. */
  readonly characters: ReadonlyMap<string, number>;
  /** Ids of longer pieces that merges make, the best first. */
  readonly order: readonly number[];
  /** Texts by id. */
  readonly tokens: readonly string[];
  /** Ids of the tokens for single bytes, 256 of them. */
  readonly bytes: readonly number[];
  /** Whether a space is put before every piece of text. */
  readonly spacePrefix: boolean;
}

/**
 * SentencePiece's BPE (sentencepiece, src/bpe_model.cc): the neighbours that make the best piece are merged first, of equal ones the leftmost;
 * a character without a piece becomes its UTF-8 bytes. Time grows with n log n.
 */
export function sentencePiece({ characters, order, tokens, bytes, spacePrefix }: Pieces): PieceModel {
  const ranks = new Map(order.map((id, rank) => [tokens[id]!, rank]));
  const encoder = new TextEncoder();

  function* encode(text: string): Generator<number> {
    const symbols = merged(Array.from(((spacePrefix ? ' ' : '') + text).replaceAll(' ', SPACE_MARK)), ranks);
    for (const symbol of symbols) {
      const rank = ranks.get(symbol);
      const id = rank === undefined ? characters.get(symbol) : order[rank];
      if (id !== undefined) yield id;
      else for (const byte of encoder.encode(symbol)) yield bytes[byte]!;
    }
  }
  return {
    encode,
    bytesOf(token) {
      const byte = BYTE_TOKEN.exec(token);
      return byte ? Uint8Array.of(Number.parseInt(byte[1]!, 16)) : encoder.encode(token.replaceAll(SPACE_MARK, ' '));
    },
  };
}

/** Merges `symbols` in place until no two neighbours make a piece; returns those that are left. */
function merged(symbols: string[], ranks: ReadonlyMap<string, number>): string[] {
  const queue = new MergeQueue();
  const next = symbols.map((_, i) => i + 1);
  const previous = symbols.map((_, i) => i - 1);
  const consider = (left: number, right: number): void => {
    if (left < 0 || right >= symbols.length) return;
    const text = symbols[left]! + symbols[right]!;
    const rank = ranks.get(text);
    if (rank !== undefined) queue.push({ left, right, rank, length: text.length });
  };
  for (let i = 1; i < symbols.length; i++) consider(i - 1, i);
  for (let merge = queue.pop(); merge; merge = queue.pop()) {
    const { left, right, length } = merge;
    // A symbol that went into another one is empty.
    if (symbols[left] === '' || symbols[right] === '' || symbols[left]!.length + symbols[right]!.length !== length) continue;
    symbols[left]! += symbols[right]!;
    symbols[right] = '';
    next[left] = next[right]!;
    if (next[left]! < symbols.length) previous[next[left]!] = left;
    consider(previous[left]!, left);
    consider(left, next[left]!);
  }
  return symbols.filter((symbol) => symbol !== '');
}
