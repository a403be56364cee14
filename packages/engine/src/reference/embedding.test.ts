import fc from 'fast-check';
import { expect, it } from 'vitest';
import { int32, runs } from '../testing/arbitraries.ts';
import { embedBig, satBig } from '../testing/restatements.ts';
import { embed } from './embedding.ts';
import { addSaturating } from './add-saturating.ts';

it('embed equals the restatement for every exponent', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: -127, max: 127 }),
      fc.integer({ min: 0, max: 15 }),
      fc.integer({ min: 0, max: 1 << 22 }),
      fc.integer({ min: -64, max: 64 }),
      (w, c, rm, exponent) => {
        const want = embedBig(BigInt(w), BigInt(c), BigInt(rm), BigInt(exponent));
        expect(BigInt(embed(Int8Array.of(w), Uint8Array.of(c), rm, exponent)[0]!)).toBe(want);
      },
    ),
    { ...runs, numRuns: 1500 },
  );
});

it('embed multiplies 64 columns with one block multiplier', () => {
  const x = embed(new Int8Array(130).fill(100), Uint8Array.of(1, 15, 7), 1 << 20, 24);
  expect([x[0], x[63], x[64], x[127], x[128], x[129]]).toEqual([1, 1, 15, 15, 7, 7].map((c) => (c * 100 * 2 ** 20) / 2 ** 16));
});

it('the residual add saturates at both ends', () => {
  fc.assert(
    fc.property(int32, int32, (a, b) => {
      const x = Int32Array.of(a);
      addSaturating(x, Int32Array.of(b));
      expect(BigInt(x[0]!)).toBe(satBig(BigInt(a) + BigInt(b)));
    }),
    runs,
  );
  const ends = Int32Array.of(2 ** 31 - 1, -(2 ** 31 - 1));
  addSaturating(ends, Int32Array.of(1, -1));
  expect([...ends]).toEqual([2 ** 31 - 1, -(2 ** 31 - 1)]);
});
