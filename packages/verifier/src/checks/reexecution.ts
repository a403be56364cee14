import { type AskedPart, type Bundle, toHex } from '@commonweight/protocol';
import { describeSampler } from '../describe-sampler.ts';
import { type Outcome, failed, passed } from '../outcome.ts';
import type { Reexecution } from '../reexecute.ts';
import type { PlaceDifference } from '../report.ts';
import type { VerifierModel } from '../subject.ts';

export function tokensOutcome(run: Reexecution, { request }: AskedPart): Outcome {
  const { sampled, tokenDifference: difference } = run;
  const how = describeSampler(request.sampler, request.seed);
  if (!difference)
    return sampled === 0 ? passed('no token was generated') : passed(`the model samples all ${sampled} claimed ids (${how})`);
  const { position, index, claimed, sampled: id } = difference;
  const what = id < 0 ? 'the grammar allows no token' : `the model samples ${id}`;
  return failed(`position ${position} (answer token ${index + 1}): ${what}, the node claims ${claimed} (${how})`);
}

export function executionOutcome(run: Reexecution, { receipt, digests }: Bundle, place: PlaceDifference | undefined): Outcome {
  const root = toHex(run.thin.root());
  if (root === receipt.thinRoot) return passed(`${run.thin.positions} positions, root ${root}`);
  const roots = `re-execution gives the root ${root}, the node signed ${receipt.thinRoot}`;
  if (place) {
    return failed(
      `first difference at position ${place.position}, commit point ${place.commitPoint} (after layer ${place.layer}); ${roots}`,
    );
  }
  return failed(
    `${roots}; the place is unknown, because ${digests ? 'the digests of the bundle do not belong to the signed root' : 'the bundle holds no digests'}`,
  );
}

/** The first digest of the node that differs from the re-executed one. Only digests under the signed root may be used. */
export function findPlace({ thin }: Reexecution, digests: Uint8Array, { manifest }: VerifierModel): PlaceDifference | undefined {
  const { commitPoints } = manifest.graph;
  for (let position = 0; position < thin.positions; position++) {
    for (const [commitPoint, layer] of commitPoints.entries()) {
      const at = 32 * (position * commitPoints.length + commitPoint);
      const committed = toHex(digests.subarray(at, at + 32));
      const computed = toHex(thin.digest(position, commitPoint)!);
      if (committed !== computed) return { position, commitPoint, layer, committed, computed };
    }
  }
  return undefined;
}
