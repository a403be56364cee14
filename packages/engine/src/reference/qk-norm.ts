import { type NormWeights, rootMeanSquare } from './rms-norm.ts';
import { clampShift, mulRsh, powerOfTwo, sat } from './rsh.ts';

/**
 * RMSNorm of one head of q or k before RoPE, int32 Q16 in and out (SPEC section 6.2). It is not fused with quantisation as the norms of the
 * residual stream are: RoPE follows, and the next scale is taken after it.
 * @param epsilon - of the manifest's `qkNorm`
 */
export function qkNorm(head: Int32Array, { weights, exponent }: NormWeights, epsilon: number): Int32Array {
  const { root, halfShift } = rootMeanSquare(head, epsilon); // 2^21 <= root < 2^26
  const reciprocal = Math.floor(powerOfTwo(51) / Number(root));
  return Int32Array.from(head, (value, i) => {
    const normalised = mulRsh(value, reciprocal, 27 + halfShift); // Q24, < 2^29; the product < 2^61
    return sat(mulRsh(normalised, weights[i]!, clampShift(exponent + 8)));
  });
}
