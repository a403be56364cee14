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

/** The factor of temperature 1. */
export const UNIT_FACTOR = LOG2_E;

/** Weights are 0 beyond this scaled distance (Q16): 2^-25 still rounds to 1 of 24 fraction bits. */
const LAST_SCALED = 25 * 65_536;

/** The largest distance whose weight is not 0. */
export const lastWeighted = (factor: number): number => Math.floor((LAST_SCALED * 65_536 + 32_767) / factor);

/** 2^-f as Q30 for every fraction f (Q16): the polynomial of `exp2n` over all of its domain, computed once. */
let powers: Int32Array | undefined;

function makePowers(): Int32Array {
  return Int32Array.from({ length: 65_536 }, (_, f) => {
    let g = 247_557_401 + Math.floor((-42_019_797 * f + 32_768) / 65_536);
    g = -742_408_516 + Math.floor((g * f + 32_768) / 65_536);
    return 1_073_741_824 + Math.floor((g * f + 32_768) / 65_536);
  });
}

/**
 * Weights of logits that lie `deltas` (at most `lastWeighted(factor)`) below the largest: exp2n(rsh(delta * factor, 16), 24), 1 to 2^24. Returns their sum.
 * The same as the reference's `exp2n`, by a table of its 65,536 fractions: this runs over the vocabulary for every token.
 */
export function weigh(deltas: Uint32Array, count: number, factor: number, weights: Int32Array): number {
  const table = (powers ??= makePowers());
  const scale = factor / 65_536; // exact, and so is the product below: less than 2^38 with 16 fraction bits
  let total = 0;
  for (let i = 0; i < count; i++) {
    const d = (deltas[i]! * scale + 0.5) | 0;
    const whole = d >>> 16;
    const weight = (table[d & 65_535]! + (32 << whole)) >>> (6 + whole);
    weights[i] = weight;
    total += weight;
  }
  return total;
}
