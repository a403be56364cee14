/**
 * RoPE table in big-integer fixed point with 160 fraction bits: the same bytes on every machine, for no libm takes part.
 * T[position][i] = (R(32767 cos a), R(32767 sin a)), a = position * base^(-2i / headDimension).
 */
const BITS = 160n;
const ONE = 1n << BITS;

/** 2 atanh(t) for 0 <= t < 1 by its series. */
function twiceAtanh(t: bigint): bigint {
  const square = (t * t) >> BITS;
  let sum = 0n;
  for (let power = t, i = 1n; power !== 0n; power = (power * square) >> BITS, i += 2n) sum += power / i;
  return 2n * sum;
}

/** ln(n) = k ln 2 - 2 atanh((1 - y) / (1 + y)), y = n / 2^k in [1/2, 1). */
function ln(n: number): bigint {
  const k = BigInt(n.toString(2).length);
  const y = (BigInt(n) << BITS) >> k;
  return k * twiceAtanh(ONE / 3n) - twiceAtanh(((ONE - y) << BITS) / (ONE + y));
}

/** e^-x for x >= 0: series at x / 2^16, then 16 squarings. */
function expNegative(x: bigint): bigint {
  const reduced = x >> 16n;
  let sum = ONE;
  for (let power = ONE, i = 1n; power !== 0n; i++) {
    power = (power * reduced) / (i << BITS);
    sum += i & 1n ? -power : power;
  }
  for (let i = 0; i < 16; i++) sum = (sum * sum) >> BITS;
  return sum;
}

/** Taylor series for 0 <= x <= 1. */
function cosSin(x: bigint): readonly [cos: bigint, sin: bigint] {
  let cos = 0n;
  let sin = 0n;
  for (let power = ONE, i = 0n; power !== 0n; power = (power * x) / (++i << BITS)) {
    const term = i & 2n ? -power : power;
    if (i & 1n) sin += term;
    else cos += term;
  }
  return [cos, sin];
}

const toInt16 = (value: bigint): number => Number((value * 32767n + (ONE >> 1n)) >> BITS);

/**
 * @param base - rope.freq_base, a positive integer.
 * @returns positions x headDimension/2 x (cos, sin) int16 little-endian: 2 * positions * headDimension bytes.
 */
export function ropeTable(base: number, headDimension: number, positions: number): Uint8Array {
  const pairs = headDimension / 2;
  const bytes = new Uint8Array(positions * pairs * 4);
  const view = new DataView(bytes.buffer);
  const lnBase = ln(base);
  for (let i = 0; i < pairs; i++) {
    const [stepCos, stepSin] = cosSin(expNegative((lnBase * 2n * BigInt(i)) / BigInt(headDimension)));
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
