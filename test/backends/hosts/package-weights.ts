import { packageFiles, parseManifest } from '@commonweight/protocol';
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import type { RealWeights } from '../workload/workbench.ts';

/** Reads a package on disk; its digests were checked when it was made. */
export function packageWeights(folder: string): RealWeights {
  const manifest = parseManifest(JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')));
  const read = (offset: number, target: Uint8Array): void => {
    const file = openSync(join(folder, packageFiles.weights), 'r');
    try {
      for (let at = 0; at < target.length;) {
        const got = readSync(file, target, at, target.length - at, offset + at);
        if (got === 0) throw new RangeError(`${packageFiles.weights} ends at byte ${offset + at}`);
        at += got;
      }
    } finally {
      closeSync(file);
    }
  };
  return { manifest, weights: { read } };
}
