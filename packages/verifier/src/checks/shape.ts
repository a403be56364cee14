import { committedPositions, modelIdOf } from '@commonweight/protocol';
import { type Outcome, failed, passed } from '../outcome.ts';
import type { AskedSubject, Subject } from '../subject.ts';

/** Everything that the later steps index with: no id outside the vocabulary, no position outside the context, whole rows of digests. */
export function checkShape(subject: Subject): Outcome {
  const { promptIds, completionIds, digests } = subject.bundle;
  const positions = committedPositions(promptIds.length, completionIds.length);
  if (digests && promptIds.length > 0 && (digests.length === 0 || digests.length % (32 * positions) !== 0)) {
    return failed(`digests: expected ${positions} positions of whole 32-byte digests, got ${digests.length} bytes`);
  }
  return checkIdsShape(subject);
}

/** The part of it that does not depend on how the answer ended. */
export function checkIdsShape({ bundle, model, modelId }: AskedSubject): Outcome {
  const { promptIds, completionIds } = bundle;
  if (promptIds.length === 0) return failed('promptIds: expected at least one id, got none');
  const positions = committedPositions(promptIds.length, completionIds.length);
  // the bounds of another model say nothing about this answer
  if (model && modelIdOf(model.manifest) === modelId) {
    const { vocabulary, context } = model.manifest.graph;
    const outside = [...promptIds, ...completionIds].find((id) => id >= vocabulary);
    if (outside !== undefined) return failed(`ids: expected ids below ${vocabulary}, got ${outside}`);
    if (positions > context) return failed(`ids: expected at most ${context} positions, got ${positions}`);
  }
  return passed(`${promptIds.length} prompt and ${completionIds.length} answer tokens`);
}
