// Vectors of the sampler (SPEC section 14).
import { type SamplerSettings, samplerSettings } from '@commonweight/protocol';
import { adjustedLogits, sortingSampler, sortingWeights } from '../../src/testing/sorting-sampler.ts';
import { MAX, list, numbers, pick, random, wildNumber } from './draw.ts';

export function logitWeights(): object[] {
  return [10_000, 300_000, 700_000, 1_000_000, 2_000_000, 100_000_000].map((temperature) => {
    const logits = [
      MAX,
      MAX - 1,
      MAX - 65_536,
      MAX - 700_000,
      0,
      -MAX,
      ...list(10, () => MAX - (random.uint32() >>> random.integer(4, 28))),
    ];
    return { logits, temperature, expect: numbers(sortingWeights(Int32Array.from(logits), temperature)) };
  });
}

/** Settings with bias and penalties, and ids before, in three of four cases. */
function before(size: number, i: number): { settings: Partial<SamplerSettings>; prompt: number[]; completion: number[] } {
  const ids = (most: number): number[] => list(random.integer(0, most), () => random.integer(0, size - 1));
  const biased = [...new Set(ids(3))].sort((a, b) => a - b);
  const settings = {
    repetitionPenalty: pick([1_000_000, 10_000, 1_100_000, 1_333_333, 2_000_000]),
    presencePenalty: pick([0, 500_000, 2_000_000, -2_000_000, 333_333]),
    frequencyPenalty: pick([0, 500_000, 2_000_000, -2_000_000, -1]),
    logitBias: biased.map((id) => [id, pick([100_000_000, -100_000_000, 1, -1, 7, 8, 1_500_000])] as const),
  };
  return { settings: i % 4 === 0 ? {} : settings, prompt: [0, ...ids(3)], completion: ids(5) };
}

export function adjustLogits(): object[] {
  return list(60, (i) => {
    const logits = [MAX, -MAX, 0, 1, -1, ...list(random.integer(0, 12), () => wildNumber(31))];
    const { settings: given, prompt, completion } = before(logits.length, i + 1);
    const settings = samplerSettings(given);
    return {
      logits,
      settings,
      prompt,
      completion,
      expect: numbers(adjustedLogits(Int32Array.from(logits), settings, { prompt, completion })),
    };
  });
}

export function sampler(): object[] {
  const temperatures = [0, 10_000, 300_000, 700_000, 1_000_000, 2_000_000, 100_000_000];
  return list(300, (i) => {
    const spread = 2 ** random.integer(2, 24);
    const step = i % 3 ? 1 : Math.ceil(spread / 4);
    const logits = list(random.integer(1, 24), () => random.integer(-Math.floor(spread / step), Math.floor(spread / step)) * step);
    const { settings: given, prompt, completion } = before(logits.length, i);
    const settings = samplerSettings({
      temperature: temperatures[i % 7]!,
      topK: [0, 1, 2, 5, 40][i % 5]!,
      topP: [1_000_000, 999_999, 900_000, 500_000, 1][Math.floor(i / 5) % 5]!,
      minP: [0, 50_000, 1_000_000, 0, 1, 500_000][i % 6]!,
      ...given,
    });
    const draw = [0n, 2n ** 64n - 1n][i % 11] ?? (BigInt(random.uint32()) << 32n) | BigInt(random.uint32());
    const expect = sortingSampler(Int32Array.from(logits), settings, draw, { prompt, completion });
    return { logits, settings, prompt, completion, draw, expect };
  });
}
