// Vectors of the cache, attention, SwiGLU and the residual add (SPEC sections 8 to 12).
import * as spec from '../../src/testing/restatements.ts';
import { MAX, big, list, numbers, random, uniform, wildNumber } from './draw.ts';

const cached = (vector: readonly number[]) => {
  const { q, scale } = spec.quantiseBig(big(vector), 8n);
  return { q: numbers(q), scale: Number(scale.m << (scale.e + 7n)) };
};

export function cacheEntry(): object[] {
  const vectors = [[0, 0], [1, 0], [MAX, -MAX], [-1], ...list(10, (i) => list(8, () => wildNumber(3 * i + 3)))];
  return vectors.map((vector) => ({ vector, expect: cached(vector) }));
}

export function attention(): object[] {
  const make = (size: number, positions: number, vector: () => number[], constant: { mantissa: number; exponent: number }) => {
    const q = vector().slice(0, size);
    const [keys, values] = [list(positions, () => cached(vector().slice(0, size))), list(positions, () => cached(vector().slice(0, size)))];
    const cache = {
      k: keys.map((k) => big(k.q)),
      kScale: big(keys.map((k) => k.scale)),
      v: values.map((v) => big(v.q)),
      vScale: big(values.map((v) => v.scale)),
    };
    const { scores, out } = spec.attendBig(big(q), cache, BigInt(constant.mantissa), BigInt(constant.exponent));
    return {
      q,
      keys: keys.map((k) => k.q),
      keyScales: keys.map((k) => k.scale),
      values: values.map((v) => v.q),
      valueScales: values.map((v) => v.scale),
      ...constant,
      expect: { scores: numbers(scores), out: numbers(out) },
    };
  };
  const usual = { mantissa: 47_274, exponent: -2 };
  const cases = [
    make(4, 1, () => list(4, () => MAX), { mantissa: 65_535, exponent: 8 }),
    make(4, 3, () => list(4, () => (random.integer(0, 1) ? MAX : -MAX)), { mantissa: 65_535, exponent: 8 }),
    make(4, 2, () => list(4, () => 0), usual),
  ];
  for (const spread of [2 ** 10, 2 ** 16, 2 ** 18, 2 ** 20, 2 ** 24, 2 ** 30])
    cases.push(make(8, 9, () => list(8, uniform(spread)), usual));
  cases.push(
    make(64, 12, () => list(64, uniform(2 ** 18)), usual),
    make(4, 520, () => list(4, uniform(2 ** 14)), { mantissa: 47_274, exponent: 0 }),
  );
  return cases;
}

export function swiglu(): object[] {
  const pairs = [
    [MAX, MAX],
    [MAX, -MAX],
    [-MAX, MAX],
    [0, 5],
    [5, 0],
    [65_536, 65_536],
    [-65_536, 65_536],
    [-83_770, 65_536],
    [1, 1],
    [-1, 1],
    ...list(40, () => [wildNumber(31), wildNumber(31)]),
  ] as [number, number][];
  return pairs.map(([gate, up]) => ({ gate, up, expect: spec.swigluBig(BigInt(gate), BigInt(up)) }));
}

export function residualAdd(): object[] {
  const pairs = [[MAX, 1], [-MAX, -1], [MAX, -MAX], [MAX, MAX], [0, 0], ...list(10, () => [wildNumber(31), wildNumber(31)])] as [
    number,
    number,
  ][];
  return pairs.map(([x, y]) => ({ x, y, expect: Number(spec.satBig(BigInt(x) + BigInt(y))) }));
}
