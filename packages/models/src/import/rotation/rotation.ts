import { CommonweightError, sha256, utf8 } from '@commonweight/protocol';
import { hadamardFactors, timesHadamard } from './hadamard.ts';

/** An orthogonal matrix Q. */
export interface Rotation {
  readonly order: number;
  /** x Q in place; an element of x is `width` consecutive numbers (1: a row vector; the columns of a row-major matrix X: Q^T X). */
  readonly apply: (x: Float64Array, width: number) => void;
}

/**
 * Q = D H / sqrt(order): a Hadamard matrix with the signs of its rows (D) drawn from `label` (SPEC section 2.3). Throws `model_unsupported` for an order that
 * {@link hadamardFactors} does not know, naming `field`.
 */
export function rotationOf(order: number, label: string, field: string): Rotation {
  const factors = hadamardFactors(order);
  if (factors === undefined) {
    throw new CommonweightError(
      `${field}: expected a number that has a Hadamard matrix here (2^n, or 4p for each of its odd primes p of 3, 5, 7, 11, 17, 19 ... times 2^n), got ${order}; import with the default profile`,
      { code: 'model_unsupported', field },
    );
  }
  const signs = signsOf(order, label);
  const scale = 1 / Math.sqrt(order);
  return {
    order,
    apply: (x, width) => {
      for (let i = 0; i < order; i++) {
        const factor = signs[i]! * scale;
        for (let k = i * width; k < (i + 1) * width; k++) x[k]! *= factor;
      }
      timesHadamard(factors, x, width);
    },
  };
}

/** Sign i is bit i mod 256 (of byte floor(i mod 256 / 8), lowest bit first; set: -1) of SHA-256("commonweight/rotation/1 " || label || " " || floor(i / 256)). */
function signsOf(order: number, label: string): Int8Array {
  const signs = new Int8Array(order);
  for (let start = 0; start < order; start += 256) {
    const digest = sha256(utf8(`commonweight/rotation/1 ${label} ${start / 256}`));
    for (let i = start; i < Math.min(order, start + 256); i++) signs[i] = (digest[(i - start) >> 3]! >> (i & 7)) & 1 ? -1 : 1;
  }
  return signs;
}
