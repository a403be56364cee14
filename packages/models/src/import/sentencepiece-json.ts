import { canonicalize, utf8 } from '@commonweight/protocol';
import { limits } from '../limits.ts';
import { byteToken } from '../tokenizer/sentencepiece.ts';
import { addedTokens, checkTokens, namedField, type RefuseField, stopIdsOf, type TokenList, TokenType } from './token-list.ts';
import type { ImportedTokenizer } from './tokenizer-json.ts';

/** A SentencePiece vocabulary, wherever it is from. */
export interface PieceList extends TokenList {
  /** Ids of pieces that merges make, the best first. */
  readonly order: readonly number[];
  readonly spacePrefix: boolean;
}

/** Checks a vocabulary and writes it in our one spelling. */
export function buildSentencePiece(source: PieceList, vocabulary: number, refuse: RefuseField): ImportedTokenizer {
  const vocab = checkTokens(source, vocabulary, refuse);
  for (let byte = 0; byte < 256; byte++) {
    if (!(byteToken(byte) in vocab)) refuse('tokens', undefined, `the token ${byteToken(byte)} (byte fallback)`, 'none');
  }
  const json = {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: addedTokens(source),
    normalizer: null,
    pre_tokenizer: null,
    post_processor: null,
    ...namedField(source),
    decoder: null,
    model: { type: 'SentencePiece', space_prefix: source.spacePrefix, vocab, order: source.order },
  };
  return { json: utf8(canonicalize(json)), stopIds: stopIdsOf(source) };
}

const lengthOf = (text: string): number => Array.from(text).length;

/**
 * The order of a file with scores: pieces of two characters and more that merges can reach, best score first.
 * Two with one score would be merged in the order in which they stand in a text; no order of ours says that, and no vocabulary does it.
 */
export function orderByScore({ tokens, types }: TokenList, scores: readonly number[], refuse: RefuseField): number[] {
  const pieces = tokens.flatMap((token, id) => (types[id] === TokenType.normal || types[id] === TokenType.unused ? [{ token, id }] : []));
  for (const { token, id } of pieces) {
    const length = lengthOf(token);
    if (length > limits.pieceCharacters) refuse('tokens', id, `at most ${limits.pieceCharacters} characters`, `${length} characters`);
  }
  const longer = pieces.filter(({ token }) => lengthOf(token) > 1).sort((a, b) => lengthOf(a.token) - lengthOf(b.token));
  const reachable = new Set<string>();
  for (const { token } of longer) if (isMade(Array.from(token), reachable)) reachable.add(token);
  const order = longer.filter(({ token }) => reachable.has(token)).sort((a, b) => scores[b.id]! - scores[a.id]! || a.id - b.id);
  for (const [i, { id }] of order.entries()) {
    if (i > 0 && scores[order[i - 1]!.id] === scores[id]) refuse('scores', id, 'a score that no other piece has', String(scores[id]));
  }
  return order.map(({ id }) => id);
}

/** Whether two parts that are single characters or reachable pieces make up the text. */
function isMade(characters: readonly string[], reachable: ReadonlySet<string>): boolean {
  return characters.some((_, cut) => {
    const parts = [characters.slice(0, cut), characters.slice(cut)];
    return cut > 0 && parts.every((part) => part.length === 1 || reachable.has(part.join('')));
  });
}
