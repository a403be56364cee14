import { limits } from '../limits.ts';

/** acc[n] = sum over k of w[n][k] * q[k], exact (SPEC section 5). `weights` is row-major rows x columns; int32 within blocks, below 2^36 in all. */
export function matmul(weights: Int8Array, q: Int16Array, rows: number): Float64Array {
  const columns = q.length;
  const acc = new Float64Array(rows);
  for (let n = 0; n < rows; n++) {
    const row = n * columns;
    let sum = 0;
    for (let start = 0; start < columns; start += limits.matmulBlock) {
      const end = Math.min(columns, start + limits.matmulBlock);
      let block = 0;
      for (let k = start; k < end; k++) block = (block + weights[row + k]! * q[k]!) | 0;
      sum += block;
    }
    acc[n] = sum;
  }
  return acc;
}
