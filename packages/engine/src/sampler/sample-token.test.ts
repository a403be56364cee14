import { type SamplerSettings, prfDraw, samplerSettings } from '@commonweight/protocol';
import { describe, expect, it } from 'vitest';
import { exp2nBig } from '../testing/restatements.ts';
import { type IdsBefore, sortingSampler, sortingWeights } from '../testing/sorting-sampler.ts';
import { Xorshift } from '../testing/xorshift.ts';
import { sampleToken } from './sample-token.ts';
import { Sampler } from './sampler.ts';
import { lastWeighted, logitFactor, weigh } from './weight.ts';

const draw64 = (random: Xorshift): bigint => (BigInt(random.uint32()) << 32n) | BigInt(random.uint32());
const pick = <T>(random: Xorshift, values: readonly T[]): T => values[random.integer(0, values.length - 1)]!;

function randomLogits(random: Xorshift): Int32Array {
  const size = random.integer(1, 160);
  const spread = 2 ** random.integer(0, 30);
  const step = pick(random, [1, 1, Math.ceil(spread / 4)]); // many ties
  const logits = Int32Array.from({ length: size }, () => random.integer(-Math.floor(spread / step), Math.floor(spread / step)) * step);
  if (random.integer(0, 9) === 0) logits[0] = pick(random, [2 ** 31 - 1, -(2 ** 31 - 1)]);
  return logits;
}

function randomChoice(random: Xorshift, size: number) {
  return {
    temperature: pick(random, [0, 10_000, 300_000, 700_000, 1_000_000, 2_000_000, 100_000_000]),
    topK: pick(random, [0, 1, 2, 5, 40, size, size + 1]),
    topP: pick(random, [1_000_000, 999_999, 950_000, 500_000, 100_000, 1]),
    minP: pick(random, [0, 0, 1, 50_000, 500_000, 1_000_000]),
  };
}

function randomPenalties(random: Xorshift, size: number): Partial<SamplerSettings> {
  const ids = new Set(Array.from({ length: random.integer(0, 5) }, () => random.integer(0, size + 2)));
  const sign = (): number => pick(random, [1, -1]);
  return {
    repetitionPenalty: pick(random, [1_000_000, 10_000, 999_999, 1_200_000, 2_000_000, random.integer(10_000, 2_000_000)]),
    presencePenalty: pick(random, [0, 2_000_000, -2_000_000, random.integer(-2_000_000, 2_000_000)]),
    frequencyPenalty: pick(random, [0, 2_000_000, -2_000_000, random.integer(-2_000_000, 2_000_000)]),
    logitBias: [...ids]
      .sort((a, b) => a - b)
      .map((id) => [id, sign() * pick(random, [1, 7, 8, 100_000_000, random.integer(1, 100_000_000)])]),
  };
}

