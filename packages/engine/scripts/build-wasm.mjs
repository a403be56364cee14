// Builds wasm/engine.wasm from kernels/. The same compiler gives the same bytes on every machine; `--check` compares instead of writing.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** The committed bytes come from this version (Debian 12: `apt-get install clang-14 lld-14`); others may order instructions differently. */
export const TOOLCHAIN = '14.0.6';

const folder = fileURLToPath(new URL('..', import.meta.url));
export const wasmFile = join(folder, 'wasm', 'engine.wasm');
export const digestFile = join(folder, 'src', 'wasm', 'engine-digest.ts');

// Vectors are written by hand where they pay: clang's own make the 64-bit parts slower and the file twice as large.
const SCALAR = ['-fno-vectorize', '-fno-slp-vectorize'];
const COMPILE = [
  '--target=wasm32',
  '-std=c11',
  '-O3',
  '-msimd128',
  '-mbulk-memory',
  '-matomics',
  '-mmutable-globals',
  '-ffreestanding',
  '-fno-builtin',
  '-fwrapv',
  '-g0',
];
const WARN = ['-Wall', '-Wextra', '-Werror'];
const LINK = [
  '--no-entry',
  '--import-memory',
  '--shared-memory',
  '--max-memory=4294967296',
  '--stack-first',
  '-z',
  'stack-size=65536',
  '--export=__heap_base',
  '--export=__stack_pointer',
  '--strip-all',
];

/** The command among `names` that reports version {@link TOOLCHAIN}, or undefined. */
function find(names) {
  return names.find((name) => {
    const { status, stdout } = spawnSync(name, ['--version'], { encoding: 'utf8' });
    return status === 0 && stdout.includes(TOOLCHAIN);
  });
}

/** Commands of the expected compiler and linker; undefined when either is missing or of another version. */
export function findToolchain() {
  const clang = find(['clang-14', 'clang']);
  const linker = find(['wasm-ld-14', 'wasm-ld']);
  return clang === undefined || linker === undefined ? undefined : { clang, linker };
}

function run(command, args) {
  const { status, stderr, error } = spawnSync(command, args, { cwd: join(folder, 'kernels'), encoding: 'utf8' });
  if (error) throw error;
  if (status !== 0) throw new Error(`${command} ended with ${status}:\n${stderr}`);
}

/** Compiles and links in two steps: clang's own link step would run any `wasm-opt` on the PATH. */
export function buildWasm({ clang, linker }) {
  const work = mkdtempSync(join(tmpdir(), 'engine-wasm-'));
  try {
    const object = join(work, 'engine.o');
    const output = join(work, 'engine.wasm');
    run(clang, [...COMPILE, ...SCALAR, ...WARN, '-c', 'engine.c', '-o', object]);
    run(linker, [...LINK, object, '-o', output]);
    return readFileSync(output);
  } finally {
    rmSync(work, { recursive: true });
  }
}

export const digestModule = (bytes) =>
  `// Written by scripts/build-wasm.mjs.\n\n/** SHA-256 of \`wasm/engine.wasm\`. */\nexport const ENGINE_WASM_SHA256 = '${createHash('sha256').update(bytes).digest('hex')}';\n`;

function main() {
  const toolchain = findToolchain();
  if (toolchain === undefined) {
    throw new Error(`clang and wasm-ld ${TOOLCHAIN} are needed to build engine.wasm: on Debian 12 run "apt-get install clang-14 lld-14"`);
  }
  const bytes = buildWasm(toolchain);
  if (process.argv.includes('--check')) {
    if (!bytes.equals(readFileSync(wasmFile)) || digestModule(bytes) !== readFileSync(digestFile, 'utf8')) {
      throw new Error('wasm/engine.wasm is not what kernels/ gives: run "npm run build:wasm -w @commonweight/engine"');
    }
  } else {
    writeFileSync(wasmFile, bytes);
    writeFileSync(digestFile, digestModule(bytes));
  }
  process.stdout.write(`engine.wasm: ${bytes.length} bytes\n`);
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) main();
