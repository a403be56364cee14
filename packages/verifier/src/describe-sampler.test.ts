import { samplerSettings } from '@commonweight/protocol';
import { expect, it } from 'vitest';
import { describeSampler } from './describe-sampler.ts';

it.each([
  [{}, 'greedy'],
  [{ logitBias: [[5, 1]] as const, presencePenalty: -500_000 }, 'bias on 1 id, presence penalty -0.5, greedy'],
  [{ temperature: 700_000 }, 'temperature 0.7, seed 0x01'],
  [
    { temperature: 1_000_000, topK: 40, topP: 950_000, minP: 50_000, repetitionPenalty: 1_100_000, frequencyPenalty: 1 },
    'repetition penalty 1.1, frequency penalty 0.000001, temperature 1, top-k 40, top-p 0.95, min-p 0.05, seed 0x01',
  ],
])('%j is %s', (given, text) => expect(describeSampler(samplerSettings(given), '0x01')).toBe(text));
