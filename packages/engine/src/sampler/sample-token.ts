import { CommonweightError, type SamplerSettings, limits } from '@commonweight/protocol';
import { type Candidates, candidatesWithin, keepWithin } from './candidates.ts';
import { selectDelta } from './threshold.ts';
import { lastWeighted, logitFactor, weigh } from './weight.ts';

/** What chooses among adjusted logits: the settings without bias and penalties. */
export type ChoiceSettings = Pick<SamplerSettings, 'temperature' | 'topK' | 'topP' | 'minP'>;

/**
 * The next token, from integers alone and without sorting (SPEC section 14, from step 4).
 * @param logits - int32 Q16, one per id, magnitudes up to 2^31 - 1; bias and penalties are in them already
 * @param draw - 64 random bits of this position (`prfDraw`); not used when the temperature is 0
 */
export function sampleToken(logits: Int32Array, settings: ChoiceSettings, draw: bigint): number {
  const best = indexOfLargest(logits);
  if (settings.temperature === 0) return best;
  if (draw < 0n || draw >> 64n !== 0n)
    throw new CommonweightError(`draw: expected 0 to 2^64 - 1, got ${draw}`, { code: 'sampler', field: 'draw' });
  const factor = logitFactor(settings.temperature);
  const topK = checked('topK', settings.topK, 0, limits.matrixRows);
  const topP = checked('topP', settings.topP, 1, 1_000_000);
  const minP = checked('minP', settings.minP, 0, 1_000_000);

  // ids of weight 0 leave in the end whatever else holds, and change no sum before: they need not be looked at
  const last = lastWeighted(factor);
  const set = candidatesWithin(logits, logits[best]!, last);
  if (topK > 0 && topK < set.count) keepWithin(set, selectDelta(set.deltas, undefined, set.count, topK, last));
  const total = weigh(set.deltas, set.count, factor, set.weights);
  const least = Math.ceil((minP * 2 ** 24) / 1_000_000);
  const cut = topP === 1_000_000 ? last : selectDelta(set.deltas, set.weights, set.count, shareOf(total, topP), last);
  return drawFrom(set, cut, least, cut >= last && least <= 1 ? total : massOf(set, cut, least), draw);
}

export function indexOfLargest(logits: Int32Array): number {
  if (logits.length === 0)
    throw new CommonweightError('logits: expected one or more, got none', { code: 'sampler', action: 'stop', field: 'logits' });
  let best = 0;
  let largest = logits[0]!;
  let i = 0;
  const consider = (end: number): void => {
    for (; i < end; i++) {
      if (logits[i]! <= largest) continue;
      largest = logits[i]!;
      best = i;
    }
  };
  // nearly no group holds a new largest, and a group is passed over in half the time of its members
  while (i + 4 <= logits.length) {
    if (logits[i]! > largest || logits[i + 1]! > largest || logits[i + 2]! > largest || logits[i + 3]! > largest) consider(i + 4);
    else i += 4;
  }
  consider(logits.length);
  return best;
}

/** The smallest integer S with 10^6 * S >= topP * total. */
const shareOf = (total: number, topP: number): number => Number((BigInt(topP) * BigInt(total) + 999_999n) / 1_000_000n);

/** Sum of the weights within `cut` that are `least` or more. */
function massOf({ deltas, weights, count }: Candidates, cut: number, least: number): number {
  let total = 0;
  for (let i = 0; i < count; i++) if (deltas[i]! <= cut && weights[i]! >= least) total += weights[i]!;
  return total;
}

/** The lowest id whose prefix sum of weights exceeds floor(draw * total / 2^64), among those within `cut` that weigh `least` or more; they weigh `total` together. */
function drawFrom({ ids, deltas, weights, count }: Candidates, cut: number, least: number, total: number, draw: bigint): number {
  const target = Number((draw * BigInt(total)) >> 64n);
  let sum = 0;
  for (let i = 0; i < count; i++) {
    if (deltas[i]! > cut || weights[i]! < least) continue;
    sum += weights[i]!;
    if (sum > target) return ids[i]!;
  }
  throw new CommonweightError(`expected a prefix sum above ${target} of ${total}; this is a bug`, { code: 'sampler', action: 'stop' });
}

function checked(field: string, value: number, minimum: number, maximum: number): number {
  if (!Number.isInteger(value) || value < minimum || value > maximum) {
    throw new CommonweightError(`${field}: expected ${minimum} to ${maximum}, got ${value}`, { code: 'sampler', field });
  }
  return value;
}
