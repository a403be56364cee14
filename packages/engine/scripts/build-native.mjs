// Builds native/engine.node, the optional addon, from kernels/ with the system's C compiler: `npm run build:native`. CC names another one.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';
import headers from 'node-api-headers';

const folder = fileURLToPath(new URL('..', import.meta.url));
export const addonFile = join(folder, 'native', 'engine.node');

// Integers only, yet: no contraction, no fast-math, whatever the compiler's default. Shifts and sums are the machine's, as in WASM.
const COMPILE = [
  '-std=gnu11',
  '-O3',
  '-fPIC',
  '-pthread',
  '-fwrapv',
  '-fno-strict-aliasing',
  '-ffp-contract=off',
  '-fno-fast-math',
  '-fvisibility=hidden',
  '-g0',
];
const WARN = ['-Wall', '-Wextra'];
const AVX512 = ['-mavx512f', '-mavx512bw', '-mavx512vl', '-mavx512dq', '-mavx512vnni', '-mprefer-vector-width=512'];
const LEVELS = { plain: [], ...(process.arch === 'x64' && { avx2: ['-mavx2'], vnni: AVX512 }) };

/** The first of $CC, cc, gcc, clang that answers; undefined without any. */
export function findCompiler() {
  return [process.env['CC'], 'cc', 'gcc', 'clang'].find((name) => name !== undefined && spawnSync(name, ['--version']).status === 0);
}

/** SHA-256 over names and bytes of all C files: src/native/load-native-addon.node.ts computes it again and refuses an addon of other sources. */
export function kernelSourcesDigest() {
  const kernels = join(folder, 'kernels');
  const hash = createHash('sha256');
  for (const path of ['', 'native']) {
    for (const name of readdirSync(join(kernels, path))
      .filter((file) => /\.[ch]$/.test(file))
      .toSorted()) {
      hash.update(`${path}/${name}\0`).update(readFileSync(join(kernels, path, name)));
    }
  }
  return hash.digest('hex');
}

function run(command, args) {
  const { status, stderr, error } = spawnSync(command, args, { cwd: join(folder, 'kernels'), encoding: 'utf8' });
  if (error) throw error;
  if (status !== 0) throw new Error(`${command} ended with ${status}:\n${stderr}`);
}

/** Writes the addon to `output`; a file that is there is replaced at once, never half. */
export function buildNative(compiler, output = addonFile) {
  if (process.platform === 'win32') throw new Error('the addon is not built on Windows: the engine runs in WASM');
  mkdirSync(dirname(output), { recursive: true });
  const work = mkdtempSync(join(tmpdir(), 'engine-native-'));
  const whole = `${output}.${process.pid}`;
  try {
    const objects = Object.entries(LEVELS).map(([level, flags]) => {
      const object = join(work, `${level}.o`);
      run(compiler, [...COMPILE, ...WARN, ...flags, `-DLEVEL=${level}`, '-c', 'engine.c', '-o', object]);
      return object;
    });
    const addon = join(work, 'addon.o');
    run(compiler, [
      ...COMPILE,
      ...WARN,
      `-I${headers.include_dir}`,
      `-DSOURCES_SHA256="${kernelSourcesDigest()}"`,
      '-c',
      join('native', 'addon.c'),
      '-o',
      addon,
    ]);
    const link = process.platform === 'darwin' ? ['-bundle', '-undefined', 'dynamic_lookup'] : ['-shared', '-pthread'];
    run(compiler, [...link, addon, ...objects, '-o', whole]);
    renameSync(whole, output);
  } finally {
    rmSync(work, { recursive: true });
    rmSync(whole, { force: true });
  }
}

function main() {
  const compiler = findCompiler();
  if (compiler === undefined)
    throw new Error('a C compiler is needed to build the addon (on Debian: apt-get install gcc); without it the engine runs in WASM');
  buildNative(compiler);
  process.stdout.write(`${addonFile} (${compiler}, ${Object.keys(LEVELS).join(', ')})\n`);
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) main();
