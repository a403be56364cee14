import { bitLengthBig } from './rsh.ts';

/** The r with r^2 <= n < (r+1)^2, n >= 0, by Newton's iteration from above. */
export function isqrt(n: bigint): bigint {
  if (n === 0n) return 0n;
  let root = 1n << BigInt((bitLengthBig(n) + 1) >> 1);
  for (;;) {
    const next = (root + n / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}
