import { canonicalize, utf8 } from '@commonweight/protocol';
import type { Gguf } from '../gguf/parse-gguf.ts';
import { limits } from '../limits.ts';
import { Metadata } from './metadata.ts';
import { type NamedTokens, namedTokens } from './named-tokens.ts';
import { isPreTokenizerName, preTokenizerNames, preTokenizerOf } from './pre-tokenizer.ts';

/** llama_token_type of GGUF. */
export const TokenType = { normal: 1, control: 3, userDefined: 4, unused: 5 } as const;

export interface ImportedTokenizer {
  /** tokenizer.json: the Hugging Face `tokenizers` format as canonical JSON. */
  readonly json: Uint8Array;
  readonly stopIds: readonly number[];
}

/** Texts of control tokens that end an answer, beside the file's own eos and eot ids (llama.cpp treats the same ones so). */
const END_TEXTS: readonly string[] = ['<|endoftext|>', '<|im_end|>', '<|end_of_text|>', '<|eot_id|>', '<|end|>', '</s>'];

/** A byte-level BPE vocabulary, wherever it is from. */
export interface Vocabulary {
  readonly tokens: readonly string[];
  /** One {@link TokenType} a token. */
  readonly types: readonly number[];
  /** "left right" */
  readonly merges: readonly string[];
  /** A name that {@link preTokenizerOf} knows. */
  readonly preTokenizer: string;
  /** Tokens that end an answer by the model's own word. */
  readonly endIds: readonly number[];
  readonly named: NamedTokens;
}

/** Throws a typed error that names the input's own field. */
export type RefuseField = (
  field: 'tokens' | 'token_type' | 'merges' | 'pre',
  at: number | undefined,
  expected: string,
  got: string | readonly (string | number)[],
) => never;

/** Reads a GGUF's byte-level BPE vocabulary, merges and token types. `vocabulary`: rows of the embedding. */
export function tokenizerFromGguf(gguf: Gguf, vocabulary: number, template: string): ImportedTokenizer {
  const metadata = new Metadata(gguf.metadata);
  const model = metadata.string('tokenizer.ggml.model');
  if (model !== 'gpt2') metadata.refuse('tokenizer.ggml.model', 'gpt2 (byte-level BPE)', model);
  const tokens = metadata.strings('tokenizer.ggml.tokens');
  const types = metadata.has('tokenizer.ggml.token_type')
    ? metadata.integers('tokenizer.ggml.token_type')
    : tokens.map(() => TokenType.normal);
  const endIds = ['tokenizer.ggml.eos_token_id', 'tokenizer.ggml.eot_token_id']
    .filter((key, i) => i === 0 || metadata.has(key))
    .map((key) => metadata.integer(key, 0, tokens.length - 1));
  return buildTokenizer(
    {
      tokens,
      types,
      merges: metadata.strings('tokenizer.ggml.merges'),
      preTokenizer: metadata.string('tokenizer.ggml.pre', 'gpt-2'),
      endIds,
      named: namedTokens(template, {
        bos_token: optionalId(metadata, 'tokenizer.ggml.bos_token_id', tokens.length),
        eos_token: endIds[0],
      }),
    },
    vocabulary,
    (field, at, expected, got) => metadata.refuse(`tokenizer.ggml.${field}${at === undefined ? '' : `[${at}]`}`, expected, got),
  );
}

const optionalId = (metadata: Metadata, key: string, count: number): number | undefined =>
  metadata.has(key) ? metadata.integer(key, 0, count - 1) : undefined;

/** Checks a vocabulary and writes it in our one spelling: equal vocabularies give equal bytes. */
export function buildTokenizer(source: Vocabulary, vocabulary: number, refuse: RefuseField): ImportedTokenizer {
  const { tokens, types } = source;
  const name = source.preTokenizer;
  const { patterns, ignoreMerges, composes } = preTokenizerOf(
    isPreTokenizerName(name) ? name : refuse('pre', undefined, preTokenizerNames.join(' or '), name),
  );
  if (tokens.length !== vocabulary) refuse('tokens', undefined, `${vocabulary} tokens, one a row of token_embd`, tokens);
  if (types.length !== tokens.length) refuse('token_type', undefined, `${tokens.length} types`, types);

  const vocab: Record<string, number> = Object.create(null) as Record<string, number>;
  for (const [id, token] of tokens.entries()) {
    if (token === '' || token in vocab) refuse('tokens', id, 'a text that no other token has', JSON.stringify(token));
    vocab[token] = id;
  }
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
    ...(Object.keys(source.named).length > 0 && { named_tokens: source.named }),
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

function addedTokens({ tokens, types, named }: Vocabulary): object[] {
  const namedIds = Object.values(named);
  return tokens.flatMap((content, id) => {
    const special = types[id] === TokenType.control || namedIds.includes(id);
    if (!special && types[id] !== TokenType.userDefined) return [];
    return [{ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special }];
  });
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

function stopIdsOf({ tokens, types, endIds }: Vocabulary): number[] {
  const ids = new Set<number>(endIds);
  for (const [id, token] of tokens.entries()) if (types[id] === TokenType.control && END_TEXTS.includes(token)) ids.add(id);
  return [...ids].sort((a, b) => a - b);
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
