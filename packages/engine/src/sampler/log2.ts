/** log2 of W / 2^24 as Q24, rounded down, for 2^24 <= W <= 2^44: a bit a squaring (SPEC section 14.1). Monotone in W. */
export function log2Q24(weight: number): number {
  const w = BigInt(weight);
  const n = BigInt(weight.toString(2).length - 1);
  let x = (w << 31n) >> n;
  let y = n - 24n;
  for (let i = 0; i < 24; i++) {
    x = (x * x) >> 31n;
    y *= 2n;
    if (x >> 32n !== 0n) {
      x >>= 1n;
      y++;
    }
  }
  return Number(y);
}
