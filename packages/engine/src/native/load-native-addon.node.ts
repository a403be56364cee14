import { CommonweightError } from '@commonweight/protocol';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NATIVE_ABI, type NativeAddon } from './addon.ts';

const folder = fileURLToPath(new URL('../..', import.meta.url));

/** Where `npm run build:native` puts it. */
export const nativeAddonFile = join(folder, 'native', 'engine.node');

/**
 * The native engine, or undefined when it is not built: then everything runs in WASM.
 * Throws a {@link CommonweightError} (`native-addon`) for a file that cannot be loaded here or was built from other sources than those of this package.
 */
export function loadNativeAddon(file: string = nativeAddonFile): NativeAddon | undefined {
  if (!existsSync(file)) return undefined;
  const addon = load(file);
  if (addon.abi !== NATIVE_ABI) throw unusable(file, `expected interface ${NATIVE_ABI}, got ${addon.abi}`);
  const sources = kernelSourcesDigest();
  if (addon.sources !== sources) throw unusable(file, `it was built from other sources (${addon.sources}) than are here (${sources})`);
  return addon;
}

function load(file: string): NativeAddon {
  try {
    return createRequire(import.meta.url)(file) as NativeAddon;
  } catch (cause) {
    throw unusable(file, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

const unusable = (file: string, why: string, cause?: unknown): CommonweightError =>
  new CommonweightError(`the native engine ${file} cannot be used: ${why}; run "npm run build:native" again, or delete it and use WASM`, {
    code: 'native-addon',
    action: 'stop',
    details: { file },
    cause,
  });

/** The same digest as in scripts/build-native.mjs. */
function kernelSourcesDigest(): string {
  const kernels = join(folder, 'kernels');
  const hash = createHash('sha256');
  for (const path of ['', 'native']) {
    for (const name of readdirSync(join(kernels, path))
      .filter((entry) => /\.[ch]$/.test(entry))
      .toSorted()) {
      hash.update(`${path}/${name}\0`).update(readFileSync(join(kernels, path, name)));
    }
  }
  return hash.digest('hex');
}
