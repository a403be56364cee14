import { BITS, cosSin, ONE } from './fixed-point.ts';

const toInt16 = (value: bigint): number => Number((value * 32767n + (ONE >> 1n)) >> BITS);

/**
 * T[position][i] = (R(32767 cos a), R(32767 sin a)), a = position * frequencies[i] (SPEC section 2.3).
 * @param frequencies - one a pair, at most 1, as `fixed-point.ts` has them
 * @returns positions x pairs x (cos, sin) int16 little-endian
 */
export function ropeTable(frequencies: readonly bigint[], positions: number): Uint8Array {
  const pairs = frequencies.length;
  const bytes = new Uint8Array(positions * pairs * 4);
  const view = new DataView(bytes.buffer);
  for (const [i, frequency] of frequencies.entries()) {
    const [stepCos, stepSin] = cosSin(frequency);
    let cos = ONE;
    let sin = 0n;
    for (let position = 0; position < positions; position++) {
      const at = (position * pairs + i) * 4;
      view.setInt16(at, toInt16(cos), true);
      view.setInt16(at + 2, toInt16(sin), true);
      [cos, sin] = [(cos * stepCos - sin * stepSin) >> BITS, (cos * stepSin + sin * stepCos) >> BITS];
    }
  }
  return bytes;
}
