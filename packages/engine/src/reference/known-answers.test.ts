import { describe, expect, it } from 'vitest';
import { exp2n } from './exp2n.ts';
import { quantise } from './quantise.ts';
import { requantise } from './requantise.ts';
import { rmsNormQuantise } from './rms-norm.ts';
import { sdiv } from './scale.ts';
import { silu } from './swiglu.ts';

/**
 * Hashes over pseudo-random inputs that a C program (gcc, clang, with and without optimisation and sanitizers) computed from the same specification.
 * FNV-1a over the 32-bit halves of each result.
 */
class Stream {
  #state = 123_456_789;
  #hash = 2_166_136_261;

  next = (): number => {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return x >>> 0;
  };

  /** Of either sign, with a random number of bits up to `bits`. */
  signed = (bits: number): number => {
    const shift = 31 - (this.next() % bits);
    const value = this.next() >>> shift;
    return this.next() & 1 ? -value : value;
  };

  put = (value: number): void => {
    const high = Math.floor(value / 2 ** 32);
    this.#hash = Math.imul(this.#hash ^ ((value - high * 2 ** 32) | 0), 16_777_619);
    this.#hash = Math.imul(this.#hash ^ (high | 0), 16_777_619);
  };

  /** The hash so far; starts a new one. */
  take = (): string => {
    const text = (this.#hash >>> 0).toString(16).padStart(8, '0');
    this.#hash = 2_166_136_261;
    return text;
  };
}

describe('known answers of an independent implementation', () => {
  // One stream through all operations: the order of the calls is part of the test.
  it('agrees on exp2n, SiLU, requantise, sdiv, quantise and RMSNorm', () => {
    const { next, signed, put, take } = new Stream();
    const distances = (fractionBits: number): string => {
      for (let i = 0; i < 1_000_000; i++) {
        const value = next();
        put(exp2n(value >>> ((next() % 31) + 1), fractionBits));
      }
      return take();
    };
    expect(distances(15)).toBe('c30c4df1');
    expect(distances(24)).toBe('3d6a8d75');

    for (let i = 0; i < 1_000_000; i++) put(silu(signed(31)));
    expect(take()).toBe('dc923297');

    for (let i = 0; i < 1_000_000; i++) {
      const scale = { mantissa: 32_768 + (next() % 100_000), exponent: (next() % 60) - 40 };
      const acc = signed(31);
      const multiplier = next() % 4_194_305;
      const exponent = 20 + (next() % 12);
      put(requantise(acc, multiplier, exponent, scale, next() & 1 ? 16 : 12));
    }
    expect(take()).toBe('d9c707de');

    for (let i = 0; i < 100_000; i++) {
      const scale = { mantissa: next() % 66_054, exponent: (next() % 40) - 20 };
      const value = next();
      const denominator = BigInt(value >>> (next() % 32)) << BigInt(next() % 21);
      const { mantissa, exponent } = sdiv(scale, denominator | 1n);
      put(mantissa);
      put(exponent);
    }
    expect(take()).toBe('947fb8f2');

    for (let i = 0; i < 20_000; i++) {
      let bits = next() & 1 ? 14 : 8;
      if (next() & 1) bits = 16;
      const factor = 2 ** (next() % 22);
      const width = 1 + (next() % 31);
      const { q, scale } = quantise(
        Array.from({ length: 64 }, () => signed(width) * factor),
        bits,
      );
      for (const value of [scale.mantissa, scale.exponent, ...q]) put(value);
    }
    expect(take()).toBe('422f8e76');

    for (let i = 0; i < 2000; i++) {
      const x = new Int32Array(576);
      const weights = new Int32Array(576);
      const width = 1 + (next() % 31);
      for (let j = 0; j < 576; j++) {
        x[j] = signed(width);
        weights[j] = signed(16);
      }
      const { q, scale } = rmsNormQuantise(x, { weights, exponent: 15 }, 96_637, 14);
      for (const value of [scale.mantissa, scale.exponent, ...q]) put(value);
    }
    expect(take()).toBe('5da466f5');
  });
});
