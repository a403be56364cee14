import { utf8 } from '@commonweight/protocol';
import { buildTokenizer, type ImportedTokenizer, TokenType } from '../import/tokenizer-json.ts';
import { limits } from '../limits.ts';
import { namedTokens } from '../import/named-tokens.ts';
import { type PreTokenizerName, preTokenizerOf } from '../import/pre-tokenizer.ts';
import type { Json } from './bounded-json.ts';
import { JsonFields } from './fields.ts';

/**
 * Our tokenizer.json from Hugging Face's: byte-level BPE with a pre-tokenizer that we know. Its regular expressions and Unicode classes are
 * replaced by our pinned ones, so the result equals that of the same model's GGUF file. Everything else is refused by name.
 */
export function tokenizerFromHuggingFace(
  tokenizer: JsonFields,
  config: JsonFields,
  tokenizerConfig: JsonFields,
  vocabulary: number,
  template: string,
): ImportedTokenizer {
  const model = tokenizer.object('model') ?? tokenizer.refuse('model', 'an object', undefined);
  if (model.raw('type') !== 'BPE') model.refuse('type', 'BPE (byte-level)', model.raw('type'));
  for (const key of ['byte_fallback', 'fuse_unk']) model.only(key, false);
  for (const key of ['continuing_subword_prefix', 'end_of_word_suffix']) model.only(key, '');
  model.only('dropout', 0);
  const preTokenizer = preTokenizerNameOf(tokenizer);
  const { ignoreMerges, composes } = preTokenizerOf(preTokenizer);
  model.only('ignore_merges', ignoreMerges);
  if (composes) tokenizer.object('normalizer')?.only('type', 'NFC');
  else tokenizer.only('normalizer');
  const decoder = tokenizer.object('decoder')?.raw('type');
  if (decoder !== 'ByteLevel') tokenizer.refuse('decoder type', 'ByteLevel', decoder);
  tokenizerConfig.only('add_prefix_space', false);

  const { tokens, types } = tokensOf(tokenizer, model, vocabulary);
  return buildTokenizer(
    {
      tokens,
      types,
      merges: mergesOf(model),
      preTokenizer,
      endIds: endIdsOf(config, tokenizerConfig, tokens),
      named: namedTokens(template, {
        bos_token: namedId(tokenizerConfig, 'bos_token', tokens),
        eos_token: namedId(tokenizerConfig, 'eos_token', tokens),
      }),
    },
    vocabulary,
    (field, at, expected, got) => tokenizer.refuse(`${field}${at === undefined ? '' : `[${at}]`}`, expected, got),
  );
}

/** Splits as the models' files write them, by our name (Llama 3's and Qwen 2's tokenizer.json). */
const splits: ReadonlyMap<string, PreTokenizerName> = new Map([
  [split('\\p{N}{1,3}'), 'llama-bpe'],
  [split('\\p{N}'), 'qwen2'],
]);

function split(digits: string): string {
  const words = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+";
  return `${words}|${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`;
}

/** Our name for the pre-tokenizer: GPT-2's split, alone or after a split into single digits, or a split that we know by its expression. */
function preTokenizerNameOf(tokenizer: JsonFields): PreTokenizerName {
  const outer = tokenizer.object('pre_tokenizer') ?? tokenizer.refuse('pre_tokenizer', 'Digits and ByteLevel, or ByteLevel', undefined);
  const steps =
    outer.raw('type') === 'Sequence'
      ? outer.array('pretokenizers').map((step, i) => new JsonFields(step, `tokenizer.json pretokenizers[${i}]`))
      : [outer];
  const types = steps.map((step) => step.string('type')).join(', ');
  if (types === 'Split, ByteLevel') return splitName(steps[0]!, steps[1]!);
  const [digits, bytes] = types === 'Digits, ByteLevel' ? steps : [undefined, steps[0]];
  if (types !== 'ByteLevel' && !digits)
    tokenizer.refuse('pre_tokenizer', 'Digits and ByteLevel, Split and ByteLevel, or ByteLevel alone', types);
  if (digits && !digits.boolean('individual_digits', false)) digits.refuse('individual_digits', 'true', false);
  if (bytes!.boolean('add_prefix_space', true)) bytes!.refuse('add_prefix_space', 'false', true);
  if (!bytes!.boolean('use_regex', true)) bytes!.refuse('use_regex', 'true', false);
  return digits ? 'smollm' : 'gpt-2';
}

function splitName(step: JsonFields, bytes: JsonFields): PreTokenizerName {
  step.only('behavior', 'Isolated');
  step.only('invert', false);
  const expression = step.object('pattern')?.raw('Regex');
  const name = typeof expression === 'string' ? splits.get(expression) : undefined;
  if (!name) return step.refuse('pattern', "Llama 3's or Qwen 2's", expression);
  bytes.only('add_prefix_space', false);
  if (bytes.boolean('use_regex', true)) bytes.refuse('use_regex', 'false', true);
  return name;
}

/** The id of a token that tokenizer_config.json names by its text. */
function namedId(tokenizerConfig: JsonFields, key: string, tokens: readonly string[]): number | undefined {
  const named = tokenizerConfig.raw(key);
  if (named === undefined) return undefined;
  const text = named instanceof Map ? tokenizerConfig.object(key)!.string('content') : tokenizerConfig.string(key);
  const id = tokens.indexOf(text);
  return id === -1 ? tokenizerConfig.refuse(key, 'a token of the vocabulary', text) : id;
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
function mergesOf(model: JsonFields): string[] {
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

/** The template of tokenizer_config.json: a text, or the one named "default" in a list of them. */
export function chatTemplateFromConfig(tokenizerConfig: JsonFields): Uint8Array {
  let template = tokenizerConfig.raw('chat_template');
  if (Array.isArray(template)) {
    const named = (template as readonly Json[]).map((item, i) => new JsonFields(item, `tokenizer_config.json chat_template[${i}]`));
    template = named.find((item) => item.raw('name') === 'default')?.raw('template');
  }
  if (typeof template !== 'string')
    return tokenizerConfig.refuse('chat_template', 'a template, or a list with one named default', template);
  const bytes = utf8(template);
  if (bytes.length > limits.chatTemplateBytes) {
    tokenizerConfig.refuse('chat_template', `at most ${limits.chatTemplateBytes} bytes`, `${bytes.length} bytes`);
  }
  return bytes;
}
