import { fromNumber, ln, ONE, toNumber } from './fixed-point.ts';

/** How a model scales the frequencies base^(-2i / headDimension) of RoPE's pairs (SPEC section 2.3). */
export type RopeScaling =
  | { readonly type: 'none' }
  /** All divided by one factor of at least 1. */
  | { readonly type: 'linear'; readonly factor: number }
  /** Each divided by its own factor of at least 1 (GGUF's tensor `rope_freqs`; Llama 3). */
  | { readonly type: 'factors'; readonly factors: readonly number[] }
  | YarnScaling;

/** Bowen Peng et al., "YaRN: Efficient Context Window Extension of Large Language Models" (2023), section 3. */
export interface YarnScaling {
  readonly type: 'yarn';
  readonly factor: number;
  readonly betaFast: number;
  readonly betaSlow: number;
  readonly originalContext: number;
  /** F: q and k are multiplied by it. */
  readonly attentionFactor: number;
}

export interface RopeParameters {
  /** A positive integer. */
  readonly base: number;
  readonly scaling: RopeScaling;
}

/** 0.1 ln(factor) + 1: F of a model that does not state its own, to the nearest float64. */
export const usualAttentionFactor = (factor: number): number => toNumber(ONE + ln(fromNumber(factor)) / 10n);

/** Scores are multiplied by F twice, once by q and once by k. */
export const attentionFactorOf = ({ scaling }: RopeParameters): number => (scaling.type === 'yarn' ? scaling.attentionFactor : 1);
