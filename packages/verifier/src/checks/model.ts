import { MerkleTag, committedPositions, merkleRoot, modelIdOf, toHex } from '@commonweight/protocol';
import { type Outcome, failed, passed, skipped } from '../outcome.ts';
import type { AskedSubject, Subject } from '../subject.ts';

/** Other weights than the answer's say nothing about it, so a mismatch is no refutation. */
export function checkModel({ modelId, model }: AskedSubject): Outcome {
  if (!model) return skipped(`model ${modelId} is not here`);
  const here = modelIdOf(model.manifest);
  const runs = modelIdOf(model.executor.manifest);
  if (runs !== here) return skipped(`the manifest here is of ${here}, the executor runs ${runs}`);
  return here === modelId
    ? passed(`weights and manifest here are ${here}`)
    : skipped(`the answer is of model ${modelId}, the one here is ${here}`);
}

/** Digests are not signed one by one: their root is. */
export function checkDigests({ bundle, sha256, model }: Subject): Outcome {
  const { digests, receipt, promptIds, completionIds } = bundle;
  if (!digests) return skipped('the bundle holds no digests: a difference can be proven but not placed');
  const count = digests.length / 32;
  const points = model && modelIdOf(model.manifest) === receipt.modelId ? model.manifest.graph.commitPoints.length : undefined;
  const positions = committedPositions(promptIds.length, completionIds.length);
  if (points !== undefined && count !== points * positions) {
    return failed(`expected ${points} digests at each of ${positions} positions, the bundle holds ${count}`);
  }
  const leaves = Array.from({ length: count }, (_, i) => digests.subarray(32 * i, 32 * i + 32));
  const root = toHex(merkleRoot(MerkleTag.thin, leaves, sha256));
  return root === receipt.thinRoot
    ? passed(`${count} digests, root ${root}`)
    : failed(`the digests give the root ${root}, the node signed ${receipt.thinRoot}`);
}
