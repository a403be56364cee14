import { rsh, sat } from './rsh.ts';

/**
 * Rotates the interleaved pairs of one head's q or k (int32 Q16) by the position's row of the table (SPEC section 7).
 * @param table - (cos, sin) pairs of this position, as many values as `head`
 */
export function rope(head: Int32Array, table: Int16Array): Int32Array {
  const out = new Int32Array(head.length);
  for (let i = 0; i < head.length; i += 2) {
    const [a, b, cos, sin] = [head[i]!, head[i + 1]!, table[i]!, table[i + 1]!];
    out[i] = sat(rsh(a * cos - b * sin, 15));
    out[i + 1] = sat(rsh(a * sin + b * cos, 15));
  }
  return out;
}
