import { describe, expect, it } from 'vitest';
import { log2Q24Big, sortingLogprobs } from '../testing/sorting-sampler.ts';
import { Xorshift } from '../testing/xorshift.ts';
import { log2Q24 } from './log2.ts';
import { tokenLogprobs } from './logprobs.ts';

describe('log2Q24', () => {
  it('equals the restatement at its ends, around powers of two, and in between', () => {
    const random = new Xorshift(1);
    const weights = [2 ** 24, 2 ** 44];
    for (let n = 24; n <= 43; n++) weights.push(2 ** n, 2 ** n + 1, 2 ** (n + 1) - 1, 2 ** n + random.integer(0, 2 ** 24));
    for (const weight of weights) expect(BigInt(log2Q24(weight))).toBe(log2Q24Big(BigInt(weight)));
    expect(log2Q24(2 ** 24)).toBe(0);
    expect(log2Q24(2 ** 44)).toBe(20 * 2 ** 24);
  });

  it('never falls and is within 2^-22 of the logarithm', () => {
    const random = new Xorshift(2);
    let weight = 2 ** 24;
    let before = 0;
    while (weight < 2 ** 44) {
      const y = log2Q24(weight);
      expect(y).toBeGreaterThanOrEqual(before);
      expect(Math.abs(y / 2 ** 24 - (Math.log2(weight) - 24))).toBeLessThan(2 ** -22);
      before = y;
      weight += random.integer(1, Math.ceil(weight / 64));
    }
  });
});

describe('tokenLogprobs', () => {
  it('equals the sorting restatement on 500 random cases with ties and extremes', () => {
    const random = new Xorshift(3);
    for (let i = 0; i < 500; i++) {
      const spread = 2 ** random.integer(0, 30);
      const logits = Int32Array.from({ length: random.integer(1, 90) }, () => random.integer(-spread, spread) * random.integer(0, 1));
      if (i % 10 === 0) logits[0] = 2 ** 31 - 1;
      const { logprobs, order } = sortingLogprobs(logits);
      const id = random.integer(0, logits.length - 1);
      const count = random.integer(0, 20);
      expect(tokenLogprobs(logits, id, count)).toEqual({
        logprob: Number(logprobs[id]!),
        top: order.slice(0, count).map((of) => [of, Number(logprobs[of]!)]),
      });
    }
  });

  it('is the logarithm of the softmax within 1.3e-4', () => {
    const random = new Xorshift(4);
    const logits = Int32Array.from({ length: 49_152 }, () => random.integer(-700_000, 700_000));
    const real = Array.from(logits, (logit) => logit / 65_536);
    const largest = real.reduce((a, b) => Math.max(a, b));
    const logSum = Math.log(real.reduce((sum, x) => sum + Math.exp(x - largest), 0)) + largest;
    for (const id of [0, 1, 77, 49_151]) {
      expect(Math.abs(tokenLogprobs(logits, id, 0).logprob / 65_536 - (real[id]! - logSum))).toBeLessThan(1.3e-4);
    }
  });

  it('gives a certain token 0, and equal ones in order of their ids', () => {
    expect(tokenLogprobs(Int32Array.of(0, 2 ** 30), 1, 1)).toEqual({ logprob: 0, top: [[1, 0]] });
    const { top } = tokenLogprobs(new Int32Array(100), 50, 3);
    expect(top.map(([id]) => id)).toEqual([0, 1, 2]);
    expect(top[0]![1]).toBe(Math.round(Math.log(1 / 100) * 65_536));
  });

  it('refuses more than 20 and ids that are not there', () => {
    expect(() => tokenLogprobs(Int32Array.of(1), 0, 21)).toThrow('logprobs: expected 0 to 20, got 21');
    expect(() => tokenLogprobs(Int32Array.of(1), 1, 0)).toThrow('id: expected 0 to 0, got 1');
  });
});
