/** floor((x + 2^(s-1)) / 2^s); x itself for s = 0. The only rounding of signed values: ties go towards +infinity (SPEC section 1). */
export function rshBig(x: bigint, shift: number): bigint {
  return shift === 0 ? x : (x + (1n << BigInt(shift - 1))) >> BigInt(shift);
}

/** 2^0 to 2^62 by doubling: the language leaves the precision of `**` to the implementation. */
const POWERS: readonly number[] = doublings(62);

function doublings(count: number): number[] {
  const powers = [1];
  for (let i = 0; i < count; i++) powers.push(2 * powers[i]!);
  return powers;
}

/** 2^exponent for an integer exponent from 0 to 62. */
export const powerOfTwo = (exponent: number): number => POWERS[exponent]!;

/** {@link rshBig} on Numbers: exact while |x| + 2^(s-1) <= 2^53. */
export function rsh(x: number, shift: number): number {
  return shift === 0 ? x : Math.floor((x + POWERS[shift - 1]!) / POWERS[shift]!);
}

const HALF_OF_EXACT = 2 ** 52;

/** rsh(a * b, shift) of integers, exact for results below 2^53; larger ones come out as some Number of at least 2^53 (they are only ever clamped). */
export function mulRsh(a: number, b: number, shift: number): number {
  const product = a * b;
  // A product that is 2^52 or less as a float64 is exact: a larger one would have rounded to more than that.
  if (product <= HALF_OF_EXACT && product >= -HALF_OF_EXACT && shift <= 52) return rsh(product, shift);
  return Number(rshBig(BigInt(a) * BigInt(b), shift));
}

export const INT32_LIMIT = 2 ** 31 - 1;

/** Clamps to [-(2^31 - 1), 2^31 - 1]. */
export function sat(x: number): number {
  return x > INT32_LIMIT ? INT32_LIMIT : x < -INT32_LIMIT ? -INT32_LIMIT : x;
}

/** Clamps a shift to [0, 62], so that no operation is undefined for any input. */
export function clampShift(shift: number): number {
  return Math.max(0, Math.min(62, shift));
}

/** Bits of an integer 0 <= x < 2^53; 0 has none. */
export function bitLength(x: number): number {
  return x < 2 ** 32 ? 32 - Math.clz32(x) : 64 - Math.clz32(Math.floor(x / 2 ** 32));
}

/** Bits of x >= 0. */
export function bitLengthBig(x: bigint): number {
  return x === 0n ? 0 : x.toString(2).length;
}
