import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { big, int32, runs } from '../testing/arbitraries.ts';
import { type CacheBig, attendBig, quantiseBig } from '../testing/restatements.ts';
import { Xorshift } from '../testing/xorshift.ts';
import { type AttentionScale, attend, scores } from './attention.ts';
import { type KeyValueHead, cacheEntry, newKeyValueHead, storeKeyValue } from './kv-cache.ts';

const MAX = 2 ** 31 - 1;
const CONSTANT = { mantissa: 47_274, exponent: -2 };

function fill(keys: readonly Int32Array[], values: readonly Int32Array[]): { head: KeyValueHead; restated: CacheBig } {
  const head = newKeyValueHead(keys.length, keys[0]!.length);
  for (const [j, key] of keys.entries()) storeKeyValue(head, j, key, values[j]!);
  const entry = (vector: Int32Array) => {
    const { q, scale } = quantiseBig(big(vector), 8n);
    return { q, s: scale.m << (scale.e + 7n) };
  };
  const [k, v] = [keys.map(entry), values.map(entry)];
  return { head, restated: { k: k.map((e) => e.q), kScale: k.map((e) => e.s), v: v.map((e) => e.q), vScale: v.map((e) => e.s) } };
}

function expectSame(q: Int32Array, keys: readonly Int32Array[], values: readonly Int32Array[], constant: AttentionScale = CONSTANT): void {
  const { head, restated } = fill(keys, values);
  expect(big(head.keyScales)).toEqual(restated.kScale);
  expect(big(head.values)).toEqual(restated.v.flat());
  const want = attendBig(big(q), restated, BigInt(constant.mantissa), BigInt(constant.exponent));
  expect(big(scores(q, head, keys.length, constant))).toEqual(want.scores);
  expect(big(attend(q, head, keys.length, constant))).toEqual(want.out);
}

describe('attention', () => {
  it('equals the restatement for vectors of every magnitude', () => {
    const vector = (size: number) => fc.array(int32, { minLength: size, maxLength: size }).map((v) => Int32Array.from(v));
    const input = fc
      .tuple(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 12 }))
      .chain(([half, positions]) =>
        fc.tuple(
          vector(2 * half),
          fc.array(vector(2 * half), { minLength: positions, maxLength: positions }),
          fc.array(vector(2 * half), { minLength: positions, maxLength: positions }),
          fc.record({ mantissa: fc.integer({ min: 1 << 15, max: (1 << 16) - 1 }), exponent: fc.integer({ min: -32, max: 8 }) }),
        ),
      );
    fc.assert(
      fc.property(input, ([q, keys, values, constant]) => expectSame(q, keys, values, constant)),
      { ...runs, numRuns: 1000 },
    );
  });

  it('equals the restatement for realistic vectors over more positions than a block', () => {
    const random = new Xorshift(9);
    const vector = (spread: number): Int32Array => Int32Array.from({ length: 16 }, () => random.integer(-spread, spread));
    const positions = 600;
    const keys = Array.from({ length: positions }, () => vector(300_000));
    const values = Array.from({ length: positions }, () => vector(200_000));
    expectSame(vector(500_000), keys, values);
  });

  it('stays inside its budget with everything at its bound', () => {
    const size = 256;
    const full = new Int32Array(size).fill(MAX);
    const minus = new Int32Array(size).fill(-MAX);
    expectSame(full, [full], [full], { mantissa: 65_535, exponent: 8 });
    expectSame(full, [full, minus, full], [full, minus, full], { mantissa: 65_535, exponent: 8 });
    expectSame(
      minus,
      Array.from({ length: 520 }, () => full),
      Array.from({ length: 520 }, () => minus),
      { mantissa: 65_535, exponent: 8 },
    );
    expect(8191 * 127 * 256).toBeLessThan(2 ** 28);
    expect(32_767 * 127 * 512).toBeLessThan(2 ** 31);
  });

  it('a scale of the cache is an unsigned 32-bit integer for every vector', () => {
    expect(cacheEntry(new Int32Array(4).fill(MAX)).scale).toBe(66_053 * 2 ** 15);
    expect(cacheEntry(new Int32Array(4)).scale).toBe(0);
    expect(cacheEntry(Int32Array.of(1, 0)).scale).toBeGreaterThan(0);
    fc.assert(
      fc.property(int32, (x) => {
        const { scale } = cacheEntry(Int32Array.of(x, -1));
        expect(Number.isInteger(scale) && scale < 2 ** 32).toBe(true);
      }),
      runs,
    );
  });

  it('one position attends to itself: the value comes back to within its own quantisation', () => {
    const value = Int32Array.of(65_536, -32_768, 131_072, 7);
    const { head } = fill([Int32Array.of(1, 2, 3, 4)], [value]);
    const out = attend(Int32Array.of(5, 6, 7, 8), head, 1, CONSTANT);
    for (const [i, x] of value.entries()) expect(Math.abs(out[i]! / 256 - x)).toBeLessThan(131_072 / 127);
  });
});
