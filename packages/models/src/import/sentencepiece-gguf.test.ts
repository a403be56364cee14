import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { GgufValue } from '../gguf/parse-value.ts';
import { limits } from '../limits.ts';
import { buildSentencePiece, orderByScore } from './sentencepiece-json.ts';
import { TokenType } from './token-list.ts';
import { tokenizerFromGguf } from './tokenizer-json.ts';

const path = new URL('../../../../conformance/tokenizer/sentencepiece-vocabulary.json', import.meta.url);
const { tokens, scores, kinds } = JSON.parse(readFileSync(path, 'utf8')) as {
  readonly tokens: readonly string[];
  readonly scores: readonly number[];
  readonly kinds: readonly ('normal' | 'unknown' | 'control' | 'byte')[];
};
const types = kinds.map((kind) => TokenType[kind]);
const refuse = (field: string): never => expect.fail(field);

const convert = (change: Readonly<Record<string, GgufValue>> = {}, template = '{{ eos_token }}') => {
  const values = { model: 'llama', tokens, scores, token_type: types, bos_token_id: 1, eos_token_id: 2, add_bos_token: true, ...change };
  const metadata = new Map<string, GgufValue>(Object.entries(values).map(([key, value]) => [`tokenizer.ggml.${key}`, value]));
  return tokenizerFromGguf({ version: 3, metadata, tensors: new Map() }, tokens.length, template);
};

it('reads pieces, their order, the space before a text and the tokens that the template names', () => {
  const list = { tokens, types, endIds: [2], named: { eos_token: 2 } };
  const order = orderByScore(list, scores, refuse);
  expect(convert()).toEqual(buildSentencePiece({ ...list, order, spacePrefix: true }, tokens.length, refuse));
  expect(convert().stopIds).toEqual([2]);
  expect(convert({ add_space_prefix: false }, '')).toEqual(
    buildSentencePiece({ ...list, named: {}, order, spacePrefix: false }, tokens.length, refuse),
  );
});

it.each<[string, Readonly<Record<string, GgufValue>>]>([
  ['model', { model: 't5' }],
  ['scores', { scores: scores.slice(1) }],
  ['scores', { scores: scores.map(() => 0) }],
  ['remove_extra_whitespaces', { remove_extra_whitespaces: true }],
  ['precompiled_charsmap', { precompiled_charsmap: [1, 2] }],
  ['token_type', { token_type: types.slice(1) }],
  ['bos_token_id', { bos_token_id: tokens.length }],
])('refuses another %s by name', (key, change) => {
  expect(() => convert(change)).toThrow(expect.objectContaining({ field: expect.stringContaining(`tokenizer.ggml.${key}`) }));
});

it('refuses a piece that is too long before it looks for its parts', () => {
  const withPiece = (length: number) => {
    const list = tokens.slice();
    list[list.length - 1] = 'x'.repeat(length);
    return () => convert({ tokens: list });
  };
  expect(withPiece(limits.pieceCharacters)).not.toThrow();
  expect(withPiece(1 << 20)).toThrow(/tokens.*expected at most 256 characters, got 1048576 characters/);
});
