import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { corpus } from '../../scripts/tokenizer-corpus.ts';
import { preTokenizerNames } from '../import/pre-tokenizer.ts';
import { TokenType } from '../import/token-list.ts';
import { buildTokenizer } from '../import/tokenizer-json.ts';
import { createTokenizer, type Tokenizer } from './create-tokenizer.ts';

const read = <T>(name: string): T =>
  JSON.parse(readFileSync(new URL(`../../../../conformance/tokenizer/${name}.json`, import.meta.url), 'utf8')) as T;
const { ids } = read<{ ids: Readonly<Record<string, readonly (readonly number[])[]>> }>('pre-tokenizers');
/** Its merges cross words, digits, spaces and lines: every cut shows. */
const vocabulary = read<{ tokens: readonly string[]; merges: readonly string[] }>('bpe-vocabulary');

function tokenizerWith(preTokenizer: string): Tokenizer {
  const { tokens, merges } = vocabulary;
  const source = { tokens, types: tokens.map(() => TokenType.normal), merges, preTokenizer, endIds: [0], named: {} };
  const { json } = buildTokenizer(source, tokens.length, (field) => expect.fail(field));
  return createTokenizer(new TextDecoder().decode(json));
}
const plain = (tokenizer: Tokenizer, text: string): number[] => tokenizer.encode(text, { allowSpecial: false });

describe('pre-tokenizers', () => {
  it("have llama.cpp's ids, other ones each", () => {
    expect(Object.keys(ids)).toEqual(preTokenizerNames);
    expect(new Set(Object.values(ids).map((list) => JSON.stringify(list))).size).toBe(preTokenizerNames.length);
  });

  it.each(preTokenizerNames)("%s gives llama.cpp's ids", (name) => {
    const tokenizer = tokenizerWith(name);
    expect(ids[name]).toHaveLength(corpus.length);
    for (const [i, text] of corpus.entries()) {
      expect({ text, ids: plain(tokenizer, text) }).toEqual({ text, ids: ids[name]![i] });
      expect(tokenizer.decode(ids[name]![i]!)).toBe(name === 'qwen2' ? text.normalize('NFC') : text);
    }
  });

  it('qwen2 composes: a letter and its accent are the letter with the accent', () => {
    const tokenizer = tokenizerWith('qwen2');
    expect(plain(tokenizer, 'cafe\u0301')).toEqual(plain(tokenizer, 'caf\u00e9'));
    expect(plain(tokenizerWith('llama-bpe'), 'cafe\u0301')).not.toEqual(plain(tokenizerWith('llama-bpe'), 'caf\u00e9'));
  });
});
