import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { addonFile, buildNative, findCompiler, kernelSourcesDigest } from '../../scripts/build-native.mjs';
import type { NativeAddon } from '../native/addon.ts';
import { loadNativeAddon } from '../native/load-native-addon.node.ts';

/** Why tests of the addon cannot run here, or undefined. Under CI, where a compiler is installed, they fail instead. */
export const noCompiler: string | undefined =
  findCompiler() === undefined && !process.env['CI'] ? 'skipped: this machine has no C compiler' : undefined;

/** The addon of today's sources, built beside the one that users build so that no test switches theirs on; kept for the next run. */
export function builtAddon(): NativeAddon {
  const compiler = findCompiler();
  if (compiler === undefined) throw new Error('no C compiler: CI installs one (apt-get install gcc)');
  const script = readFileSync(new URL('../../scripts/build-native.mjs', import.meta.url));
  const key = createHash('sha256').update(script).update(kernelSourcesDigest()).update(compiler).digest('hex').slice(0, 16);
  const file = join(addonFile, '..', 'test', `engine-${key}.node`);
  if (!existsSync(file)) buildNative(compiler, file);
  const addon = loadNativeAddon(file);
  if (addon === undefined) throw new Error(`expected the addon in ${file}`);
  return addon;
}
