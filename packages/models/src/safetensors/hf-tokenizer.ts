import { utf8 } from '@commonweight/protocol';
import { type PreTokenizerName, preTokenizerOf } from '../import/pre-tokenizer.ts';
import { buildSentencePiece } from '../import/sentencepiece-json.ts';
import type { RefuseField } from '../import/token-list.ts';
import { buildTokenizer, type ImportedTokenizer } from '../import/tokenizer-json.ts';
import { limits } from '../limits.ts';
import type { Json } from './bounded-json.ts';
import { JsonFields } from './fields.ts';
import { piecesOf } from './hf-sentencepiece.ts';
import { mergesOf, tokenListOf, type TokenFiles } from './hf-token-list.ts';

/**
 * Our tokenizer.json from Hugging Face's: byte-level BPE with a pre-tokenizer that we know, or SentencePiece (BPE with byte fallback). Its regular expressions and Unicode classes are
 * replaced by our pinned ones, so the result equals that of the same model's GGUF file. Everything else is refused by name.
 */
export function tokenizerFromHuggingFace(files: TokenFiles, vocabulary: number): ImportedTokenizer {
  const { tokenizer, tokenizerConfig } = files;
  const model = tokenizer.object('model') ?? tokenizer.refuse('model', 'an object', undefined);
  if (model.raw('type') !== 'BPE') model.refuse('type', 'BPE', model.raw('type'));
  for (const key of ['continuing_subword_prefix', 'end_of_word_suffix']) model.only(key, '');
  model.only('dropout', 0);
  const refuse: RefuseField = (field, at, expected, got) => tokenizer.refuse(`${field}${at === undefined ? '' : `[${at}]`}`, expected, got);
  if (model.boolean('byte_fallback', false)) {
    return buildSentencePiece({ ...tokenListOf(files, model, vocabulary), ...piecesOf(tokenizer, model) }, vocabulary, refuse);
  }
  model.only('fuse_unk', false);
  const preTokenizer = preTokenizerNameOf(tokenizer);
  const { ignoreMerges, composes } = preTokenizerOf(preTokenizer);
  model.only('ignore_merges', ignoreMerges);
  if (composes) tokenizer.object('normalizer')?.only('type', 'NFC');
  else tokenizer.only('normalizer');
  const decoder = tokenizer.object('decoder')?.raw('type');
  if (decoder !== 'ByteLevel') tokenizer.refuse('decoder type', 'ByteLevel', decoder);
  tokenizerConfig.only('add_prefix_space', false);
  return buildTokenizer({ ...tokenListOf(files, model, vocabulary), merges: mergesOf(model), preTokenizer }, vocabulary, refuse);
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
