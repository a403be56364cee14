import { CommonweightError, packageFiles, toHex } from '@commonweight/protocol';
import type { WeightsExecutor } from './executor.ts';

/** Throws `digest_mismatch` unless the executor computes from exactly the weights that its manifest names: over its memory, so nothing can change between check and use. */
export function checkWeights({ manifest, weightsRoot }: WeightsExecutor): void {
  const expected = manifest.files.find(({ name }) => name === packageFiles.weights)?.root;
  const got = toHex(weightsRoot());
  if (got === expected) return;
  throw new CommonweightError(
    `${packageFiles.weights}: expected Merkle root ${expected}, got ${got}; the file was changed or damaged, import the model again`,
    { code: 'digest_mismatch', action: 'stop', field: packageFiles.weights },
  );
}
