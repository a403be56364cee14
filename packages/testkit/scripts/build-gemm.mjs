// Builds gemm.wasm (committed) from gemm.c with clang 14 and wasm-ld 14.
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const at = (name) => fileURLToPath(new URL(`../float/${name}`, import.meta.url));
execFileSync(
  'clang',
  ['--target=wasm32', '-O3', '-msimd128', '-ffreestanding', '-nostdlib', '-ffp-contract=off', '-c', at('gemm.c'), '-o', at('gemm.o')],
  { stdio: 'inherit' },
);
execFileSync(
  'wasm-ld',
  ['--no-entry', '--import-memory', '--strip-all', '--stack-first', '-z', 'stack-size=16384', at('gemm.o'), '-o', at('gemm.wasm')],
  { stdio: 'inherit' },
);
rmSync(at('gemm.o'));