describe('sampleToken', () => {
  it('equals the sorting sampler on 5,000 random cases with ties and extremes', () => {
    const random = new Xorshift(20_261_121);
    const tokens = new Set<number>();
    for (let i = 0; i < 5000; i++) {
      const logits = randomLogits(random);
      const settings = samplerSettings(randomChoice(random, logits.length));
      const draw = pick(random, [draw64(random), draw64(random), draw64(random), 0n, (1n << 64n) - 1n]);
      const token = sampleToken(logits, settings, draw);
      expect({ i, settings, token }).toEqual({ i, settings, token: sortingSampler(logits, settings, draw) });
      tokens.add(token);
    }
    expect(tokens.size).toBeGreaterThan(100);
  });

  it('equals the sorting sampler on a whole vocabulary', () => {
    const random = new Xorshift(3);
    const logits = Int32Array.from({ length: 49_152 }, () => random.integer(-700_000, 700_000));
    for (const given of [
      { temperature: 1_000_000 },
      { temperature: 800_000, topK: 40, topP: 950_000 },
      { temperature: 1_500_000, topP: 900_000 },
      { temperature: 1_000_000, minP: 50_000 },
    ]) {
      const draw = draw64(random);
      const settings = samplerSettings(given);
      expect(sampleToken(logits, settings, draw)).toBe(sortingSampler(logits, settings, draw));
    }
  });

  it('greedy takes the lowest index among the maxima and ignores the draw', () => {
    expect(sampleToken(Int32Array.of(-5, 7, 7, 3), samplerSettings({ topK: 3, topP: 1 }), 1n << 64n)).toBe(1);
    expect(sampleToken(Int32Array.of(-(2 ** 31 - 1)), samplerSettings(), 0n)).toBe(0);
  });

  it.each([
    ['the k-th logit', { topK: 2 }, [10, 10, 5, 10, 4]],
    ['the min-p threshold', { minP: 1_000_000 }, [10, 10, -70_000, 10, -70_000]],
  ])('keeps ties at %s', (_, given, logits) => {
    const settings = samplerSettings({ temperature: 1_000_000, ...given });
    const seen = new Set<number>();
    const random = new Xorshift(5);
    for (let i = 0; i < 200; i++) seen.add(sampleToken(Int32Array.from(logits), settings, draw64(random)));
    expect(seen).toEqual(new Set([0, 1, 3]));
  });

  it('min-p keeps exactly the ids of that share of the largest weight', () => {
    // 2^-1 of the largest: half its weight to the last bit
    const half = Math.ceil((65_536 * 65_536) / logitFactor(1_000_000));
    const logits = Int32Array.of(0, -half, -half - 2);
    const chosen = (minP: number): Set<number> => {
      const random = new Xorshift(9);
      const settings = samplerSettings({ temperature: 1_000_000, minP });
      return new Set(Array.from({ length: 300 }, () => sampleToken(logits, settings, draw64(random))));
    };
    const [, weight] = sortingWeights(logits, 1_000_000);
    const share = Number((weight! * 1_000_000n) >> 24n);
    expect(chosen(share)).toEqual(new Set([0, 1]));
    expect(chosen(share - 100)).toEqual(new Set([0, 1, 2]));
    expect(chosen(share + 100)).toEqual(new Set([0]));
  });

  it('draws in proportion to the weights (chi-square, 7 degrees of freedom, fixed seed)', () => {
    const logits = Int32Array.from({ length: 8 }, (_, i) => i * 40_000);
    const weights = sortingWeights(logits, 1_000_000).map(Number);
    const total = weights.reduce((a, b) => a + b);
    const counts = Array.from({ length: 8 }, () => 0);
    const random = new Xorshift(42);
    const draws = 100_000;
    const settings = samplerSettings({ temperature: 1_000_000 });
    for (let i = 0; i < draws; i++) counts[sampleToken(logits, settings, draw64(random))]!++;
    const chiSquare = counts.reduce(
      (sum, count, i) => sum + (count - (draws * weights[i]!) / total) ** 2 / ((draws * weights[i]!) / total),
      0,
    );
    expect(chiSquare).toBeLessThan(18.5); // the 99 % quantile
    expect(weights.every((weight) => weight > 0)).toBe(true);
  });

  it('refuses settings and draws outside their ranges, naming the field', () => {
    const logits = Int32Array.of(1, 2);
    const good = samplerSettings({ temperature: 1_000_000 });
    expect(() => sampleToken(logits, { ...good, temperature: 9_999 }, 0n)).toThrow('temperature: expected 0 or 10,000');
    expect(() => sampleToken(logits, { ...good, topK: -1 }, 0n)).toThrow('topK: expected 0 to 1048576, got -1');
    expect(() => sampleToken(logits, { ...good, topP: 0 }, 0n)).toThrow('topP: expected 1 to 1000000, got 0');
    expect(() => sampleToken(logits, { ...good, minP: 1_000_001 }, 0n)).toThrow('minP: expected 0 to 1000000, got 1000001');
    expect(() => sampleToken(logits, good, 1n << 64n)).toThrow('draw: expected 0 to 2^64 - 1');
    expect(() => sampleToken(logits, good, -1n)).toThrow('draw');
    expect(() => sampleToken(new Int32Array(0), good, 0n)).toThrow('logits: expected one or more');
  });
});

