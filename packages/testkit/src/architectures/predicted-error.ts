import { attentionFactor, type ArchitectureCase } from './architecture-cases.ts';

/** Rounding noise of int8 rows of uniformly distributed weights, relative to the weights: (1 / 127 / sqrt(12)) / (1 / sqrt(3)). */
const MATRIX_NOISE = 1 / 254;
/** The same of cached keys and values, whose largest element is 2.2 times their mean size in heads of 16 to 32. */
const CACHE_NOISE = 2.2 / (127 * Math.sqrt(12));

/**
 * The estimate of SPEC section 17: the root mean square of the integer model's error in its logits, relative to the logits.
 * @param spread - standard deviation of the attention scores, in nats
 */
export function predictedError(layers: number, spread: number): number {
  const matrices = 2 + layers * (5 + 2 * spread ** 2);
  const caches = layers * (1 + spread ** 2);
  return Math.sqrt(matrices * MATRIX_NOISE ** 2 + caches * CACHE_NOISE ** 2);
}

/** Of a case, from the sizes that its weights are drawn with. */
export function scoreSpread(model: ArchitectureCase): number {
  const input = Math.sqrt(1 + 0.25 ** 2 / 3);
  const projected = 1.5 * input;
  const size =
    model.modelType === 'qwen3'
      ? Math.sqrt(1.25 ** 2 + 0.5 ** 2 / 3)
      : model.modelType === 'qwen2'
        ? Math.sqrt(projected ** 2 + 1.5 ** 2 / 3)
        : projected;
  return (size * attentionFactor(model)) ** 2;
}
