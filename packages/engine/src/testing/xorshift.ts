/** Deterministic pseudo-random numbers for tests and vectors (Marsaglia's xorshift32). Not for anything secret. */
export class Xorshift {
  #state: number;

  /** @param seed - 1 to 2^32 - 1. */
  constructor(seed: number) {
    if (!Number.isInteger(seed) || seed < 1 || seed > 0xffffffff)
      throw new RangeError(`seed: expected an integer from 1 to 2^32 - 1, got ${seed}`);
    this.#state = seed;
    for (let i = 0; i < 8; i++) this.uint32();
  }

  /** 0 to 2^32 - 1 (0 never comes). */
  uint32(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x >>> 0;
    return this.#state;
  }

  /** An integer from `minimum` to `maximum`, both included; the range is smaller than 2^32. */
  integer(minimum: number, maximum: number): number {
    return minimum + Math.floor((this.uint32() * (maximum - minimum + 1)) / 2 ** 32);
  }
}
