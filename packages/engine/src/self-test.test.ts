import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createReferenceExecutor } from './reference/executor.ts';
import { SELF_TEST_DIGEST, selfTest, selfTestDigest } from './self-test.ts';
import { withConstantChanged } from './testing/with-constant-changed.ts';
import { engineWasmFile, loadEngineWasm } from './wasm/load-engine-wasm.node.ts';
import { createWasmExecutor } from './wasm/wasm-executor.ts';

const committed = (): Uint8Array => new Uint8Array(readFileSync(engineWasmFile));

describe('self-test', () => {
  it('passes for the reference and for the committed engine', () => {
    expect(selfTestDigest(createReferenceExecutor)).toBe(SELF_TEST_DIGEST);
    const engine = loadEngineWasm();
    selfTest((manifest, weights) => createWasmExecutor(manifest, weights, engine));
  });

  it.each([
    ['a coefficient of exp2', 247_557_401n],
    ['log2(e) of SwiGLU', 94_548n],
  ])('finds one flipped bit in %s', (_, constant) => {
    const { bytes, places } = withConstantChanged(committed(), constant);
    expect(places).toBeGreaterThan(0);
    expect(() => selfTest((manifest, weights) => createWasmExecutor(manifest, weights, bytes))).toThrow(/self-test: expected/);
  });

  it('the loader refuses a file with one flipped bit', () => {
    const folder = mkdtempSync(join(tmpdir(), 'engine-'));
    try {
      const file = join(folder, 'engine.wasm');
      const bytes = committed();
      writeFileSync(file, bytes);
      loadEngineWasm(file);
      bytes[bytes.length >> 1]! ^= 1;
      writeFileSync(file, bytes);
      expect(() => loadEngineWasm(file)).toThrow(/engine\.wasm: expected SHA-256/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
