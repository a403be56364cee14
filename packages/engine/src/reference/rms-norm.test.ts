import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { big, int32, runs, signed } from '../testing/arbitraries.ts';
import { rmsNormBig } from '../testing/restatements.ts';
import { rmsNormQuantise } from './rms-norm.ts';

function expectSame(x: Int32Array, weights: Int32Array, exponent: number, epsilon: number, b: number): void {
  const { q, scale } = rmsNormQuantise(x, { weights, exponent }, epsilon, b);
  const want = rmsNormBig(big(x), big(weights), BigInt(exponent), BigInt(epsilon), BigInt(b));
  expect(big(q)).toEqual(want.q);
  expect([BigInt(scale.mantissa), BigInt(scale.exponent)]).toEqual([want.scale.m, want.scale.e]);
}

describe('rmsNormQuantise', () => {
  it('equals the restatement', () => {
    const lane = fc.tuple(int32, signed(2 ** 21));
    fc.assert(
      fc.property(
        fc.array(lane, { minLength: 1, maxLength: 50 }),
        fc.integer({ min: -64, max: 64 }),
        fc.integer({ min: 1, max: 2 ** 48 }),
        fc.constantFrom(8, 14),
        (lanes, exponent, epsilon, b) =>
          expectSame(
            Int32Array.from(lanes, ([x]) => x),
            Int32Array.from(lanes, ([, w]) => w),
            exponent,
            epsilon,
            b,
          ),
      ),
      { ...runs, numRuns: 1000 },
    );
  });

  it('stays inside its budget at the largest width with every value at its bound', () => {
    const size = 1 << 16;
    const x = new Int32Array(size).fill(2 ** 31 - 1);
    for (let i = 0; i < size; i += 3) x[i] = -(2 ** 31 - 1);
    expectSame(x, new Int32Array(size).fill(2 ** 21), 20, 2 ** 48, 14);
  });

  it('handles a zero vector, one lane and a massive activation', () => {
    expectSame(new Int32Array(64), new Int32Array(64).fill(1 << 20), 20, 1, 14);
    expectSame(Int32Array.of(-1), Int32Array.of(1), 0, 1, 14);
    const x = new Int32Array(64).fill(4096);
    x[7] = 24_921 * 4096;
    expectSame(x, new Int32Array(64).fill(1 << 20), 20, 10_737, 14);
  });

  it('does not depend on the scale of its input beyond epsilon', () => {
    const x = Int32Array.from({ length: 64 }, (_, i) => (i * 7919) % 4001);
    const norm = { weights: new Int32Array(64).fill(1 << 20), exponent: 20 };
    const small = rmsNormQuantise(x, norm, 1, 14);
    const large = rmsNormQuantise(
      x.map((value) => value * 4096),
      norm,
      1,
      14,
    );
    expect(large.q).toEqual(small.q);
    expect(
      Math.abs((large.scale.mantissa * 2 ** large.scale.exponent) / (small.scale.mantissa * 2 ** small.scale.exponent) - 1),
    ).toBeLessThan(2 ** -14);
  });
});
