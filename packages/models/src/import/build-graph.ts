import { CommonweightError, type Graph } from '@commonweight/protocol';
import { exponentOf, pow2, roundHalfUp } from '../float-bits.ts';
import { limits } from '../limits.ts';
import type { Architecture } from './architectures.ts';
import { attentionFactorOf, type RopeParameters } from './rope-parameters.ts';

/** Every sixth layer and the last: 30 layers give 5, 11, 17, 23, 29. */
export function commitPointsOf(layers: number): number[] {
  const points: number[] = [];
  for (let layer = 5; layer < layers - 1; layer += 6) points.push(layer);
  return [...points, layers - 1];
}

/** log2(e) * F^2 / sqrt(headDimension) as a 16-bit mantissa and an exponent; IEEE operations are exact by definition. */
export function attentionScaleOf(headDimension: number, attentionFactor = 1): Graph['attentionScale'] {
  const value = (1.4426950408889634 * (attentionFactor * attentionFactor)) / Math.sqrt(headDimension);
  const exponent = exponentOf(value);
  const mantissa = roundHalfUp(value * pow2(16 - exponent));
  return mantissa === 1 << 16 ? { mantissa: 1 << 15, exponent: exponent + 1 } : { mantissa, exponent };
}

/** A model's shape as its file states it. */
export interface ModelShape extends Pick<
  Graph,
  'layers' | 'width' | 'heads' | 'kvHeads' | 'headDimension' | 'ffnWidth' | 'vocabulary' | 'context' | 'head'
> {
  readonly architecture: Architecture;
  /** Of every RMSNorm. */
  readonly epsilon: number;
  readonly rope: RopeParameters;
}

/** A graph, and what else its weights are made with. */
export interface ModelGraph {
  readonly graph: Graph;
  readonly rope: RopeParameters;
  readonly epsilon: number;
}

export function buildGraph({ architecture, epsilon, rope, ...shape }: ModelShape): ModelGraph {
  const graph: Graph = {
    ...shape,
    normEpsilon: Math.max(1, roundHalfUp(epsilon * shape.width * pow2(24))),
    qkvBias: architecture.qkvBias,
    qkNorm: architecture.qkNorm ? { epsilon: Math.max(1, roundHalfUp(epsilon * shape.headDimension * pow2(32))) } : null,
    attentionScale: attentionScaleOf(shape.headDimension, attentionFactorOf(rope)),
    rope: 'interleaved',
    commitPoints: commitPointsOf(shape.layers),
  };
  return { graph, rope, epsilon };
}

/**
 * Positions of the package: the file's, but at most `wanted` (by default `limits.contextPositions`).
 * A window of attention is no part of the semantics, so the package must end where the window would begin to matter.
 */
export function contextOf(stated: number, window: number | undefined, wanted: number = limits.contextPositions, windowField = ''): number {
  if (!Number.isInteger(wanted) || wanted < 2 || wanted > limits.contextPositions) {
    throw new CommonweightError(`context: expected an integer from 2 to ${limits.contextPositions}, got ${wanted}`, {
      code: 'model_unsupported',
      field: 'context',
    });
  }
  const context = Math.min(stated, wanted);
  if (window !== undefined && window < context) {
    throw new CommonweightError(
      `${windowField}: expected a window of at least the package's ${context} positions, got ${window}; sliding windows are not computed: import with a context of at most ${window}`,
      { code: 'model_unsupported', field: windowField },
    );
  }
  return context;
}
