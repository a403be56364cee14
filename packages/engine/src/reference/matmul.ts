import { limits } from '../limits.ts';
import { rsh } from './rsh.ts';

/** What a product reads of a matrix: row-major rows x columns weights and rows x (blocks of 64 columns) multipliers. */
export interface MatrixBlocks {
  readonly rows: number;
  readonly weights: Int8Array;
  readonly blockMultipliers: Uint8Array;
}

/**
 * acc[n] = rsh(sum over blocks g of c[n][g] * (sum over k in g of w[n][k] * q[k]), 4), exact but for that shift (SPEC section 5).
 * A block's sum is below 2^26, the sum of all below 2^40, the result below 2^36.
 */
export function matmul({ rows, weights, blockMultipliers }: MatrixBlocks, q: Int16Array): Float64Array {
  const columns = q.length;
  const blocks = Math.ceil(columns / limits.blockColumns);
  const acc = new Float64Array(rows);
  for (let n = 0; n < rows; n++) {
    let sum = 0;
    for (let g = 0; g < blocks; g++) {
      const end = Math.min(columns, (g + 1) * limits.blockColumns);
      let block = 0;
      for (let k = g * limits.blockColumns; k < end; k++) block = (block + weights[n * columns + k]! * q[k]!) | 0;
      sum += block * blockMultipliers[n * blocks + g]!;
    }
    acc[n] = rsh(sum, 4);
  }
  return acc;
}
