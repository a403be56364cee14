import { limits } from '../../limits.ts';

/**
 * Hadamard matrices as Kronecker products. A factor of order 4p for every odd prime p of the order, by Paley's constructions (R. E. A. C. Paley, On
 * orthogonal matrices, 1933: the first where 4p - 1 is prime, the second where 2p - 1 is prime and 1 mod 4), the rest of order 2 (Sylvester).
 */

/** Entries +1 and -1, row-major. */
interface Factor {
  readonly order: number;
  readonly entries: Int8Array;
}

/** The factors of a Hadamard matrix of `order`, or undefined where this construction has none: 576 = 12 x 12 x 2 x 2, 896 = 28 x 2^5. */
export function hadamardFactors(order: number): readonly Factor[] | undefined {
  const factors: Factor[] = [];
  let rest = order;
  for (let p = 3; p <= oddPart(rest); p += 2) {
    while (rest % p === 0) {
      const factor = paleyFactor(p);
      if (factor === undefined || rest % (4 * p) !== 0) return undefined;
      factors.push(factor);
      rest /= 4 * p;
    }
  }
  for (; rest > 1; rest /= 2) factors.push({ order: 2, entries: Int8Array.of(1, 1, 1, -1) });
  return factors;
}

/**
 * v H in place for H = the product of the factors, in their order. An element of v is `width` consecutive numbers: 1 for a vector, the columns of a
 * row-major matrix to transform all of its columns. The order of the sums is fixed: rows of a factor upwards.
 */
export function timesHadamard(factors: readonly Factor[], v: Float64Array, width: number): void {
  let inner = v.length / width;
  for (const { order, entries } of factors) {
    inner /= order;
    const step = inner * width;
    const taken = new Float64Array(order);
    for (let start = 0; start < v.length; start += order * step) {
      for (let at = start; at < start + step; at++) {
        for (let i = 0; i < order; i++) taken[i] = v[at + i * step]!;
        for (let j = 0; j < order; j++) {
          let sum = 0;
          for (let i = 0; i < order; i++) sum += entries[i * order + j]! * taken[i]!;
          v[at + j * step] = sum;
        }
      }
    }
  }
}

function oddPart(n: number): number {
  let odd = n;
  while (odd % 2 === 0) odd /= 2;
  return odd;
}

function isPrime(n: number): boolean {
  for (let d = 2; d * d <= n; d++) if (n % d === 0) return false;
  return n > 1;
}

function paleyFactor(p: number): Factor | undefined {
  if (p > limits.paleyPrime) return undefined;
  if (isPrime(4 * p - 1)) return firstPaley(4 * p - 1);
  return isPrime(2 * p - 1) && (2 * p - 1) % 4 === 1 ? secondPaley(2 * p - 1) : undefined;
}

/** 1 for squares mod q, -1 for others, 0 for 0. */
function characters(q: number): Int8Array {
  const values = new Int8Array(q).fill(-1);
  for (let i = 1; i < q; i++) values[(i * i) % q] = 1;
  values[0] = 0;
  return values;
}

/** C[0][j] = 1, C[i][0] = `below`, C[i][j] = chi(j - i): a conference matrix of order q + 1. */
function conference(q: number, below: number): (i: number, j: number) => number {
  const chi = characters(q);
  return (i, j) => {
    if (i === 0) return j === 0 ? 0 : 1;
    return j === 0 ? below : chi[(j - i + q) % q]!;
  };
}

/** I + C, order q + 1, q = 3 mod 4. */
function firstPaley(q: number): Factor {
  const order = q + 1;
  const c = conference(q, -1);
  return {
    order,
    entries: Int8Array.from({ length: order * order }, (_, at) => matrixEntry(at, order, (i, j) => c(i, j) + (i === j ? 1 : 0))),
  };
}

/** C x (1 1 / 1 -1) + I x (1 -1 / -1 -1), order 2 (q + 1), q = 1 mod 4. */
function secondPaley(q: number): Factor {
  const order = 2 * (q + 1);
  const c = conference(q, 1);
  const entry = (i: number, j: number): number => {
    const outer = c(i >> 1, j >> 1);
    const [low, high] = [i & 1, j & 1];
    if (outer !== 0) return low === 1 && high === 1 ? -outer : outer;
    return low === 0 && high === 0 ? 1 : -1;
  };
  return { order, entries: Int8Array.from({ length: order * order }, (_, at) => matrixEntry(at, order, entry)) };
}

const matrixEntry = (at: number, order: number, entry: (i: number, j: number) => number): number =>
  entry(Math.floor(at / order), at % order);
