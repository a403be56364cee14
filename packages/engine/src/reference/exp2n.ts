import { rsh } from './rsh.ts';

/** 2^-d as an integer with `fractionBits` (15 or 24) fraction bits, d >= 0 in Q16; a cubic on the fraction, monotone over all d (SPEC section 1). */
export function exp2n(d: number, fractionBits: number): number {
  const whole = Math.floor(d / 65536);
  if (whole > 31) return 0;
  const fraction = d % 65536;
  let g = -42_019_797;
  g = 247_557_401 + rsh(g * fraction, 16);
  g = -742_408_516 + rsh(g * fraction, 16);
  g = 1_073_741_824 + rsh(g * fraction, 16);
  return rsh(g, 30 - fractionBits + whole);
}
