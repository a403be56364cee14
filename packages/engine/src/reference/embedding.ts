import { limits } from '../limits.ts';
import { clampShift, mulRsh, sat } from './rsh.ts';

/** One id's row of the embedding as residual: int32 Q12 (SPEC section 3). `blockMultipliers` has one for each 64 columns. */
export function embed(row: Int8Array, blockMultipliers: Uint8Array, multiplier: number, exponent: number): Int32Array {
  const shift = clampShift(exponent - 8);
  return Int32Array.from(row, (w, k) => {
    const block = w * blockMultipliers[Math.floor(k / limits.blockColumns)]!;
    return sat(mulRsh(block, multiplier, shift)); // |block * multiplier| < 2^33
  });
}
