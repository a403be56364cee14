import fc from 'fast-check';
import { expect, it } from 'vitest';
import { runs } from '../testing/arbitraries.ts';
import { isqrtBig } from '../testing/restatements.ts';
import { isqrt } from './isqrt.ts';

const check = (n: bigint): void => {
  const r = isqrt(n);
  expect(r * r <= n && n < (r + 1n) * (r + 1n), `isqrt(${n}) = ${r}`).toBe(true);
};

it('is exact for every n up to 5,000, around squares and for random n', () => {
  for (let n = 0n; n <= 5000n; n++) check(n);
  fc.assert(
    fc.property(fc.bigInt(1n, 2n ** 31n), (root) => {
      for (const near of [-1n, 0n, 1n]) check(root * root + near);
    }),
    runs,
  );
  fc.assert(
    fc.property(fc.bigInt(0n, 2n ** 62n), (n) => {
      expect(isqrt(n)).toBe(isqrtBig(n));
    }),
    runs,
  );
});

it('float64 square root and floor give the same below 2^52 (SPEC section 1)', () => {
  fc.assert(
    fc.property(fc.bigInt(0n, 2n ** 26n - 1n), (root) => {
      for (const n of [root * root, root * root + 2n * root]) expect(BigInt(Math.floor(Math.sqrt(Number(n))))).toBe(isqrt(n));
    }),
    runs,
  );
});
