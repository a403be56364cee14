import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runs, signed } from '../testing/arbitraries.ts';
import { bits, floorShift } from '../testing/restatements.ts';
import { bitLength, bitLengthBig, clampShift, mulRsh, powerOfTwo, rsh, rshBig, sat } from './rsh.ts';

describe('rsh', () => {
  it('rounds to nearest, ties towards +infinity', () => {
    expect([rsh(3, 1), rsh(-3, 1), rsh(-1, 1), rsh(1, 1), rsh(5, 2), rsh(6, 2), rsh(-6, 2), rsh(-7, 2), rsh(9, 0)].map(BigInt)).toEqual([
      2n,
      -1n,
      0n,
      1n,
      1n,
      2n,
      -1n,
      -2n,
      9n,
    ]);
  });

  it('equals the restatement on Numbers and on big integers', () => {
    fc.assert(
      fc.property(signed(2 ** 52), fc.integer({ min: 0, max: 52 }), (x, s) => {
        expect(BigInt(rsh(x, s))).toBe(floorShift(BigInt(x), BigInt(s)));
      }),
      runs,
    );
    fc.assert(
      fc.property(fc.bigInt(-(2n ** 62n), 2n ** 62n), fc.integer({ min: 0, max: 62 }), (x, s) => {
        expect(rshBig(x, s)).toBe(floorShift(x, BigInt(s)));
      }),
      runs,
    );
  });

  it('mulRsh is exact on both of its paths and right in size beyond 2^53', () => {
    fc.assert(
      fc.property(signed(2 ** 44), signed(2 ** 18), fc.integer({ min: 0, max: 62 }), (a, b, s) => {
        const exact = floorShift(BigInt(a) * BigInt(b), BigInt(s));
        const got = mulRsh(a, b, s);
        const safe = exact >= -(2n ** 53n) && exact <= 2n ** 53n;
        expect(safe ? BigInt(got) === exact : Math.abs(got) >= 2 ** 53).toBe(true);
      }),
      { ...runs, numRuns: 2000 },
    );
    expect(mulRsh(2 ** 27 + 1, 2 ** 27 + 1, 54)).toBe(1);
    expect(BigInt(mulRsh(-(2 ** 26) - 1, 2 ** 26, 53))).toBe(-1n);
  });
});

it('powers of two are exact', () => {
  for (let i = 0; i <= 62; i++) expect(BigInt(powerOfTwo(i))).toBe(1n << BigInt(i));
});

it('bit lengths', () => {
  expect([0, 1, 2, 255, 256, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1].map(bitLength)).toEqual([0, 1, 2, 8, 9, 32, 32, 33, 53]);
  for (const x of [0n, 1n, 2n ** 61n, 2n ** 79n - 1n]) expect(BigInt(bitLengthBig(x))).toBe(bits(x));
});

it('sat and clampShift', () => {
  expect([sat(2 ** 31), sat(-(2 ** 31)), sat(2 ** 60), sat(-(2 ** 31) + 1), sat(5)]).toEqual([
    2 ** 31 - 1,
    -(2 ** 31) + 1,
    2 ** 31 - 1,
    -(2 ** 31) + 1,
    5,
  ]);
  expect([clampShift(-3), clampShift(0), clampShift(62), clampShift(63)]).toEqual([0, 0, 62, 62]);
});
