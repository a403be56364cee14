import type { SamplerSettings } from '@commonweight/protocol';
import { describe, expect, it } from 'vitest';
import { exp2nBig } from '../testing/restatements.ts';
import { sortingSampler, sortingWeights } from '../testing/sorting-sampler.ts';
import { Xorshift } from '../testing/xorshift.ts';
import { sampleToken } from './sample-token.ts';
import { logitFactor, weightOf } from './weight.ts';

const draw64 = (random: Xorshift): bigint => (BigInt(random.uint32()) << 32n) | BigInt(random.uint32());
const pick = <T>(random: Xorshift, values: readonly T[]): T => values[random.integer(0, values.length - 1)]!;

function randomCase(random: Xorshift): { logits: Int32Array; settings: SamplerSettings; draw: bigint } {
  const size = random.integer(1, 160);
  const spread = 2 ** random.integer(0, 30);
  const step = pick(random, [1, 1, Math.ceil(spread / 4)]); // many ties
  const logits = Int32Array.from({ length: size }, () => random.integer(-Math.floor(spread / step), Math.floor(spread / step)) * step);
  if (random.integer(0, 9) === 0) logits[0] = pick(random, [2 ** 31 - 1, -(2 ** 31 - 1)]);
  const settings = {
    temperature: pick(random, [0, 10_000, 300_000, 700_000, 1_000_000, 2_000_000, 100_000_000]),
    topK: pick(random, [0, 1, 2, 5, 40, size, size + 1]),
    topP: pick(random, [1_000_000, 999_999, 950_000, 500_000, 100_000, 1]),
  };
  return { logits, settings, draw: pick(random, [draw64(random), draw64(random), draw64(random), 0n, (1n << 64n) - 1n]) };
}

describe('sampleToken', () => {
  it('equals the sorting sampler on 5,000 random cases with ties and extremes', () => {
    const random = new Xorshift(20_261_121);
    const tokens = new Set<number>();
    for (let i = 0; i < 5000; i++) {
      const { logits, settings, draw } = randomCase(random);
      const token = sampleToken(logits, settings, draw);
      expect({ i, settings, token }).toEqual({ i, settings, token: sortingSampler(logits, settings, draw) });
      tokens.add(token);
    }
    expect(tokens.size).toBeGreaterThan(100);
  });

  it('equals the sorting sampler on a whole vocabulary', () => {
    const random = new Xorshift(3);
    const logits = Int32Array.from({ length: 49_152 }, () => random.integer(-700_000, 700_000));
    for (const settings of [
      { temperature: 1_000_000, topK: 0, topP: 1_000_000 },
      { temperature: 800_000, topK: 40, topP: 950_000 },
      { temperature: 1_500_000, topK: 0, topP: 900_000 },
    ]) {
      const draw = draw64(random);
      expect(sampleToken(logits, settings, draw)).toBe(sortingSampler(logits, settings, draw));
    }
  });

  it('greedy takes the lowest index among the maxima and ignores the draw', () => {
    expect(sampleToken(Int32Array.of(-5, 7, 7, 3), { temperature: 0, topK: 3, topP: 1 }, 1n << 64n)).toBe(1);
    expect(sampleToken(Int32Array.of(-(2 ** 31 - 1)), { temperature: 0, topK: 0, topP: 1_000_000 }, 0n)).toBe(0);
  });

  it('keeps ties at the k-th logit', () => {
    const settings = { temperature: 1_000_000, topK: 2, topP: 1_000_000 };
    const seen = new Set<number>();
    const random = new Xorshift(5);
    for (let i = 0; i < 200; i++) seen.add(sampleToken(Int32Array.of(10, 10, 5, 10, 4), settings, draw64(random)));
    expect(seen).toEqual(new Set([0, 1, 3]));
  });

  it('draws in proportion to the weights (chi-square, 7 degrees of freedom, fixed seed)', () => {
    const logits = Int32Array.from({ length: 8 }, (_, i) => i * 40_000);
    const weights = sortingWeights(logits, 1_000_000).map(Number);
    const total = weights.reduce((a, b) => a + b);
    const counts = Array.from({ length: 8 }, () => 0);
    const random = new Xorshift(42);
    const draws = 100_000;
    for (let i = 0; i < draws; i++) counts[sampleToken(logits, { temperature: 1_000_000, topK: 0, topP: 1_000_000 }, draw64(random))]!++;
    const chiSquare = counts.reduce(
      (sum, count, i) => sum + (count - (draws * weights[i]!) / total) ** 2 / ((draws * weights[i]!) / total),
      0,
    );
    expect(chiSquare).toBeLessThan(18.5); // the 99 % quantile
    expect(weights.every((weight) => weight > 0)).toBe(true);
  });

  it('refuses settings and draws outside their ranges, naming the field', () => {
    const logits = Int32Array.of(1, 2);
    const good = { temperature: 1_000_000, topK: 0, topP: 1_000_000 };
    expect(() => sampleToken(logits, { ...good, temperature: 9_999 }, 0n)).toThrow('temperature: expected 0 or 10,000');
    expect(() => sampleToken(logits, { ...good, topK: -1 }, 0n)).toThrow('topK: expected 0 to 1048576, got -1');
    expect(() => sampleToken(logits, { ...good, topP: 0 }, 0n)).toThrow('topP: expected 1 to 1000000, got 0');
    expect(() => sampleToken(logits, good, 1n << 64n)).toThrow('draw: expected 0 to 2^64 - 1');
    expect(() => sampleToken(logits, good, -1n)).toThrow('draw');
    expect(() => sampleToken(new Int32Array(0), good, 0n)).toThrow('logits: expected one or more');
  });
});

describe('weightOf', () => {
  const restated = (delta: number, factor: number): bigint => {
    const d = (BigInt(delta) * BigInt(factor) + 32_768n) >> 16n;
    return exp2nBig(d < 2_147_483_647n ? d : 2_147_483_647n, 24n);
  };

  it('equals exp2n of the scaled distance for random and extreme distances', () => {
    const random = new Xorshift(11);
    for (const temperature of [10_000, 123_457, 1_000_000, 100_000_000]) {
      const factor = logitFactor(temperature);
      for (let i = 0; i < 2000; i++) {
        const delta = random.uint32() >>> random.integer(0, 31);
        expect(BigInt(weightOf(delta, factor))).toBe(restated(delta, factor));
      }
      for (const delta of [0, 1, 2 ** 32 - 2]) expect(BigInt(weightOf(delta, factor))).toBe(restated(delta, factor));
    }
  });

  it('agrees around every octave seam, at factor 1.0', () => {
    for (let octave = 0; octave <= 40; octave++) {
      for (let near = -3; near <= 3; near++) {
        const delta = Math.max(0, octave * 65_536 + near);
        expect(BigInt(weightOf(delta, 65_536))).toBe(restated(delta, 65_536));
      }
    }
    expect(weightOf(25 * 65_536, 65_536)).toBe(1);
    expect(weightOf(25 * 65_536 + 1, 65_536)).toBe(0);
  });

  it('has factors below 2^24, rounded to nearest', () => {
    expect(logitFactor(10_000)).toBe(9_454_800);
    expect(logitFactor(1_000_000)).toBe(94_548);
    expect(logitFactor(2_000_000)).toBe(47_274);
    expect(logitFactor(100_000_000)).toBe(945);
  });
});
