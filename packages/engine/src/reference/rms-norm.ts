import { isqrt } from './isqrt.ts';
import { type Quantised, quantise } from './quantise.ts';
import { bitLengthBig } from './rsh.ts';
import { sdiv } from './scale.ts';

/** Weights of an RMSNorm: value = integer * 2^-exponent, |integer| <= 2^21. */
export interface NormWeights {
  readonly weights: Int32Array;
  readonly exponent: number;
}

/** Root of the mean square of a vector: `root` * 2^halfShift, 2^17 <= root < 2^26 (SPEC section 4). */
export interface RootMeanSquare {
  readonly root: bigint;
  readonly halfShift: number;
}

/** sqrt((sum of squares + epsilon) / length), in the units of `x`. */
export function rootMeanSquare(x: Int32Array, epsilon: number): RootMeanSquare {
  let squares = BigInt(epsilon);
  for (const value of x) squares += BigInt(value) * BigInt(value);
  let shift = bitLengthBig(squares) - 52;
  if (shift % 2 !== 0) shift++;
  const normalised = shift > 0 ? squares >> BigInt(shift) : squares << BigInt(-shift);
  return { root: isqrt(normalised / BigInt(x.length)), halfShift: shift / 2 };
}

/** RMSNorm fused with the quantisation of its result to `bits` bits (SPEC section 4). `x` is int32 Q12, `epsilon` as in the manifest. */
export function rmsNormQuantise(x: Int32Array, norm: NormWeights, epsilon: number, bits: number): Quantised {
  const { root, halfShift } = rootMeanSquare(x, epsilon);
  const z = Float64Array.from(x, (value, i) => value * norm.weights[i]!); // |z| < 2^31 * 2^21
  const { q, scale } = quantise(z, bits);
  const divided = sdiv(scale, root);
  return { q, scale: { mantissa: divided.mantissa, exponent: divided.exponent - norm.exponent - halfShift } };
}
