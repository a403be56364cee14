import { characterClass } from '../tokenizer/character-class.ts';

/** Patterns that cut a text before byte-pair encoding, by `tokenizer.ggml.pre` (llama.cpp, src/llama-vocab.cpp). */
export function preTokenizerPatterns(name: string): readonly string[] | undefined {
  const letter = characterClass('letter');
  const number = characterClass('number');
  const space = characterClass('space');
  const gpt2 = `'s|'t|'re|'ve|'m|'ll|'d| ?[${letter}]+| ?[${number}]+| ?[^${space}${letter}${number}]+|[${space}]+(?![^${space}])|[${space}]+`;
  switch (name) {
    case 'smollm':
      return [`[${number}]`, gpt2];
    case 'gpt-2':
      return [gpt2];
    default:
      return undefined;
  }
}
