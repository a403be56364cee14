import { bitLength, bitLengthBig, powerOfTwo, rsh, rshBig } from './rsh.ts';
import type { Scale } from './scale.ts';

/** A vector as integers and one scale: value[i] ~ q[i] * mantissa * 2^exponent, |q[i]| <= 2^(bits-1) - 1. */
export interface Quantised {
  readonly q: Int16Array;
  readonly scale: Scale;
}

/** Quantises integers of at most 2^52 to `bits` (8 to 16) bits (SPEC section 1). */
export function quantise(values: ArrayLike<number>, bits: number): Quantised {
  let largest = 0;
  for (let i = 0; i < values.length; i++) largest = Math.max(largest, Math.abs(values[i]!));
  const shift = normShift(bitLength(largest));
  const normalise = (x: number): number => (shift > 0 ? rsh(x, shift) : x * powerOfTwo(-shift));
  return quantiseNormalised(Float64Array.from(values, normalise), normalise(largest), shift, bits);
}

/** {@link quantise} for values below 2^62. */
export function quantiseWide(values: BigInt64Array, bits: number): Quantised {
  let largest = 0n;
  for (const value of values) {
    const magnitude = value < 0n ? -value : value;
    if (magnitude > largest) largest = magnitude;
  }
  const shift = normShift(bitLengthBig(largest));
  const normalise = (x: bigint): number => Number(shift > 0 ? rshBig(x, shift) : x << BigInt(-shift));
  return quantiseNormalised(Float64Array.from(values, normalise), normalise(largest), shift, bits);
}

/** sf: brings the largest value to 24 bits; small vectors gain at most 8. */
const normShift = (bits: number): number => Math.max(bits - 24, -8);

function quantiseNormalised(norm: Float64Array, largest: number, shift: number, bits: number): Quantised {
  const q = new Int16Array(norm.length);
  if (largest === 0) return { q, scale: { mantissa: 0, exponent: 0 } };
  const p = powerOfTwo(bits - 1);
  const d = (p - 1) * 256;
  const mantissa = Math.floor((largest * p + d - 1) / d);
  const reciprocal = Math.floor(powerOfTwo(bits + 23) / mantissa);
  for (let i = 0; i < norm.length; i++) q[i] = rsh(norm[i]! * reciprocal, 32);
  return { q, scale: { mantissa, exponent: shift + 8 - (bits - 1) } };
}
