import { type Manifest, type Sha256, ThinCommitment, residualDigest } from '@commonweight/protocol';
import type { ForwardObserver } from './executor.ts';

/** The thin commitment of a run, grown by its observer: every residual stream at a commit point is hashed as it comes. */
export function commitTo(
  manifest: Manifest,
  sha256?: Sha256,
): { readonly commitment: ThinCommitment; readonly onResidual: ForwardObserver['onResidual'] & {} } {
  const commitment = new ThinCommitment(manifest.graph.commitPoints.length, sha256);
  return {
    commitment,
    onResidual: (_position, _point, residual) => commitment.append(residualDigest(littleEndian(residual), sha256)),
  };
}

const HOST_IS_LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

function littleEndian(values: Int32Array): Uint8Array {
  if (HOST_IS_LITTLE_ENDIAN) return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const bytes = new Uint8Array(values.byteLength);
  const view = new DataView(bytes.buffer);
  for (const [i, value] of values.entries()) view.setInt32(4 * i, value, true);
  return bytes;
}
