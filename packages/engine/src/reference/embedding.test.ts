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
      fc.integer({ min: 0, max: 1 << 22 }),
      fc.integer({ min: -64, max: 64 }),
      (w, rm, exponent) => {
        expect(BigInt(embed(Int8Array.of(w), rm, exponent)[0]!)).toBe(embedBig(BigInt(w), BigInt(rm), BigInt(exponent)));
      },
    ),
    { ...runs, numRuns: 1500 },
  );
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
