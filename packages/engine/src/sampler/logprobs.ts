import { CommonweightError, type TokenLogprobs, limits } from '@commonweight/protocol';
import { candidatesWithin } from './candidates.ts';
import { log2Q24 } from './log2.ts';
import { indexOfLargest } from './sample-token.ts';
import { selectDelta } from './threshold.ts';
import { UNIT_FACTOR, lastWeighted, weigh } from './weight.ts';

const LN2_Q30 = 744_261_118n;

/**
 * Log probabilities of the model itself: logits without bias, penalties and temperature (SPEC section 14.1).
 * @param logits - int32 Q16, one per id
 * @param count - 0 to 20 of the likeliest ids
 */
export function tokenLogprobs(logits: Int32Array, id: number, count: number): TokenLogprobs {
  if (!Number.isInteger(count) || count < 0 || count > limits.topLogprobs)
    throw new CommonweightError(`logprobs: expected 0 to ${limits.topLogprobs}, got ${count}`, { code: 'logprobs', field: 'logprobs' });
  const largest = logits[indexOfLargest(logits)]!;
  const logit = logits[id];
  if (logit === undefined)
    throw new CommonweightError(`id: expected 0 to ${logits.length - 1}, got ${id}`, { code: 'logprobs', field: 'id' });
  const set = candidatesWithin(logits, largest, lastWeighted(UNIT_FACTOR));
  const total = weigh(set.deltas, set.count, UNIT_FACTOR, set.weights);
  const base = largest + Number((BigInt(log2Q24(total)) * LN2_Q30 + (1n << 37n)) >> 38n);
  return { logprob: logit - base, top: largestIds(logits, largest, count).map((of) => [of, logits[of]! - base]) };
}

function largestIds(logits: Int32Array, largest: number, wanted: number): number[] {
  if (wanted === 0) return [];
  const set = candidatesWithin(logits, largest, 0xffff_ffff);
  const count = Math.min(wanted, set.count);
  const cut = selectDelta(set.deltas, undefined, set.count, count);
  const above: number[] = [];
  const tied: number[] = [];
  for (let id = 0; id < set.count; id++) {
    if (set.deltas[id]! < cut) above.push(id);
    else if (set.deltas[id] === cut && tied.length < count) tied.push(id);
  }
  return [...above.sort((a, b) => logits[b]! - logits[a]! || a - b), ...tied].slice(0, count);
}
