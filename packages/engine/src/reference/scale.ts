import { bitLengthBig } from './rsh.ts';

/** Scale of a quantised vector: value = integer * mantissa * 2^exponent. */
export interface Scale {
  readonly mantissa: number;
  readonly exponent: number;
}

/** The scale divided by an integer 1 <= denominator < 2^62 (SPEC section 1). Mantissa < 2^17 in, < 2^18 out. */
export function sdiv(scale: Scale, denominator: bigint): Scale {
  const bits = bitLengthBig(denominator);
  const normalised = bits <= 32 ? denominator << BigInt(32 - bits) : denominator >> BigInt(bits - 32);
  return { mantissa: Number((BigInt(scale.mantissa) << 32n) / normalised), exponent: scale.exponent - bits };
}
