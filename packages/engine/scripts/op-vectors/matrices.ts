// Vectors of embedding, norms, matrix products and RoPE (SPEC sections 3 to 7).
import { padTo, toHex } from '@commonweight/protocol';
import * as spec from '../../src/testing/restatements.ts';
import { blockIndex, packedIndex } from '../../src/reference/check-tensors.ts';
import { MAX, big, list, numbers, quantised, random, uniform, wildNumber } from './draw.ts';

export function embedding(): object[] {
  return [-64, 0, 11, 12, 13, 20, 28, 31, 42, 64].map((exponent) => {
    const weights = [-127, 127, 0, 1, -1, ...list(65, uniform(127))];
    const multiplier = exponent === 28 ? 0 : exponent % 2 ? 1 << 22 : random.integer(1, 1 << 22);
    const blockMultipliers = [random.integer(0, 15), 15];
    return {
      weights,
      blockMultipliers,
      multiplier,
      exponent,
      expect: weights.map((w, k) =>
        Number(spec.embedBig(BigInt(w), BigInt(blockMultipliers[Math.floor(k / 64)]!), BigInt(multiplier), BigInt(exponent))),
      ),
    };
  });
}

export function rmsNorm(): object[] {
  const inputs: [number[], number[], number, number][] = [
    [list(16, () => 0), list(16, () => 1 << 20), 20, 1],
    [[1], [1], 0, 1],
    [list(16, (i) => (i % 3 ? MAX : -MAX)), list(16, () => 1 << 21), 20, 2 ** 48],
    [list(16, (i) => (i === 5 ? 24_921 * 4096 : 4096)), list(16, () => 1 << 20), 20, 10_737],
  ];
  for (let bits = 3; bits <= 31; bits += 4)
    inputs.push([list(20, () => wildNumber(bits)), list(20, () => wildNumber(21)), random.integer(-10, 30), random.integer(1, 1 << 20)]);
  return inputs.flatMap(([x, weights, exponent, epsilon]) =>
    [8, 14].map((bits) => ({
      x,
      weights,
      exponent,
      epsilon,
      bits,
      expect: quantised(spec.rmsNormBig(big(x), big(weights), BigInt(exponent), BigInt(epsilon), BigInt(bits))),
    })),
  );
}

export function matmul(): object[] {
  const shapes = [
    [1, 1, 0],
    [16, 64, 0],
    [5, 7, 0],
    [17, 65, 0],
    [33, 130, 0],
    [3, 2049, 127],
  ] as const;
  return shapes.map(([rows, columns, extreme]) => {
    const weights = list(rows, (n) => list(columns, () => (extreme ? (n === 0 ? extreme : -extreme) : random.integer(-127, 127))));
    const q = list(columns, () => (extreme ? 8191 : random.integer(-8191, 8191)));
    const padded = padTo(columns, 64);
    const packed = new Int8Array(padTo(rows, 16) * padded);
    for (const [n, row] of weights.entries()) for (const [k, w] of row.entries()) packed[packedIndex(n, k, padded)] = w;
    const multipliers = list(rows, () => list(padded / 64, () => (extreme ? 15 : random.integer(0, 15))));
    const packedMultipliers = new Uint8Array((padTo(rows, 16) * padded) / 64);
    for (const [n, row] of multipliers.entries()) for (const [g, c] of row.entries()) packedMultipliers[blockIndex(n, g, padded / 64)] = c;
    const expect = weights.map((row, n) => Number(spec.matmulBig(big(row), big(multipliers[n]!), big(q))));
    return { rows, columns, packed: toHex(new Uint8Array(packed.buffer)), blockMultipliers: toHex(packedMultipliers), q, expect };
  });
}

export function requantise(): object[] {
  const bound = 127 * 8191 * 65_536;
  const inputs: [number, number, number, number, number][] = [
    [bound, 1 << 22, -64, (1 << 18) - 1, 40],
    [-bound, 1 << 22, -64, (1 << 18) - 1, 40],
    [-bound, 1 << 22, 64, (1 << 18) - 1, -60],
    [0, 1 << 22, 30, 1000, -10],
    [-1, 1, 22, 1, 0],
    [-1, 1 << 21, 38, 1, 0],
    [12_345, 0, 30, 1000, -10],
  ];
  for (let i = 0; i < 60; i++)
    inputs.push([
      wildNumber(i % 3 ? 31 : 35),
      random.integer(0, 1 << 22),
      random.integer(20, 36),
      random.integer(1 << 15, 1 << 18),
      random.integer(-40, 0),
    ]);
  return inputs.flatMap(([acc, multiplier, exponent, mantissa, scaleExponent]) =>
    [12, 16].map((fractionBits) => {
      const expect = Number(
        spec.requantiseBig(
          BigInt(acc),
          BigInt(multiplier),
          BigInt(exponent),
          { m: BigInt(mantissa), e: BigInt(scaleExponent) },
          BigInt(fractionBits),
        ),
      );
      return { acc, multiplier, exponent, mantissa, scaleExponent, fractionBits, expect };
    }),
  );
}

export function rope(): object[] {
  const inputs: [number[], number[]][] = [
    [
      [MAX, -MAX, MAX, MAX],
      [32_767, 32_767, -32_767, -32_767],
    ],
    [
      [1_000_000, -65_536, 3, 0],
      [32_767, 0, 32_767, 0],
    ],
    ...[8, 16, 20, 31].map((bits): [number[], number[]] => [list(8, () => wildNumber(bits)), list(8, uniform(32_767))]),
  ];
  return inputs.map(([head, table]) => ({ head, table, expect: numbers(spec.ropeBig(big(head), big(table))) }));
}

export function qkNorm(): object[] {
  const inputs: [number[], number[], number, number][] = [
    [list(4, () => 0), list(4, () => 1 << 20), 20, 1],
    [[1, 0], [1 << 21, 1], 21, 1],
    [list(16, (i) => (i % 3 ? MAX : -MAX)), list(16, () => 1 << 21), -64, 2 ** 48],
    [list(16, (i) => (i === 5 ? MAX : 0)), list(16, () => 1 << 21), 16, 1],
  ];
  for (let bits = 3; bits <= 31; bits += 2)
    inputs.push([list(8, () => wildNumber(bits)), list(8, () => wildNumber(21)), random.integer(10, 30), random.integer(1, 1 << 20)]);
  return inputs.map(([x, weights, exponent, epsilon]) => ({
    x,
    weights,
    exponent,
    epsilon,
    expect: numbers(spec.qkNormBig(big(x), big(weights), BigInt(exponent), BigInt(epsilon))),
  }));
}
