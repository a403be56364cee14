const MILLION = 1_000_000;
const INT32_MAX = 2_147_483_647;

const saturate = (value: number): number => (value > INT32_MAX ? INT32_MAX : value < -INT32_MAX ? -INT32_MAX : value);

/** Millionths as Q16, rounded to nearest, halves away from zero; magnitudes up to 10^8. */
export function millionthsToQ16(value: number): number {
  const magnitude = Math.floor((Math.abs(value) * 65_536 + MILLION / 2) / MILLION);
  return value < 0 ? -magnitude : magnitude;
}

/** A logit with its bias (Q16). */
export const addBias = (logit: number, bias: number): number => saturate(logit + bias);

/** Divides a positive logit by the penalty (millionths) and multiplies any other one, rounded to nearest, halves away from zero (Keskar et al. 2019, section 4.1; the sign rule is Hugging Face's). */
export function repeatPenalty(logit: number, penalty: number): number {
  if (logit > 0) return saturate(Math.floor((logit * 2 * MILLION + penalty) / (2 * penalty)));
  return saturate(-Math.floor((-logit * penalty + MILLION / 2) / MILLION));
}

/** Subtracts `presence + count * frequency` (Q16) for an id that occurred `count` > 0 times in the completion (OpenAI's rule). */
export const countPenalty = (logit: number, count: number, presence: number, frequency: number): number =>
  saturate(logit - (presence + count * frequency));
