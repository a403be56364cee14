import { readFileSync } from 'node:fs';
import process from 'node:process';
import { describe, expect, it } from 'vitest';
import { TOOLCHAIN, buildWasm, digestFile, digestModule, findToolchain, wasmFile } from '../../scripts/build-wasm.mjs';

const toolchain = findToolchain();

// Without this very compiler the committed bytes cannot be rebuilt; CI installs it and must not skip.
describe.skipIf(toolchain === undefined && !process.env['CI'])(`engine.wasm (clang and wasm-ld ${TOOLCHAIN})`, () => {
  it('is what kernels/ gives, byte for byte', () => {
    if (toolchain === undefined) throw new Error(`clang and wasm-ld ${TOOLCHAIN} are missing: install clang-14 and lld-14`);
    const bytes = buildWasm(toolchain);
    expect(bytes.equals(readFileSync(wasmFile))).toBe(true);
    expect(digestModule(bytes)).toBe(readFileSync(digestFile, 'utf8'));
  });
});
