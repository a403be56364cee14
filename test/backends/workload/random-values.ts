import { Xorshift } from '@commonweight/engine/testing/operations';

export const INT32_MAX = 2 ** 31 - 1;

/** Random integers of every size, from integer operations alone: `Math.log2` and `**` need not agree between JavaScript engines. */
export class RandomValues {
  readonly #random: Xorshift;

  constructor(seed: number) {
    this.#random = new Xorshift(seed);
  }

  integer(minimum: number, maximum: number): number {
    return this.#random.integer(minimum, maximum);
  }

  /** Every bit length up to that of `limit` (< 2^31) is as likely; both signs, both ends and zero come often. */
  spread(limit = INT32_MAX): number {
    const kind = this.integer(0, 15);
    if (kind === 0) return limit;
    if (kind === 1) return -limit;
    if (kind === 2) return 0;
    const magnitude = Math.min(limit, this.#random.uint32() >>> this.integer(1, 31));
    return this.integer(0, 1) === 0 ? magnitude : -magnitude;
  }

  /** Below 2^bits, every bit length as likely. */
  big(bits: number): bigint {
    const length = this.integer(0, bits);
    const wide = (BigInt(this.#random.uint32()) << 32n) | BigInt(this.#random.uint32());
    return BigInt.asUintN(length, wide);
  }

  signedBig(bits: number): bigint {
    const magnitude = this.big(bits);
    return this.integer(0, 1) === 0 ? magnitude : -magnitude;
  }

  /** 64 random bits. */
  bits64(): bigint {
    return (BigInt(this.#random.uint32()) << 32n) | BigInt(this.#random.uint32());
  }

  int32s(length: number, limit = INT32_MAX): Int32Array {
    return Int32Array.from({ length }, () => this.spread(limit));
  }

  int16s(length: number, limit: number): Int16Array {
    return Int16Array.from({ length }, () => this.spread(limit));
  }

  /** A limit of a random bit length, at most `bits` (<= 31): whole vectors of small values come too. */
  limit(bits: number): number {
    return INT32_MAX >>> (31 - this.integer(1, bits));
  }
}
