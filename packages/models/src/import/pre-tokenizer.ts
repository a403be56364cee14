import { characterClass } from '../tokenizer/character-class.ts';

/** How a text is cut before byte-pair encoding (llama.cpp, src/llama-vocab.cpp; the models' own tokenizer.json). */
export interface PreTokenizer {
  readonly patterns: readonly string[];
  /** A piece that is a token as a whole is not put together from merges. */
  readonly ignoreMerges: boolean;
  /** Whether texts are put into normalisation form C first. */
  readonly composes: boolean;
}

/** By `tokenizer.ggml.pre`. */
export const preTokenizerNames = ['smollm', 'gpt-2', 'llama-bpe', 'qwen2'] as const;
export type PreTokenizerName = (typeof preTokenizerNames)[number];

export const isPreTokenizerName = (name: string): name is PreTokenizerName => (preTokenizerNames as readonly string[]).includes(name);

export function preTokenizerOf(name: PreTokenizerName): PreTokenizer {
  const letter = characterClass('letter');
  const number = characterClass('number');
  const space = characterClass('space');
  const gpt2 = `'s|'t|'re|'ve|'m|'ll|'d| ?[${letter}]+| ?[${number}]+| ?[^${space}${letter}${number}]+|[${space}]+(?![^${space}])|[${space}]+`;
  /** OpenAI's cl100k, with numbers of at most `digits` digits. */
  const cl100k = (digits: string): string =>
    `'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD]|[^\\r\\n${letter}${number}]?[${letter}]+|[${number}]${digits}` +
    `| ?[^${space}${letter}${number}]+[\\r\\n]*|[${space}]*[\\r\\n]+|[${space}]+(?![^${space}])|[${space}]+`;
  switch (name) {
    case 'smollm':
      return { patterns: [`[${number}]`, gpt2], ignoreMerges: false, composes: false };
    case 'gpt-2':
      return { patterns: [gpt2], ignoreMerges: false, composes: false };
    case 'llama-bpe':
      return { patterns: [cl100k('{1,3}')], ignoreMerges: true, composes: false };
    case 'qwen2':
      // Qwen's own tokenizer composes; llama.cpp does not, and gives other ids for texts that are not composed.
      return { patterns: [cl100k('')], ignoreMerges: false, composes: true };
  }
}
