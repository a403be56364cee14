import { CommonweightError, type SamplerSettings, limits } from '@commonweight/protocol';
import { selectDelta } from './threshold.ts';
import { logitFactor, weightOf } from './weight.ts';

/**
 * The next token, from integers alone and without sorting (SPEC section 14).
 * @param logits - int32 Q16, one per id, magnitudes up to 2^31 - 1
 * @param draw - 64 random bits of this position (`prfDraw`); not used when the temperature is 0
 */
export function sampleToken(logits: Int32Array, settings: SamplerSettings, draw: bigint): number {
  const best = indexOfLargest(logits);
  if (settings.temperature === 0) return best;
  if (draw < 0n || draw >> 64n !== 0n)
    throw new CommonweightError(`draw: expected 0 to 2^64 - 1, got ${draw}`, { code: 'sampler', field: 'draw' });

  const deltas = deltasFrom(logits, logits[best]!);
  const topK = checked('topK', settings.topK, 0, limits.matrixRows);
  const cut = topK > 0 && topK < logits.length ? selectDelta(deltas, undefined, deltas.length, topK) : 0xffff_ffff;
  const set = weigh(deltas, cut, logitFactor(settings.temperature));
  const topP = checked('topP', settings.topP, 1, 1_000_000);
  const kept = topP === 1_000_000 ? 0xffff_ffff : selectDelta(set.deltas, set.weights, set.count, shareOf(set.total, topP));
  return drawFrom(set, kept, draw);
}

/** Ids that are left, in increasing order, with their distance from the largest logit and their weight (> 0). */
interface Candidates {
  readonly ids: Int32Array;
  readonly deltas: Uint32Array;
  readonly weights: Int32Array;
  readonly count: number;
  readonly total: number;
}

function indexOfLargest(logits: Int32Array): number {
  if (logits.length === 0)
    throw new CommonweightError('logits: expected one or more, got none', { code: 'sampler', action: 'stop', field: 'logits' });
  let best = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i]! > logits[best]!) best = i;
  return best;
}

function deltasFrom(logits: Int32Array, largest: number): Uint32Array {
  const deltas = new Uint32Array(logits.length);
  for (let i = 0; i < deltas.length; i++) deltas[i] = largest - logits[i]!;
  return deltas;
}

function weigh(all: Uint32Array, cut: number, factor: number): Candidates {
  const ids = new Int32Array(all.length);
  const deltas = new Uint32Array(all.length);
  const weights = new Int32Array(all.length);
  let count = 0;
  let total = 0;
  for (let id = 0; id < all.length; id++) {
    const delta = all[id]!;
    const weight = delta <= cut ? weightOf(delta, factor) : 0;
    if (weight === 0) continue;
    ids[count] = id;
    deltas[count] = delta;
    weights[count++] = weight;
    total += weight;
  }
  return { ids, deltas, weights, count, total };
}

/** The smallest integer S with 10^6 * S >= topP * total. */
const shareOf = (total: number, topP: number): number => Number((BigInt(topP) * BigInt(total) + 999_999n) / 1_000_000n);

/** The lowest id whose prefix sum of weights exceeds floor(draw * W / 2^64). */
function drawFrom({ ids, deltas, weights, count }: Candidates, cut: number, draw: bigint): number {
  let total = 0;
  for (let i = 0; i < count; i++) if (deltas[i]! <= cut) total += weights[i]!;
  const target = Number((draw * BigInt(total)) >> 64n);
  let sum = 0;
  for (let i = 0; i < count; i++) {
    if (deltas[i]! > cut) continue;
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
