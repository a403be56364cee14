// What the vectors are drawn with: one sequence of random numbers for all of them, so their order matters.
import type * as spec from '../../src/testing/restatements.ts';
import { Xorshift } from '../../src/testing/xorshift.ts';

export const MAX = 2 ** 31 - 1;
export const random = new Xorshift(14);

export const big = (values: readonly number[]): bigint[] => values.map(BigInt);
export const numbers = (values: readonly bigint[]): number[] => values.map(Number);
export const list = <T>(length: number, make: (index: number) => T): T[] => Array.from({ length }, (_, i) => make(i));
export const uniform = (limit: number) => (): number => random.integer(-limit, limit);
/** Signed, of every magnitude below 2^bits. */
export const wild = (bits: number): bigint => {
  const value = ((BigInt(random.uint32()) << 32n) | BigInt(random.uint32())) >> BigInt(64 - random.integer(0, bits));
  return random.integer(0, 1) ? -value : value;
};
export const wildNumber = (bits: number): number => Number(wild(bits));
export const scaleOf = ({ m, e }: spec.ScaleBig) => ({ mantissa: Number(m), exponent: Number(e) });
export const quantised = ({ q, scale }: { q: bigint[]; scale: spec.ScaleBig }) => ({ q: numbers(q), ...scaleOf(scale) });
export const pick = <T>(values: readonly T[]): T => values[random.integer(0, values.length - 1)]!;
