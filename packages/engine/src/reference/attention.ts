import { exp2n } from './exp2n.ts';
import type { KeyValueHead } from './kv-cache.ts';
import { quantise } from './quantise.ts';
import { clampShift, mulRsh, rsh } from './rsh.ts';
import { sdiv } from './scale.ts';

const SCORE_LIMIT = 2 ** 30;

/** log2(e)/sqrt(headDimension) = mantissa * 2^(exponent - 16). */
export interface AttentionScale {
  readonly mantissa: number;
  readonly exponent: number;
}

/** One query head over cache positions 0 .. positions-1 (SPEC sections 8 to 10). `q` is int32 Q16 after RoPE; the result is Q24, below 2^41. */
export function attend(q: Int32Array, cache: KeyValueHead, positions: number, constant: AttentionScale): Float64Array {
  const y = scores(q, cache, positions, constant);
  let largest = -SCORE_LIMIT;
  for (const score of y) largest = Math.max(largest, score);

  let sum = 0;
  const weighted = new Float64Array(positions);
  for (let j = 0; j < positions; j++) {
    const p = exp2n(largest - y[j]!, 15);
    sum += p;
    weighted[j] = p * cache.valueScales[j]!; // below 2^48
  }
  const { q: w, scale } = quantise(weighted, 16);
  const out = sdiv(scale, BigInt(sum));
  const shift = clampShift(-out.exponent + 16 + 7 - 24);

  const size = q.length;
  const acc = new Float64Array(size); // below 2^39 at 2^17 positions
  for (let j = 0; j < positions; j++) {
    for (let i = 0; i < size; i++) acc[i]! += w[j]! * cache.values[j * size + i]!;
  }
  return acc.map((value) => mulRsh(value, out.mantissa, shift));
}

/** Scores in log2 units, Q16, clamped to +-2^30. */
export function scores(q: Int32Array, cache: KeyValueHead, positions: number, constant: AttentionScale): Int32Array {
  const size = q.length;
  const { q: query, scale } = quantise(q, 14);
  const multiplier = rsh(scale.mantissa * constant.mantissa, 16);
  const shift = clampShift(16 + 7 - (scale.exponent + constant.exponent) - 16);
  const y = new Int32Array(positions);
  for (let j = 0; j < positions; j++) {
    let dot = 0; // |dot| <= 8191 * 127 * 256 < 2^28
    for (let i = 0; i < size; i++) dot += query[i]! * cache.keys[j * size + i]!;
    const t = mulRsh(dot, cache.keyScales[j]!, 16);
    y[j] = Math.max(-SCORE_LIMIT, Math.min(SCORE_LIMIT, mulRsh(t, multiplier, shift)));
  }
  return y;
}
