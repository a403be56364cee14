import { type Manifest, type Sha256, ThinCommitment, residualDigest } from '@commonweight/protocol';
import type { ForwardObserver } from './executor.ts';
import { littleEndianBytes } from './little-endian-bytes.ts';

/** The thin commitment of a run, grown by its observer: every residual stream at a commit point is hashed as it comes. */
export function commitTo(
  manifest: Manifest,
  sha256?: Sha256,
): { readonly commitment: ThinCommitment; readonly onResidual: ForwardObserver['onResidual'] & {} } {
  const commitment = new ThinCommitment(manifest.graph.commitPoints.length, sha256);
  return {
    commitment,
    onResidual: (_position, _point, residual, digest) =>
      commitment.append(digest?.() ?? residualDigest(littleEndianBytes(residual), sha256)),
  };
}
