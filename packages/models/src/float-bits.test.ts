import { expect, it } from 'vitest';
import { exponentOf, pow2, roundHalfUp } from './float-bits.ts';

it('pow2 is exact over its whole range', () => {
  let expected = 1;
  for (let e = 0; e <= 1023; e++, expected *= 2) expect(pow2(e)).toBe(expected);
  expected = 1;
  for (let e = 0; e >= -1022; e--, expected /= 2) expect(pow2(e)).toBe(expected);
});

it('exponentOf: 1/2 <= x / 2^e < 1', () => {
  for (const x of [1, 0.5, 0.75, 2, 3, 127, 1e-5, 1e300, 1e-300, 2 ** -1060, Number.MIN_VALUE, Number.MAX_VALUE]) {
    const e = exponentOf(x);
    const scaled = x / pow2(Math.floor(e / 2)) / pow2(e - Math.floor(e / 2));
    expect(scaled).toBeGreaterThanOrEqual(0.5);
    expect(scaled).toBeLessThan(1);
  }
  expect(exponentOf(0)).toBe(0);
});

it('roundHalfUp goes up on a tie', () => expect([2.5, -2.5, -0.5, 0.49].map(roundHalfUp)).toEqual([3, -2, 0, 0]));
