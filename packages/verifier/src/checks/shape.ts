import { committedPositions, modelIdOf } from '@commonweight/protocol';
import { type Outcome, failed, passed } from '../outcome.ts';
import type { Subject } from '../subject.ts';

/** Everything that the later steps index with: no id outside the vocabulary, no position outside the context, whole rows of digests. */
export function checkShape({ bundle, model }: Subject): Outcome {
  const { promptIds, completionIds, digests } = bundle;
  if (promptIds.length === 0) return failed('promptIds: expected at least one id, got none');
  const positions = committedPositions(promptIds.length, completionIds.length);
  if (digests && (digests.length === 0 || digests.length % (32 * positions) !== 0)) {
    return failed(`digests: expected ${positions} positions of whole 32-byte digests, got ${digests.length} bytes`);
  }
  // the bounds of another model say nothing about this receipt
  if (model && modelIdOf(model.manifest) === bundle.receipt.modelId) {
    const { vocabulary, context } = model.manifest.graph;
    const outside = [...promptIds, ...completionIds].find((id) => id >= vocabulary);
    if (outside !== undefined) return failed(`ids: expected ids below ${vocabulary}, got ${outside}`);
    if (positions > context) return failed(`ids: expected at most ${context} positions, got ${positions}`);
  }
  return passed(`${promptIds.length} prompt and ${completionIds.length} answer tokens`);
}
