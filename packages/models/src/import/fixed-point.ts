import { exponentOf, pow2 } from '../float-bits.ts';

/** Real numbers as big integers with 160 fraction bits: the same on every machine, for no maths library takes part. */
export const BITS = 160n;
export const ONE = 1n << BITS;

/** A finite float64, exactly (below 2^-107 rounded down). */
export function fromNumber(x: number): bigint {
  const shift = 53 - exponentOf(x);
  const mantissa = BigInt(x * pow2(shift)); // 53 bits
  const places = BITS - BigInt(shift);
  return places >= 0n ? mantissa << places : mantissa >> -places;
}

/** The nearest float64. */
export function toNumber(x: bigint): number {
  return Number(x) * pow2(-Number(BITS));
}

export const multiply = (a: bigint, b: bigint): bigint => (a * b) >> BITS;

/** a / b for b > 0, rounded down. */
export function divide(a: bigint, b: bigint): bigint {
  const quotient = (a << BITS) / b;
  return a < 0n && quotient * b !== a << BITS ? quotient - 1n : quotient;
}

/** 2 atanh(t) for 0 <= t < 1 by its series. */
function twiceAtanh(t: bigint): bigint {
  const square = multiply(t, t);
  let sum = 0n;
  for (let power = t, i = 1n; power !== 0n; power = multiply(power, square), i += 2n) sum += power / i;
  return 2n * sum;
}

/** ln(x) = k ln 2 - 2 atanh((1 - y) / (1 + y)), y = x / 2^k in [1/2, 1), for x > 0. */
export function ln(x: bigint): bigint {
  const k = BigInt(x.toString(2).length) - BITS;
  const y = k >= 0n ? x >> k : x << -k;
  return k * twiceAtanh(ONE / 3n) - twiceAtanh(((ONE - y) << BITS) / (ONE + y));
}

/** e^-x for x >= 0: series at x / 2^16, then 16 squarings. */
export function expNegative(x: bigint): bigint {
  const reduced = x >> 16n;
  let sum = ONE;
  for (let power = ONE, i = 1n; power !== 0n; i++) {
    power = (power * reduced) / (i << BITS);
    sum += i & 1n ? -power : power;
  }
  for (let i = 0; i < 16; i++) sum = multiply(sum, sum);
  return sum;
}

/** Taylor series for 0 <= x <= 1. */
export function cosSin(x: bigint): readonly [cos: bigint, sin: bigint] {
  let cos = 0n;
  let sin = 0n;
  for (let power = ONE, i = 0n; power !== 0n; power = (power * x) / (++i << BITS)) {
    const term = i & 2n ? -power : power;
    if (i & 1n) sin += term;
    else cos += term;
  }
  return [cos, sin];
}

/** atan(1/n) by its series. */
function atanInverse(n: bigint): bigint {
  let sum = 0n;
  for (let power = ONE / n, i = 1n; power !== 0n; power /= n * n, i += 2n) sum += i & 2n ? -(power / i) : power / i;
  return sum;
}

/** 2 pi by Machin's formula. */
export const twoPi = (): bigint => 8n * (4n * atanInverse(5n) - atanInverse(239n));
