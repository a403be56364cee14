import { addFigures, type Figures, noFigures } from './compare.ts';
import { type ProfileName, profiles } from './profiles.ts';

/** Figures of one profile over all windows. */
export interface Result {
  readonly profile: ProfileName;
  readonly bytes: number;
  readonly windows: number;
  readonly predictions: number;
  readonly floatPerplexity: number;
  readonly perplexity: number;
  /** Relative. */
  readonly perplexityChange: number;
  readonly top1Agreement: number;
  /** Mean KL(float || profile) in nats. */
  readonly divergence: number;
  /** Undefined where there is no target. */
  readonly passed: boolean | undefined;
}

export function resultOf(profile: ProfileName, bytes: number, windows: readonly Figures[]): Result {
  const sum = noFigures();
  for (const figures of windows) addFigures(sum, figures);
  const floatPerplexity = Math.exp(sum.floatLoss / sum.predictions);
  const perplexity = Math.exp(sum.loss / sum.predictions);
  const perplexityChange = perplexity / floatPerplexity - 1;
  const divergence = sum.divergence / sum.positions;
  const { targets } = profiles[profile];
  return {
    profile,
    bytes,
    windows: windows.length,
    predictions: sum.predictions,
    floatPerplexity,
    perplexity,
    perplexityChange,
    top1Agreement: sum.agreements / sum.positions,
    divergence,
    passed: targets && perplexityChange <= targets.perplexity && divergence <= targets.divergence,
  };
}
