import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { capture, npmCommand } from '../../../scripts/lib/run.mjs';
import type { Progress } from '../progress.ts';

/** Of node-llama-cpp. */
export const LLAMA_VERSION = '3.22.1';
const MEGABYTES = 85;

/** Where node-llama-cpp lies afterwards: the file to import. Its prebuilt binaries come from npm; no script of the package is run. Throws with what to do. */
export async function installLlama(folder: string, progress: Progress): Promise<string> {
  const entry = join(folder, 'node_modules/node-llama-cpp/dist/index.js');
  if (existsSync(entry) && installed(folder) === LLAMA_VERSION) return entry;
  const platform = `${{ darwin: 'mac', win32: 'win' }[process.platform as string] ?? process.platform}-${process.arch}`;
  progress.line(`installing node-llama-cpp ${LLAMA_VERSION} for ${platform} into ${folder} (npm, ${MEGABYTES} MB)`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"private":true}\n');
  const packages = [`node-llama-cpp@${LLAMA_VERSION}`, `@node-llama-cpp/${platform}@${LLAMA_VERSION}`];
  const npm = npmCommand(['install', '--ignore-scripts', '--omit=optional', '--no-audit', '--no-fund', ...packages]);
  const { code, tail } = await capture(npm.command, npm.args, { cwd: folder, ...npm.options });
  if (code === 0 && existsSync(entry)) return entry;
  throw new Error(`node-llama-cpp ${LLAMA_VERSION} could not be installed with npm: ${tail.trim()}`);
}

const installed = (folder: string): unknown =>
  (JSON.parse(readFileSync(join(folder, 'node_modules/node-llama-cpp/package.json'), 'utf8')) as { version?: unknown }).version;
