import { canonicalize, utf8 } from '@commonweight/protocol';
import type { Gguf } from '../gguf/parse-gguf.ts';
import { limits } from '../limits.ts';
import { Metadata } from './metadata.ts';
import { namedTokens } from './named-tokens.ts';
import { buildSentencePiece, orderByScore } from './sentencepiece-json.ts';
import { addedTokens, checkTokens, namedField, type RefuseField, stopIdsOf, type TokenList, TokenType } from './token-list.ts';
import { isPreTokenizerName, preTokenizerNames, preTokenizerOf } from './pre-tokenizer.ts';

export interface ImportedTokenizer {
  /** tokenizer.json: the Hugging Face `tokenizers` format as canonical JSON. */
  readonly json: Uint8Array;
  readonly stopIds: readonly number[];
}

/** A byte-level BPE vocabulary, wherever it is from. */
export interface Vocabulary extends TokenList {
  /** "left right" */
  readonly merges: readonly string[];
  /** A name that {@link preTokenizerOf} knows. */
  readonly preTokenizer: string;
}

/** Reads a GGUF's vocabulary: byte-level BPE (`gpt2`) or SentencePiece (`llama`). `vocabulary`: rows of the embedding. */
export function tokenizerFromGguf(gguf: Gguf, vocabulary: number, template: string): ImportedTokenizer {
  const metadata = new Metadata(gguf.metadata);
  const model = metadata.string('tokenizer.ggml.model');
  if (model !== 'gpt2' && model !== 'llama')
    metadata.refuse('tokenizer.ggml.model', 'gpt2 (byte-level BPE) or llama (SentencePiece)', model);
  const refuse: RefuseField = (field, at, expected, got) =>
    metadata.refuse(`tokenizer.ggml.${field}${at === undefined ? '' : `[${at}]`}`, expected, got);
  const list = tokenListOf(metadata, template);
  if (model === 'llama') return sentencePieceOf(metadata, list, vocabulary, refuse);
  const merges = metadata.strings('tokenizer.ggml.merges');
  return buildTokenizer({ ...list, merges, preTokenizer: metadata.string('tokenizer.ggml.pre', 'gpt-2') }, vocabulary, refuse);
}

function tokenListOf(metadata: Metadata, template: string): TokenList {
  const tokens = metadata.strings('tokenizer.ggml.tokens');
  const types = metadata.has('tokenizer.ggml.token_type')
    ? metadata.integers('tokenizer.ggml.token_type')
    : tokens.map(() => TokenType.normal);
  const endIds = ['tokenizer.ggml.eos_token_id', 'tokenizer.ggml.eot_token_id']
    .filter((key, i) => i === 0 || metadata.has(key))
    .map((key) => metadata.integer(key, 0, tokens.length - 1));
  const bosKey = 'tokenizer.ggml.bos_token_id';
  const bos = metadata.has(bosKey) ? metadata.integer(bosKey, 0, tokens.length - 1) : undefined;
  return { tokens, types, endIds, named: namedTokens(template, { bos_token: bos, eos_token: endIds[0] }) };
}

function sentencePieceOf(metadata: Metadata, list: TokenList, vocabulary: number, refuse: RefuseField): ImportedTokenizer {
  if (metadata.boolean('tokenizer.ggml.remove_extra_whitespaces', false))
    metadata.refuse('tokenizer.ggml.remove_extra_whitespaces', 'false', 'true');
  if (metadata.has('tokenizer.ggml.precompiled_charsmap')) metadata.refuse('tokenizer.ggml.precompiled_charsmap', 'nothing', 'a table');
  const scores = metadata.numbers('tokenizer.ggml.scores');
  if (scores.length !== list.tokens.length) refuse('scores', undefined, `${list.tokens.length} scores`, scores);
  const spacePrefix = metadata.boolean('tokenizer.ggml.add_space_prefix', true);
  return buildSentencePiece({ ...list, order: orderByScore(list, scores, refuse), spacePrefix }, vocabulary, refuse);
}

/** Checks a vocabulary and writes it in our one spelling: equal vocabularies give equal bytes. */
export function buildTokenizer(source: Vocabulary, vocabulary: number, refuse: RefuseField): ImportedTokenizer {
  const name = source.preTokenizer;
  const { patterns, ignoreMerges, composes } = preTokenizerOf(
    isPreTokenizerName(name) ? name : refuse('pre', undefined, preTokenizerNames.join(' or '), name),
  );
  const vocab = checkTokens(source, vocabulary, refuse);
  const json = {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: addedTokens(source),
    normalizer: composes ? { type: 'NFC' } : null,
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        ...patterns.map((pattern) => ({ type: 'Split', pattern: { Regex: pattern }, behavior: 'Isolated', invert: false })),
        { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false },
      ],
    },
    post_processor: null,
    ...namedField(source),
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: ignoreMerges,
      vocab,
      merges: checkMerges(source.merges, vocab, refuse),
    },
  };
  return { json: utf8(canonicalize(json)), stopIds: stopIdsOf(source) };
}

/** Merges as "left right", each of two tokens whose concatenation is a token. */
function checkMerges(merges: readonly string[], vocab: Readonly<Record<string, number>>, refuse: RefuseField): readonly string[] {
  for (const [i, merge] of merges.entries()) {
    const [left, right, more] = merge.split(' ', 3);
    if (!left || !right || more !== undefined || !(left + right in vocab)) {
      refuse('merges', i, 'two parts of a token with one space between', JSON.stringify(merge));
    }
  }
  return merges;
}

/** The template, which must be there: without one a chat cannot be rendered. */
export function chatTemplateFromGguf(gguf: Gguf): Uint8Array {
  const metadata = new Metadata(gguf.metadata);
  const template = metadata.string('tokenizer.chat_template');
  const bytes = utf8(template);
  if (bytes.length > limits.chatTemplateBytes)
    metadata.refuse('tokenizer.chat_template', `at most ${limits.chatTemplateBytes} bytes`, bytes.length);
  return bytes;
}
