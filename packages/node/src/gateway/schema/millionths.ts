/** Millionths in one. */
export const MILLION = 1_000_000;

/**
 * A JSON number as an integer count of millionths, read from its shortest decimal form, so that 0.7 is exactly 700,000 and no binary
 * fraction leaks into a signed request. More than six decimals are rounded to the nearest millionth, halves up.
 * @param value - finite, magnitude up to 10^9; a negative one is the negative of its magnitude's count.
 */
export function toMillionths(value: number): number {
  if (value < 0) return 0 - toMillionths(-value); // never -0, which canonical JSON has no spelling for
  const [, whole = '', fraction = '', exponent = '0'] = /^(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(value)) ?? [];
  const shift = 6 + Number(exponent) - fraction.length;
  const digits = BigInt(whole + fraction);
  if (shift >= 0) return Number(digits * 10n ** BigInt(shift));
  const unit = 10n ** BigInt(-shift);
  return Number((digits + unit / 2n) / unit);
}
