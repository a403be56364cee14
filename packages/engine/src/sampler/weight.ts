import { CommonweightError } from '@commonweight/protocol';

const LOG2_E = 94_548; // Q16

/** log2(e) / temperature in Q16, rounded; temperature in millionths, 10,000 to 100,000,000 (SPEC section 14). Below 2^24. */
export function logitFactor(temperature: number): number {
  if (!Number.isInteger(temperature) || temperature < 10_000 || temperature > 100_000_000) {
    throw new CommonweightError(`temperature: expected 0 or 10,000 to 100,000,000 millionths, got ${temperature}`, {
      code: 'sampler',
      field: 'temperature',
    });
  }
  return Math.floor((LOG2_E * 2_000_000 + temperature) / (2 * temperature));
}

/** Scaled distances above this have weight 0: 2^-26 rounds to 0 of 24 fraction bits. */
const ZERO_FROM = 26 * 65_536 * 65_536;

/**
 * Weight of a logit that lies `delta` (0 to 2^32 - 2) below the largest: exp2n(min(rsh(delta * factor, 16), 2^31 - 1), 24), 0 to 2^24.
 * The same as the reference's `exp2n`, unrolled: this runs once for each id of the vocabulary.
 */
export function weightOf(delta: number, factor: number): number {
  const product = delta * factor; // may round above 2^53, where only its size matters
  if (product >= ZERO_FROM) return 0;
  const d = Math.floor((product + 32_768) / 65_536);
  const whole = d >>> 16;
  const f = d & 65_535;
  let g = 247_557_401 + Math.floor((-42_019_797 * f + 32_768) / 65_536);
  g = -742_408_516 + Math.floor((g * f + 32_768) / 65_536);
  g = 1_073_741_824 + Math.floor((g * f + 32_768) / 65_536);
  // rsh(g, 6 + whole) with 2^29 <= g <= 2^30: at a shift of 31 or more only g = 2^30 at exactly 31 is left.
  if (whole >= 25) return whole === 25 && g === 1_073_741_824 ? 1 : 0;
  return (g + (1 << (5 + whole))) >>> (6 + whole);
}
