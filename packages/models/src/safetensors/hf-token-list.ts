import { namedTokens } from '../import/named-tokens.ts';
import { type TokenList, TokenType } from '../import/token-list.ts';
import type { Json } from './bounded-json.ts';
import { JsonFields } from './fields.ts';

/** The three files of a folder that tokens are described in. */
export interface TokenFiles {
  readonly tokenizer: JsonFields;
  readonly config: JsonFields;
  readonly tokenizerConfig: JsonFields;
  /** The chat template's source. */
  readonly template: string;
}

/** Tokens of tokenizer.json, with what the other files say about them. */
export function tokenListOf(
  { tokenizer, config, tokenizerConfig, template }: TokenFiles,
  model: JsonFields,
  vocabulary: number,
): TokenList {
  const { tokens, types } = tokensOf(tokenizer, model, vocabulary);
  return {
    tokens,
    types,
    endIds: endIdsOf(config, tokenizerConfig, tokens),
    named: namedTokens(template, {
      bos_token: namedId(tokenizerConfig, 'bos_token', tokens),
      eos_token: namedId(tokenizerConfig, 'eos_token', tokens),
    }),
  };
}

/** Texts and types by id. Ids that the file leaves out are filled as GGUF files are. */
function tokensOf(tokenizer: JsonFields, model: JsonFields, vocabulary: number): { readonly tokens: string[]; readonly types: number[] } {
  const tokens: (string | undefined)[] = Array.from({ length: vocabulary });
  const types = tokens.map(() => TokenType.unused as number);
  const put = (where: string, text: Json | undefined, id: Json | undefined): number => {
    const valid = typeof id === 'number' && Number.isSafeInteger(id) && id >= 0 && id < vocabulary;
    if (!valid) return tokenizer.refuse(where, `an id from 0 to ${vocabulary - 1}, for there are ${vocabulary} rows`, id);
    if (typeof text !== 'string' || (tokens[id] !== undefined && tokens[id] !== text))
      tokenizer.refuse(where, `one text for id ${id}`, text);
    tokens[id] = text as string;
    return id;
  };
  for (const [text, id] of (model.object('vocab') ?? model.refuse('vocab', 'an object', undefined)).entries()) {
    types[put('model vocab', text, id)] = TokenType.normal;
  }
  for (const [i, entry] of tokenizer.array('added_tokens').entries()) {
    const where = `added_tokens[${i}]`;
    const token = new JsonFields(entry, `tokenizer.json ${where}`);
    for (const key of ['single_word', 'lstrip', 'rstrip']) token.only(key, false);
    const id = put(where, token.string('content'), token.raw('id'));
    // What looks like a control token is one, as in llama.cpp's converter: no user may write it.
    const isControl = token.boolean('special', false) || /^<\|.*\|>$/s.test(tokens[id]!);
    types[id] = isControl ? TokenType.control : TokenType.userDefined;
  }
  return { tokens: tokens.map((token, id) => token ?? `[PAD${id}]`), types };
}

/** Merges are "left right" or, in newer files, [left, right]. */
export function mergesOf(model: JsonFields): string[] {
  return model.array('merges').map((merge, i) => {
    if (typeof merge === 'string') return merge;
    const isPair = Array.isArray(merge) && merge.length === 2 && merge.every((part) => typeof part === 'string');
    return isPair ? merge.join(' ') : model.refuse(`merges[${i}]`, 'two texts', merge);
  });
}

/** eos_token_id of config.json (one or several) and eos_token of tokenizer_config.json. */
function endIdsOf(config: JsonFields, tokenizerConfig: JsonFields, tokens: readonly string[]): number[] {
  const raw = config.raw('eos_token_id') ?? [];
  const ids = [...(Array.isArray(raw) ? (raw as readonly Json[]) : [raw])];
  const named = namedId(tokenizerConfig, 'eos_token', tokens);
  if (named !== undefined) ids.push(named);
  if (ids.length === 0) config.refuse('eos_token_id', 'the id of the token that ends an answer', undefined);
  for (const id of ids) {
    const valid = typeof id === 'number' && Number.isSafeInteger(id) && id >= 0 && id < tokens.length;
    if (!valid) config.refuse('eos_token_id', `ids from 0 to ${tokens.length - 1}`, id);
  }
  return ids as number[];
}

/** The id of a token that tokenizer_config.json names by its text. */
function namedId(tokenizerConfig: JsonFields, key: string, tokens: readonly string[]): number | undefined {
  const named = tokenizerConfig.raw(key);
  if (named === undefined) return undefined;
  const text = named instanceof Map ? tokenizerConfig.object(key)!.string('content') : tokenizerConfig.string(key);
  const id = tokens.indexOf(text);
  return id === -1 ? tokenizerConfig.refuse(key, 'a token of the vocabulary', text) : id;
}
