import { BITS, divide, expNegative, fromNumber, ln, multiply, ONE, toNumber, twoPi } from './fixed-point.ts';
import type { RopeParameters, YarnScaling } from './rope-parameters.ts';

/** The angle of one position for every pair of a head, as `fixed-point.ts` has numbers. */
export function ropeFrequencies({ base, scaling }: RopeParameters, headDimension: number): bigint[] {
  const plain = plainFrequencies(base, headDimension);
  switch (scaling.type) {
    case 'none':
      return plain;
    case 'linear':
      return plain.map((theta) => divide(theta, fromNumber(scaling.factor)));
    case 'factors':
      return plain.map((theta, i) => divide(theta, fromNumber(scaling.factors[i]!)));
    case 'yarn':
      return yarnFrequencies(plain, base, scaling);
  }
}

function plainFrequencies(base: number, headDimension: number): bigint[] {
  const lnBase = ln(fromNumber(base));
  return Array.from({ length: headDimension / 2 }, (_, i) => expNegative((lnBase * 2n * BigInt(i)) / BigInt(headDimension)));
}

/** Pairs that turn more than `betaFast` times within the original context stay, those below `betaSlow` are interpolated, a ramp lies between. */
function yarnFrequencies(plain: readonly bigint[], base: number, scaling: YarnScaling): bigint[] {
  const headDimension = BigInt(2 * plain.length);
  const twiceLnBase = 2n * ln(fromNumber(base));
  /** The pair that turns `turns` times within the original context. */
  const pairOf = (turns: number): bigint =>
    divide(headDimension * ln(divide(BigInt(scaling.originalContext) << BITS, multiply(twoPi(), fromNumber(turns)))), twiceLnBase);
  const low = Math.max(0, Number(pairOf(scaling.betaFast) >> BITS));
  const high = Math.min(2 * plain.length - 1, Number(-(-pairOf(scaling.betaSlow) >> BITS)));
  const factor = fromNumber(scaling.factor);
  return plain.map((theta, i) => {
    const distance = BigInt(i - low) << BITS;
    const ramp = high > low ? distance / BigInt(high - low) : distance * 1000n;
    const share = ramp < 0n ? 0n : ramp > ONE ? ONE : ramp;
    return multiply(theta, ONE - share) + multiply(divide(theta, factor), share);
  });
}

export interface Llama3Scaling {
  readonly factor: number;
  readonly lowFactor: number;
  readonly highFactor: number;
  readonly originalContext: number;
}

/** Llama 3's divisors of the frequencies, as float32: what converters to GGUF store as `rope_freqs`. */
export function llama3Factors(base: number, headDimension: number, scaling: Llama3Scaling): number[] {
  const [factor, low, high] = [scaling.factor, scaling.lowFactor, scaling.highFactor].map(fromNumber) as [bigint, bigint, bigint];
  return plainFrequencies(base, headDimension).map((theta) => {
    const turns = divide(theta * BigInt(scaling.originalContext), twoPi());
    if (turns > high) return 1;
    if (turns < low) return Math.fround(scaling.factor);
    const smooth = divide(turns - low, high - low);
    return Math.fround(toNumber(divide(ONE, divide(ONE - smooth, factor) + smooth)));
  });
}
