import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { big, runs, signed } from '../testing/arbitraries.ts';
import { quantiseBig } from '../testing/restatements.ts';
import { quantise, quantiseWide } from './quantise.ts';

const widths = fc.constantFrom(8, 10, 14, 16);

describe('quantise', () => {
  it('equals the restatement and never exceeds 2^(b-1) - 1', () => {
    fc.assert(
      fc.property(fc.array(signed(2 ** 52), { minLength: 1, maxLength: 40 }), widths, (values, b) => {
        const { q, scale } = quantise(values, b);
        const want = quantiseBig(big(values), BigInt(b));
        expect(big(q)).toEqual(want.q);
        expect([BigInt(scale.mantissa), BigInt(scale.exponent)]).toEqual([want.scale.m, want.scale.e]);
        for (const x of q) expect(Math.abs(x)).toBeLessThanOrEqual(2 ** (b - 1) - 1);
        expect(scale.mantissa).toBeLessThanOrEqual(66_053);
      }),
      { ...runs, numRuns: 1500 },
    );
  });

  it('does the same on 62-bit values', () => {
    const limit = 2n ** 62n - 1n;
    const value = fc.tuple(fc.integer({ min: 0, max: 61 }), fc.bigInt(-limit, limit)).map(([shift, v]) => v / (1n << BigInt(shift)));
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 40 }), widths, (values, b) => {
        const { q, scale } = quantiseWide(BigInt64Array.from(values), b);
        const want = quantiseBig(values, BigInt(b));
        expect(big(q)).toEqual(want.q);
        expect([BigInt(scale.mantissa), BigInt(scale.exponent)]).toEqual([want.scale.m, want.scale.e]);
      }),
      { ...runs, numRuns: 1500 },
    );
    const ends = quantiseWide(BigInt64Array.of(limit, -limit), 16);
    expect(Math.abs(ends.q[0]!)).toBeLessThanOrEqual(32_767);
  });

  it('reaches the largest value at every power of two and its neighbours, for both signs, without exceeding it', () => {
    for (const b of [8, 14, 16]) {
      const p = 2 ** (b - 1);
      for (let shift = 1; shift <= 52; shift++) {
        for (const near of [-1, 0, 1]) {
          const value = Math.min(2 ** shift + near, 2 ** 52);
          const q = [...quantise([value, -value], b).q];
          expect(Math.max(...q.map(Math.abs))).toBeLessThanOrEqual(p - 1);
          // A scale that is rounded up loses at most a unit, except where the vector has fewer bits than the scale has to divide.
          expect(q[0]).toBeGreaterThanOrEqual(value >= 2 ** 16 ? p - 2 - (p - 1) / 2 ** 15 : 1);
        }
      }
    }
  });

  it('gives zeros and the scale (0, 0) for a zero vector', () => {
    expect(quantise([0, 0], 14)).toEqual({ q: Int16Array.of(0, 0), scale: { mantissa: 0, exponent: 0 } });
    expect(quantiseWide(BigInt64Array.of(0n), 8)).toEqual({ q: Int16Array.of(0), scale: { mantissa: 0, exponent: 0 } });
  });

  it('represents each value to within one step', () => {
    fc.assert(
      fc.property(fc.array(signed(2 ** 40), { minLength: 1, maxLength: 20 }), widths, (values, b) => {
        const { q, scale } = quantise(values, b);
        const step = scale.mantissa * 2 ** scale.exponent;
        for (const [i, value] of values.entries()) expect(Math.abs(q[i]! * step - value)).toBeLessThanOrEqual(step);
      }),
      runs,
    );
  });
});
