import { describe, expect, it } from 'vitest';
import { divide, fromNumber, ln, ONE, toNumber, twoPi } from './fixed-point.ts';
import { llama3Factors, ropeFrequencies } from './rope-frequencies.ts';
import { type RopeScaling, usualAttentionFactor } from './rope-parameters.ts';

const plain = (base: number, size: number): number[] => Array.from({ length: size / 2 }, (_, i) => base ** ((-2 * i) / size));
const frequencies = (base: number, size: number, scaling: RopeScaling): number[] => ropeFrequencies({ base, scaling }, size).map(toNumber);
const expectClose = (got: readonly number[], want: readonly number[]): void => {
  expect(got).toHaveLength(want.length);
  for (const [i, value] of got.entries()) expect(Math.abs(value / want[i]! - 1)).toBeLessThan(1e-13);
};

describe('fixed point', () => {
  it('holds float64 exactly, and knows pi and logarithms', () => {
    for (const x of [1, 0.1, 1 / 3, 10_000, 2 ** 40 + 0.5, Math.fround(1e-5), 2 ** -50]) expect(toNumber(fromNumber(x))).toBe(x);
    expect(toNumber(twoPi())).toBe(2 * Math.PI);
    for (const x of [0.001, 0.5, 1, 1.5, 10, 1_000_000]) expect(toNumber(ln(fromNumber(x)))).toBeCloseTo(Math.log(x), 13);
    expect(divide(-ONE, 3n * ONE)).toBe(-(ONE / 3n) - 1n);
  });
});

describe('RoPE frequencies', () => {
  it.each([
    [10_000, 16],
    [500_000, 128],
    [1_000_000, 64],
  ])('base %i, head dimension %i: plain, linear, by factors', (base, size) => {
    expectClose(frequencies(base, size, { type: 'none' }), plain(base, size));
    expectClose(
      frequencies(base, size, { type: 'linear', factor: 2.5 }),
      plain(base, size).map((theta) => theta / 2.5),
    );
    const factors = plain(base, size).map((_, i) => 1 + i / 7);
    expectClose(
      frequencies(base, size, { type: 'factors', factors }),
      plain(base, size).map((theta, i) => theta / factors[i]!),
    );
  });

  it('YaRN keeps fast pairs, interpolates slow ones, and goes from one to the other in a ramp', () => {
    const yarn = {
      type: 'yarn',
      factor: 4,
      betaFast: 32,
      betaSlow: 1,
      originalContext: 32_768,
      attentionFactor: usualAttentionFactor(4),
    } as const;
    const got = frequencies(1_000_000, 128, yarn);
    const pair = (turns: number): number => (128 * Math.log(32_768 / (turns * 2 * Math.PI))) / (2 * Math.log(1_000_000));
    const [low, high] = [Math.floor(pair(32)), Math.ceil(pair(1))];
    expect([low, high]).toEqual([23, 40]);
    const shares = plain(1_000_000, 128).map((theta, i) => (got[i]! / theta - 1 / 4) / (3 / 4));
    for (const [i, share] of shares.entries()) expect(share).toBeCloseTo(Math.min(1, Math.max(0, 1 - (i - low) / (high - low))), 12);
  });

  it("Llama 3.1's factors: 1 for short waves, 8 for long ones", () => {
    const factors = llama3Factors(500_000, 128, { factor: 8, lowFactor: 1, highFactor: 4, originalContext: 8192 });
    expect(factors.slice(0, 29)).toEqual(Array.from({ length: 29 }, () => 1));
    expect(factors.slice(35)).toEqual(Array.from({ length: 29 }, () => 8));
    for (const [i, factor] of factors.slice(29, 35).entries()) {
      const turns = (8192 * 500_000 ** (-(2 * (i + 29)) / 128)) / (2 * Math.PI);
      const smooth = (turns - 1) / 3;
      expect(factor / (1 / ((1 - smooth) / 8 + smooth))).toBeCloseTo(1, 6);
    }
  });
});
