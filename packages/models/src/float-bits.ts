/** Exact helpers on float64 that need no function of a maths library. */

const view = new DataView(new ArrayBuffer(8));

/** 2^exponent, exact, for -1022 <= exponent <= 1023. */
export function pow2(exponent: number): number {
  view.setUint32(0, (exponent + 1023) * 2 ** 20);
  view.setUint32(4, 0);
  return view.getFloat64(0);
}

/** The e of `x = m * 2^e`, 1/2 <= m < 1, for finite x > 0; 0 for x = 0 (as C's frexp). */
export function exponentOf(x: number): number {
  if (x === 0) return 0;
  view.setFloat64(0, x);
  const biased = (view.getUint32(0) >>> 20) & 0x7ff;
  return biased === 0 ? exponentOf(x * pow2(64)) - 64 : biased - 1022;
}

/** R of SPEC: floor(x + 1/2). */
export const roundHalfUp = (x: number): number => Math.floor(x + 0.5);