describe('Sampler', () => {
  it('equals the sorting sampler along 400 random answers, bias and penalties included', () => {
    const random = new Xorshift(77);
    let changed = 0;
    for (let run = 0; run < 400; run++) {
      const first = randomLogits(random);
      const size = first.length;
      const settings = samplerSettings({ ...randomChoice(random, size), ...randomPenalties(random, size) });
      const prompt = Array.from({ length: random.integer(1, 6) }, () => random.integer(0, size - 1));
      const completion: number[] = [];
      const prfKey = new Uint8Array(32).fill(run);
      const sampler = new Sampler({ settings, prfKey, promptIds: prompt });
      for (let i = 0; i < 6; i++) {
        const logits = i === 0 ? first : first.map((logit) => Math.trunc(logit / (1 + i)));
        const untouched = logits.slice();
        const before: IdsBefore = { prompt, completion };
        const draw = prfDraw(prfKey, prompt.length + i);
        const id = sampler.sample(logits);
        expect({ run, i, settings, id }).toEqual({ run, i, settings, id: sortingSampler(logits, settings, draw, before) });
        expect(logits).toEqual(untouched);
        if (id !== sampleToken(logits, settings, draw)) changed++;
        // sometimes a claim that is not what was sampled
        const accepted = random.integer(0, 3) === 0 ? random.integer(0, size - 1) : id;
        sampler.accept(accepted);
        completion.push(accepted);
      }
    }
    expect(changed).toBeGreaterThan(300);
  });

  const chosen = (
    settings: Partial<SamplerSettings>,
    logits: readonly number[],
    prompt: readonly number[],
    completion: readonly number[],
  ): number => {
    const sampler = new Sampler({ settings: samplerSettings(settings), prfKey: new Uint8Array(32), promptIds: prompt });
    for (const id of completion) sampler.accept(id);
    return sampler.sample(Int32Array.from(logits, (logit) => Math.round(logit * 65_536)));
  };

  it('counts prompt and completion for the repetition penalty, the completion alone for the others', () => {
    const logits = [2, 1.5, -1, 0];
    expect(chosen({ repetitionPenalty: 1_500_000 }, logits, [0], [])).toBe(1);
    expect(chosen({ repetitionPenalty: 1_500_000 }, logits, [3], [0])).toBe(1);
    expect(chosen({ presencePenalty: 1_000_000 }, logits, [0, 0], [])).toBe(0);
    expect(chosen({ presencePenalty: 1_000_000 }, logits, [3], [0])).toBe(1);
    expect(chosen({ frequencyPenalty: 300_000 }, logits, [3], [0])).toBe(0);
    expect(chosen({ frequencyPenalty: 300_000 }, logits, [3], [0, 0])).toBe(1);
    expect(chosen({ presencePenalty: -1_000_000 }, logits, [3], [1])).toBe(1);
  });

  it('makes repeated ids less likely on both sides of zero', () => {
    expect(chosen({ repetitionPenalty: 2_000_000 }, [-1, -1.5], [0], [])).toBe(1);
    expect(chosen({ repetitionPenalty: 2_000_000 }, [1, 0.75], [0], [])).toBe(1);
  });

  it('forces and forbids an id by its bias', () => {
    expect(chosen({ logitBias: [[2, 100_000_000]] }, [20, 0, -20], [0], [])).toBe(2);
    expect(chosen({ logitBias: [[0, -100_000_000]] }, [20, 0, -20], [0], [])).toBe(1);
  });
});

describe('weigh', () => {
  const restated = (delta: number, factor: number): bigint => {
    const d = (BigInt(delta) * BigInt(factor) + 32_768n) >> 16n;
    return exp2nBig(d < 2_147_483_647n ? d : 2_147_483_647n, 24n);
  };
  const weightsOf = (deltas: number[], factor: number): bigint[] => {
    const weights = new Int32Array(deltas.length);
    const total = weigh(Uint32Array.from(deltas), deltas.length, factor, weights);
    expect(total).toBe(weights.reduce((a, b) => a + b, 0));
    return Array.from(weights, BigInt);
  };

  it('equals exp2n of the scaled distance, and ends where it becomes 0', () => {
    const random = new Xorshift(11);
    for (const temperature of [10_000, 123_457, 1_000_000, 100_000_000]) {
      const factor = logitFactor(temperature);
      const last = lastWeighted(factor);
      expect(restated(last, factor)).toBe(1n);
      expect(restated(last + 1, factor)).toBe(0n);
      const deltas = [0, 1, last, ...Array.from({ length: 2000 }, () => random.integer(0, last) >>> random.integer(0, 20))];
      expect(weightsOf(deltas, factor)).toEqual(deltas.map((delta) => restated(delta, factor)));
    }
  });

  it('agrees around every octave seam, at factor 1.0', () => {
    const deltas = Array.from({ length: 25 }, (_, octave) => [-3, -2, -1, 0, 1, 2, 3].map((near) => Math.max(0, octave * 65_536 + near)));
    expect(weightsOf(deltas.flat(), 65_536)).toEqual(deltas.flat().map((delta) => restated(delta, 65_536)));
    expect(lastWeighted(65_536)).toBe(25 * 65_536);
  });

  it('has factors below 2^24, rounded to nearest', () => {
    expect(logitFactor(10_000)).toBe(9_454_800);
    expect(logitFactor(1_000_000)).toBe(94_548);
    expect(logitFactor(2_000_000)).toBe(47_274);
    expect(logitFactor(100_000_000)).toBe(945);
  });
});
