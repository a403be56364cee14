import { clampShift, mulRsh, sat } from './rsh.ts';
import type { Scale } from './scale.ts';

/**
 * A matmul sum times row scale times token scale, as int32 with `fractionBits` (16 or 12) fraction bits (SPEC section 6).
 * @param multiplier - of the row, 0 to 2^22
 * @param exponent - of the matrix
 */
export function requantise(acc: number, multiplier: number, exponent: number, scale: Scale, fractionBits: number): number {
  const t = mulRsh(acc, multiplier, 22);
  return sat(mulRsh(t, scale.mantissa, clampShift(exponent - 22 - scale.exponent - fractionBits)));
}
