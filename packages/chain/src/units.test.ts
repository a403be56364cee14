import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatAmount, parseAmount } from './units.ts';

describe('amounts', () => {
  test.each([
    ['1.5', 6, 1_500_000n],
    ['0', 18, 0n],
    ['0.000001', 6, 1n],
    ['12', 0, 12n],
  ])('%s with %i decimals', (text, decimals, units) => {
    expect(parseAmount(text, decimals)).toBe(units);
    expect(formatAmount(units, decimals)).toBe(text);
  });

  test.each(['', '01', '1.', '.5', '-1', '1e3', '0.0000001', ' 1', '1,5'])('%j is refused', (text) => {
    expect(() => parseAmount(text, 6)).toThrow(/decimal number/u);
  });

  test('what is written is read back', () => {
    fc.assert(
      fc.property(fc.bigInt(0n, 1n << 200n), fc.integer({ min: 0, max: 36 }), (units, decimals) => {
        expect(parseAmount(formatAmount(units, decimals), decimals)).toBe(units);
      }),
    );
  });
});
