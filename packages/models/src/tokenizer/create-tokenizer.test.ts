import { describe, expect, it } from 'vitest';
import { memorySource } from '../gguf/byte-source.ts';
import { prepareImport } from '../import/prepare.ts';
import { tinyModel } from '../testing/tiny-model.ts';
import { createTokenizer } from './create-tokenizer.ts';

const json = new TextDecoder().decode(prepareImport(memorySource(tinyModel({ layers: 1 }))).tokenizerJson);
const tokenizer = createTokenizer(json);
const plain = (text: string): number[] => tokenizer.encode(text, { allowSpecial: false });

it('merges, and falls back to bytes', () => {
  expect(plain('hello world').map((id) => tokenizer.decode([id]))).toEqual(['hello', ' world']);
  expect(plain('hé')).toHaveLength(3);
  expect(plain('')).toEqual([]);
});

it('control tokens are text unless they are allowed', () => {
  expect(tokenizer.encode('<|im_start|>user<|im_end|>', { allowSpecial: true })).toEqual([1, ...plain('user'), 2]);
  const ids = plain('<|im_start|>user<|im_end|>');
  expect(ids.every((id) => id > 2)).toBe(true);
  expect(tokenizer.decode(ids)).toBe('<|im_start|>user<|im_end|>');
});

it('control tokens decode to nothing, or to their text', () => {
  expect(tokenizer.decode([1, ...plain('hello'), 2])).toBe('hello');
  expect(tokenizer.decode([1, ...plain('hello'), 2], { special: true })).toBe('<|im_start|>hello<|im_end|>');
});

it('an id that is not in the vocabulary is refused', () => {
  for (const id of [-1, tokenizer.vocabulary, 1.5, Number.NaN]) {
    expect(() => tokenizer.decode([id])).toThrow(expect.objectContaining({ code: 'token_id' }));
  }
});

it('every byte has a token and comes back', () => {
  for (let byte = 0; byte < 256; byte++) {
    const id = byte + 3;
    expect([...tokenizer.idToBytes(id)]).toHaveLength(1);
  }
  expect(new Set(Array.from({ length: 256 }, (_, i) => tokenizer.idToBytes(i + 3)[0])).size).toBe(256);
});

describe('stream', () => {
  const idOfByte = new Map(Array.from({ length: 256 }, (_, i) => [tokenizer.idToBytes(i + 3)[0]!, i + 3]));
  const idsOf = (bytes: Iterable<number>): number[] => Array.from(bytes, (byte) => idOfByte.get(byte)!);
  const streamed = (ids: readonly number[]): string[] => {
    const stream = tokenizer.stream();
    return [...ids.map((id) => stream.push(id)), stream.end()];
  };

  it('holds a character back until it is complete', () => {
    expect(streamed(idsOf(new TextEncoder().encode('é😀')))).toEqual(['', 'é', '', '', '', '😀', '']);
  });

  it('gives U+FFFD for a character that is never completed', () => {
    expect(streamed(idsOf([0x61, 0xf0, 0x9f, 0x98])).join('')).toBe('a\ufffd');
    expect(streamed(idsOf([0xe2, 0x82, 0x61])).join('')).toBe('\ufffda');
  });

  it('a byte order mark is a character like any other', () => {
    expect(streamed(idsOf([0xef, 0xbb, 0xbf, 0x61])).join('')).toBe('\ufeffa');
  });

  it('equals decoding everything at once, for any bytes', () => {
    let state = 12_345;
    const next = (): number => (state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0) >>> 16;
    const pieces = [
      [0xf0, 0x9f, 0x98, 0x80],
      [0xe2, 0x82, 0xac],
      [0xc3, 0xa9],
      [0x61],
      [0xed, 0xa0, 0x80],
      [0xf4, 0x90, 0x80, 0x80],
      [0xc0, 0x80],
      [0xff],
      [0x80],
    ];
    for (let round = 0; round < 2_000; round++) {
      const bytes: number[] = [];
      for (let i = 0; i < 6; i++) {
        const piece = pieces[next() % pieces.length]!;
        bytes.push(...piece.slice(0, 1 + (next() % piece.length)));
      }
      const ids = idsOf(bytes);
      const parts = streamed(ids);
      const whole = new TextDecoder('utf-8', { ignoreBOM: true }).decode(Uint8Array.from(bytes));
      expect(parts.join('')).toBe(whole);
      expect(tokenizer.decode(ids)).toBe(whole);
      for (const part of parts) expect(part.isWellFormed?.() ?? true).toBe(true);
    }
  });
});

it('a long text costs time in proportion to its length', () => {
  const time = (text: string): number => {
    const start = process.cpuUsage();
    plain(text);
    const { user, system } = process.cpuUsage(start);
    return (user + system) / 1_000;
  };
  for (const unit of ['h', ' ', 'hello ', '\n ', '1']) {
    plain(unit.repeat(2_000));
    const short = time(unit.repeat(4_000));
    const long = time(unit.repeat(40_000));
    expect(long).toBeLessThan(60 * short + 200);
  }
});

it('refuses a file that another program wrote', () => {
  for (const bad of [
    '',
    '{}',
    json.replace('"type":"BPE"', '"type":"Unigram"'),
    json.replace('"normalizer":null', '"normalizer":{"type":"NFKC"}'),
  ]) {
    expect(() => createTokenizer(bad)).toThrow(expect.objectContaining({ code: 'tokenizer' }));
  }
});
