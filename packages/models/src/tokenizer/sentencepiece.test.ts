import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { corpus } from '../../scripts/tokenizer-corpus.ts';
import { buildSentencePiece, orderByScore } from '../import/sentencepiece-json.ts';
import { TokenType } from '../import/token-list.ts';
import { createTokenizer, type Tokenizer } from './create-tokenizer.ts';

interface File {
  readonly tokens: readonly string[];
  readonly scores: readonly number[];
  readonly kinds: readonly ('normal' | 'unknown' | 'control' | 'byte')[];
  readonly ids: readonly (readonly number[])[];
}
const read = <T>(name: string): T =>
  JSON.parse(readFileSync(new URL(`../../../../conformance/tokenizer/${name}.json`, import.meta.url), 'utf8')) as T;
const file = read<File>('sentencepiece-vocabulary');
const llamaIds = read<{ ids: readonly (readonly number[])[] }>('sentencepiece').ids;

const list = { tokens: file.tokens, types: file.kinds.map((kind) => TokenType[kind]), endIds: [2], named: {} };
const refuse = (field: string, at: number | undefined, expected: string): never => {
  throw new Error(`${field}[${at}]: expected ${expected}`);
};
const order = orderByScore(list, file.scores, refuse);
function tokenizerOf(change: Partial<Parameters<typeof buildSentencePiece>[0]> = {}): Tokenizer {
  const { json } = buildSentencePiece({ ...list, order, spacePrefix: true, ...change }, file.tokens.length, refuse);
  return createTokenizer(new TextDecoder().decode(json));
}
const tokenizer = tokenizerOf();
const plain = (text: string): number[] => tokenizer.encode(text, { allowSpecial: false });

describe('SentencePiece', () => {
  it("gives sentencepiece's and llama.cpp's ids, and decodes to the text after a space", () => {
    expect([file.ids.length, llamaIds.length]).toEqual([corpus.length, corpus.length]);
    for (const [i, text] of corpus.entries()) {
      const ids = plain(text);
      expect({ text, ids }).toEqual({ text, ids: file.ids[i] });
      expect(ids).toEqual(llamaIds[i]);
      if (!text.includes('\u2581')) expect(tokenizer.decode(ids)).toBe(text === '' ? '' : ` ${text}`);
      const stream = tokenizer.stream();
      expect(ids.map((id) => stream.push(id)).join('') + stream.end()).toBe(tokenizer.decode(ids));
    }
  });

  it('becomes bytes where there is no piece, and bytes become text', () => {
    const ids = plain('\u{1F9FF}').slice(1);
    expect(ids.map((id) => file.tokens[id])).toEqual(['<0xF0>', '<0x9F>', '<0xA7>', '<0xBF>']);
    expect(tokenizer.decode(ids)).toBe('\u{1F9FF}');
    for (let byte = 0; byte < 256; byte++) expect([...tokenizer.idToBytes(byte + 3)]).toEqual([byte]);
  });

  it('control tokens are text unless they are allowed, and no text becomes a byte token', () => {
    expect(tokenizer.encode('</s>', { allowSpecial: true })).toEqual([2]);
    const ids = plain('<s></s><unk><0x0A>');
    expect(ids.every((id) => file.kinds[id] === 'normal' || file.kinds[id] === 'byte')).toBe(true);
    expect(tokenizer.decode(ids)).toBe(' <s></s><unk><0x0A>');
    expect(tokenizer.decode([1, 0, 2])).toBe('');
  });

  it('puts a space before every piece of text, or none', () => {
    const hello = plain('hello');
    expect(tokenizer.encode('<s>hello</s>hello', { allowSpecial: true })).toEqual([1, ...hello, 2, ...hello]);
    const without = tokenizerOf({ spacePrefix: false });
    expect(without.decode(without.encode('hello', { allowSpecial: false }))).toBe('hello');
    expect(without.encode(' hello', { allowSpecial: false })).toEqual(hello);
  });

  it('refuses pieces of one score, a vocabulary without bytes and an order that is none', () => {
    const [a, b] = [order[5]!, order[9]!];
    const tied = file.scores.with(b, file.scores[a]!);
    expect(() => orderByScore(list, tied, refuse)).toThrow('a score that no other piece has');
    const tokens = file.tokens.with(3, 'no byte');
    expect(() => tokenizerOf({ tokens })).toThrow('<0x00>');
    for (const wrong of [
      [...order, order[0]!],
      [...order, file.tokens.length],
      [1, ...order],
    ])
      expect(() => tokenizerOf({ order: wrong })).toThrow(expect.objectContaining({ code: 'tokenizer' }));
  });

  it('a long text costs time in proportion to its length', () => {
    const time = (text: string): number => {
      const start = process.cpuUsage();
      plain(text);
      const { user, system } = process.cpuUsage(start);
      return (user + system) / 1_000;
    };
    for (const unit of ['x', ' ', 'hello ', '\u4e2d']) {
      plain(unit.repeat(2_000));
      expect(time(unit.repeat(40_000))).toBeLessThan(60 * time(unit.repeat(4_000)) + 200);
    }
  });
});
