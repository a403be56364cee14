import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { int32, runs } from '../testing/arbitraries.ts';
import { swigluBig } from '../testing/restatements.ts';
import { silu, swiglu } from './swiglu.ts';

const MAX = 2 ** 31 - 1;

describe('swiglu', () => {
  it('equals the restatement', () => {
    fc.assert(
      fc.property(int32, int32, (g, u) => {
        expect(swiglu(Int32Array.of(g), Int32Array.of(u))[0]).toBe(swigluBig(BigInt(g), BigInt(u)));
      }),
      { ...runs, numRuns: 2000 },
    );
  });

  it('stays below 2^62 at the ends', () => {
    for (const g of [MAX, -MAX, 0, 1, -1]) {
      for (const u of [MAX, -MAX, 0]) expect(swiglu(Int32Array.of(g), Int32Array.of(u))[0]).toBe(swigluBig(BigInt(g), BigInt(u)));
    }
    expect(swiglu(Int32Array.of(MAX), Int32Array.of(-MAX))[0]).toBe(-(BigInt(MAX) * BigInt(MAX)));
  });

  it('silu has the shape it should: identity far right, zero far left, minimum near -1.28', () => {
    expect(silu(40 * 65_536)).toBe(40 * 65_536);
    expect(Math.abs(silu(-40 * 65_536))).toBe(0);
    expect(silu(0)).toBe(0);
    expect(silu(65_536) / 65_536).toBeCloseTo(0.731_058, 3);
    expect(silu(-83_770) / 65_536).toBeCloseTo(-0.278_465, 3);
  });

  it('float64 division and floor equal integer division over the whole range of the sigmoid', () => {
    for (let e = 0; e <= 2 ** 24; e += 4093) {
      for (const numerator of [2 ** 24, e]) {
        const want = (BigInt(numerator) << 20n) / ((1n << 24n) + BigInt(e));
        expect(BigInt(Math.floor((numerator * 2 ** 20) / (2 ** 24 + e)))).toBe(want);
      }
    }
  });
});
