// Whole models (SPEC sections 3 to 13), from the reference.
import { toBase64 } from '@commonweight/protocol';
import { createReferenceExecutor } from '../../src/reference/executor.ts';
import { forwardDigests } from '../../src/testing/forward-digests.ts';
import { buildTinyModel } from '../../src/testing/tiny-model.ts';
import { list, random } from './draw.ts';

export function forward(): object[] {
  const models = [
    { seed: 3, layers: 2, width: 40, heads: 3, kvHeads: 1, headDimension: 6, ffnWidth: 50, vocabulary: 33, context: 24 },
    {
      seed: 4,
      layers: 1,
      width: 24,
      heads: 2,
      kvHeads: 2,
      headDimension: 8,
      ffnWidth: 30,
      vocabulary: 17,
      context: 24,
      head: 'untied',
      gain: 16,
    },
    {
      seed: 5,
      layers: 1,
      width: 24,
      heads: 2,
      kvHeads: 1,
      headDimension: 10,
      ffnWidth: 20,
      vocabulary: 17,
      context: 24,
      qkvBias: true,
      qkNorm: true,
    },
  ] as const;
  return models.map((options) => {
    const { manifest, weights, source } = buildTinyModel(options);
    const ids = list(20, () => random.integer(0, options.vocabulary - 1));
    return { manifest, weights: toBase64(weights), ids, expect: forwardDigests(createReferenceExecutor(manifest, source), ids) };
  });
}
