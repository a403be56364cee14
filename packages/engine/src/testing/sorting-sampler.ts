import type { SamplerSettings } from '@commonweight/protocol';
import { exp2nBig, satBig } from './restatements.ts';

/** The ids before the token that is chosen. */
export interface IdsBefore {
  readonly prompt: readonly number[];
  readonly completion: readonly number[];
}

/** SPEC section 14 by sorting and big integers: slow and obvious. The oracle of the sampler. */
export function sortingSampler(raw: Int32Array, settings: SamplerSettings, draw: bigint, before?: IdsBefore): number {
  const { temperature, topK, topP, minP } = settings;
  const logits = adjustedLogits(raw, settings, before ?? { prompt: [], completion: [] });
  const byLogit = [...logits.keys()].sort((a, b) => Number(logits[b]! - logits[a]!) || a - b);
  if (temperature === 0) return byLogit[0]!;
  const weights = sortingWeights(logits, temperature);
  const sum = (ids: readonly number[]): bigint => ids.reduce((total, id) => total + weights[id]!, 0n);

  let set = byLogit;
  if (topK > 0 && topK < logits.length) set = set.filter((id) => logits[id]! >= logits[byLogit[topK - 1]!]!);
  if (topP < 1_000_000) {
    const needed = BigInt(topP) * sum(set);
    let seen = 0n;
    const last = set.find((id) => (seen += weights[id]!) * 1_000_000n >= needed)!;
    set = set.filter((id) => logits[id]! >= logits[last]!);
  }
  set = set.filter((id) => 1_000_000n * weights[id]! >= BigInt(minP) << 24n);
  set = set.filter((id) => weights[id]! > 0n).sort((a, b) => a - b);
  const target = (draw * sum(set)) >> 64n;
  let prefix = 0n;
  return set.find((id) => (prefix += weights[id]!) > target)!;
}

/** Logits with bias and penalties. */
export function adjustedLogits(raw: Int32Array, settings: SamplerSettings, { prompt, completion }: IdsBefore): bigint[] {
  const bias = new Map(settings.logitBias);
  const g = BigInt(settings.repetitionPenalty);
  return Array.from(raw, (value, id) => {
    let logit = satBig(BigInt(value) + q16(BigInt(bias.get(id) ?? 0)));
    if (prompt.includes(id) || completion.includes(id)) {
      logit = satBig(logit > 0n ? (logit * 2_000_000n + g) / (2n * g) : -((-logit * g + 500_000n) / 1_000_000n));
    }
    const count = BigInt(completion.filter((other) => other === id).length);
    const penalty = q16(BigInt(settings.presencePenalty)) + count * q16(BigInt(settings.frequencyPenalty));
    return count > 0n ? satBig(logit - penalty) : logit;
  });
}

const q16 = (millionths: bigint): bigint => (millionths < 0n ? -q16(-millionths) : (millionths * 65_536n + 500_000n) / 1_000_000n);

/** Weight of every id, 24 fraction bits. */
export function sortingWeights(logits: ArrayLike<bigint | number>, temperature: number): bigint[] {
  const t = BigInt(temperature);
  const factor = (94_548n * 1_000_000n * 2n + t) / (2n * t);
  const values = Array.from(logits, BigInt);
  const largest = values.reduce((a, b) => (a > b ? a : b));
  return values.map((logit) => {
    const d = ((largest - logit) * factor + 32_768n) >> 16n;
    return exp2nBig(d < 2_147_483_647n ? d : 2_147_483_647n, 24n);
  });
}

/** SPEC section 14.1: log probability of every id, Q16, and the ids in order of their probability. */
export function sortingLogprobs(logits: Int32Array): { readonly logprobs: bigint[]; readonly order: number[] } {
  const total = sortingWeights(logits, 1_000_000).reduce((a, b) => a + b);
  const largest = BigInt(logits.reduce((a, b) => Math.max(a, b)));
  const shift = (log2Q24Big(total) * 744_261_118n + (1n << 37n)) >> 38n;
  return {
    logprobs: Array.from(logits, (logit) => BigInt(logit) - largest - shift),
    order: [...logits.keys()].sort((a, b) => logits[b]! - logits[a]! || a - b),
  };
}

/** log2(w / 2^24) in Q24: the definition's squarings, one rational power of two at a time. */
export function log2Q24Big(w: bigint): bigint {
  let n = 0n;
  while (w >> (n + 1n) > 0n) n++;
  let x = n <= 31n ? w << (31n - n) : w >> (n - 31n);
  let fraction = 0n;
  for (let bit = 23n; bit >= 0n; bit--) {
    x = (x * x) / (1n << 31n);
    if (x < 1n << 32n) continue;
    fraction += 1n << bit;
    x /= 2n;
  }
  return ((n - 24n) << 24n) + fraction;
}
