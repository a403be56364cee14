import fc from 'fast-check';
import { expect, it } from 'vitest';
import { runs } from '../testing/arbitraries.ts';
import { sdivBig } from '../testing/restatements.ts';
import { sdiv } from './scale.ts';

it('sdiv equals the restatement, stays below 2^18 and within 2^-15 of the quotient', () => {
  const denominator = fc
    .tuple(fc.integer({ min: 0, max: 61 }), fc.bigInt(0n, 2n ** 62n - 1n))
    .map(([shift, value]) => value >> BigInt(shift) || 1n);
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 66_053 }), fc.integer({ min: -60, max: 60 }), denominator, (mantissa, exponent, den) => {
      const got = sdiv({ mantissa, exponent }, den);
      const want = sdivBig({ m: BigInt(mantissa), e: BigInt(exponent) }, den);
      expect([BigInt(got.mantissa), BigInt(got.exponent)]).toEqual([want.m, want.e]);
      expect(got.mantissa).toBeLessThan(2 ** 18);
    }),
    { ...runs, numRuns: 2000 },
  );
  for (const den of [1n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 32n + 1n, 2n ** 33n - 1n, 2n ** 62n - 1n]) {
    const { mantissa, exponent } = sdiv({ mantissa: 66_053, exponent: 0 }, den);
    const ratio = (mantissa * 2 ** exponent * Number(den)) / 66_053;
    expect(Math.abs(ratio - 1)).toBeLessThan(2 ** -15);
  }
});
