import type { SamplerSettings } from '@commonweight/protocol';
import { exp2nBig } from './restatements.ts';

/** SPEC section 14 by sorting and big integers: slow and obvious. The oracle of `sampleToken`. */
export function sortingSampler(logits: Int32Array, { temperature, topK, topP }: SamplerSettings, draw: bigint): number {
  const byLogit = [...logits.keys()].sort((a, b) => logits[b]! - logits[a]! || a - b);
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
  set = set.filter((id) => weights[id]! > 0n).sort((a, b) => a - b);
  const target = (draw * sum(set)) >> 64n;
  let prefix = 0n;
  return set.find((id) => (prefix += weights[id]!) > target)!;
}

/** Weight of every id, 24 fraction bits. */
export function sortingWeights(logits: Int32Array, temperature: number): bigint[] {
  const t = BigInt(temperature);
  const factor = (94_548n * 1_000_000n * 2n + t) / (2n * t);
  const largest = BigInt(logits.reduce((a, b) => Math.max(a, b)));
  return Array.from(logits, (logit) => {
    const d = ((largest - BigInt(logit)) * factor + 32_768n) >> 16n;
    return exp2nBig(d < 2_147_483_647n ? d : 2_147_483_647n, 24n);
  });
}
