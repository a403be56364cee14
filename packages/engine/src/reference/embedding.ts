import { clampShift, rsh, sat } from './rsh.ts';

/** One id's row of the embedding as residual: int32 Q12 (SPEC section 3). */
export function embed(row: Int8Array, multiplier: number, exponent: number): Int32Array {
  const shift = exponent - 12;
  return Int32Array.from(row, (w) => {
    const product = w * multiplier; // |product| < 2^29
    return sat(rsh(product, clampShift(shift)));
  });
}
