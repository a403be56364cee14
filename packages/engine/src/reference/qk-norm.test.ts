import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { big, int32, runs, signed } from '../testing/arbitraries.ts';
import { qkNormBig } from '../testing/restatements.ts';
import { qkNorm } from './qk-norm.ts';

function expectSame(x: Int32Array, weights: Int32Array, exponent: number, epsilon: number): void {
  expect(big(qkNorm(x, { weights, exponent }, epsilon))).toEqual(qkNormBig(big(x), big(weights), BigInt(exponent), BigInt(epsilon)));
}

describe('qkNorm', () => {
  it('equals the restatement', () => {
    const lane = fc.tuple(int32, signed(2 ** 21));
    fc.assert(
      fc.property(
        fc.array(lane, { minLength: 2, maxLength: 64 }),
        fc.integer({ min: -64, max: 64 }),
        fc.integer({ min: 1, max: 2 ** 48 }),
        (lanes, exponent, epsilon) =>
          expectSame(
            Int32Array.from(lanes, ([x]) => x),
            Int32Array.from(lanes, ([, w]) => w),
            exponent,
            epsilon,
          ),
      ),
      { ...runs, numRuns: 1000 },
    );
  });

  it('stays inside its budget at the largest head with values at their bounds', () => {
    const largest = 2 ** 31 - 1;
    const weights = new Int32Array(256).fill(2 ** 21);
    expectSame(
      Int32Array.from({ length: 256 }, (_, i) => (i % 3 ? largest : -largest)),
      weights,
      -64,
      2 ** 48,
    );
    const one = new Int32Array(256);
    one[3] = largest;
    expectSame(one, weights, 20, 1);
    expectSame(new Int32Array(256), weights, 20, 1);
    expectSame(Int32Array.of(1, 0), Int32Array.of(2 ** 21, 1), 21, 1);
  });

  it('is x / rms(x) * w to 2^-16', () => {
    const x = Int32Array.from({ length: 64 }, (_, i) => ((i * 7919) % 4001) * 333 - 600_000);
    const weights = Int32Array.from({ length: 64 }, (_, i) => 2 ** 20 + i * 1000);
    const y = qkNorm(x, { weights, exponent: 20 }, 275);
    const rms = Math.sqrt(x.reduce((sum, value) => sum + (value * 2 ** -16) ** 2, 0) / 64 + 1e-9);
    for (const [i, value] of y.entries()) {
      expect(Math.abs(value - (x[i]! / rms) * weights[i]! * 2 ** -20)).toBeLessThan(0.6);
    }
  });
});
