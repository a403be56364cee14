// Vectors of the helpers of SPEC section 1.
import * as spec from '../../src/testing/restatements.ts';
import { list, quantised, random, scaleOf, wild } from './draw.ts';

export function rsh(): object[] {
  const fixed = [
    [3n, 1],
    [-3n, 1],
    [-1n, 1],
    [1n, 1],
    [0n, 0],
    [-7n, 0],
    [2n ** 62n, 62],
    [-(2n ** 62n), 62],
    [2n ** 61n, 62],
    [-(2n ** 61n), 62],
    [-(2n ** 61n) - 1n, 62],
  ] as const;
  const cases = [...fixed, ...list(60, () => [wild(62), random.integer(0, 62)] as const)];
  return cases.map(([x, shift]) => ({ x, shift, expect: spec.floorShift(x, BigInt(shift)) }));
}

export function quantise(): object[] {
  const limit = 2n ** 62n - 1n;
  const vectors = [
    [0n, 0n],
    [1n],
    [-1n, 0n, 1n],
    [limit, -limit, 1n],
    [2n ** 52n, -(2n ** 52n), 2n ** 30n],
    [65_535n, -65_535n],
    [65_536n, 255n],
    [16_777_215n, 16_777_216n, -1n],
  ];
  for (let bits = 4; bits <= 62; bits += 3) vectors.push(list(8, () => wild(bits)));
  return vectors.flatMap((values) =>
    [8, 14, 16].map((bits) => ({ values, bits, expect: quantised(spec.quantiseBig(values, BigInt(bits))) })),
  );
}

export function sdiv(): object[] {
  const denominators = [
    1n,
    2n,
    3n,
    2n ** 31n,
    2n ** 32n - 1n,
    2n ** 32n,
    2n ** 32n + 1n,
    2n ** 33n - 1n,
    2n ** 62n - 1n,
    ...list(24, () => wild(62)).map((x) => (x < 0n ? -x : x) || 1n),
  ];
  return denominators.map((denominator, i) => {
    const mantissa = i % 4 === 0 ? 66_053 : random.integer(0, 66_053);
    const exponent = random.integer(-40, 20);
    return { mantissa, exponent, denominator, expect: scaleOf(spec.sdivBig({ m: BigInt(mantissa), e: BigInt(exponent) }, denominator)) };
  });
}

export function exp2n(): object[] {
  const distances = [
    0,
    1,
    65_535,
    65_536,
    65_537,
    15 * 65_536,
    16 * 65_536,
    16 * 65_536 + 1,
    25 * 65_536,
    25 * 65_536 + 1,
    31 * 65_536 + 65_535,
    32 * 65_536,
    2 ** 31 - 1,
    2 ** 31,
    ...list(50, () => random.uint32() >>> random.integer(1, 31)),
  ];
  return distances.flatMap((d) =>
    [15, 24].map((fractionBits) => ({ d, fractionBits, expect: Number(spec.exp2nBig(BigInt(d), BigInt(fractionBits))) })),
  );
}

export function isqrt(): object[] {
  const around = list(12, () => BigInt(random.uint32() >>> random.integer(6, 28))).flatMap((root) => [
    root * root - 1n,
    root * root,
    root * root + 2n * root,
  ]);
  return [0n, 1n, 2n, 3n, 4n, 2n ** 52n - 1n, ...around].filter((n) => n >= 0n).map((n) => ({ n, expect: spec.isqrtBig(n) }));
}
