import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createReferenceExecutor } from './reference/executor.ts';
import { SELF_TEST_DIGEST, selfTest, selfTestDigest } from './self-test.ts';
import { engineWasmFile, loadEngineWasm } from './wasm/load-engine-wasm.node.ts';
import { createWasmExecutor } from './wasm/wasm-executor.ts';

const committed = (): Uint8Array => new Uint8Array(readFileSync(engineWasmFile));

/** Signed LEB128, as `i64.const` stores its operand. */
function leb128(value: bigint): number[] {
  const low = Number(value & 0x7fn);
  const rest = value >> 7n;
  const last = (rest === 0n && (low & 0x40) === 0) || (rest === -1n && (low & 0x40) !== 0);
  return last ? [low] : [low | 0x80, ...leb128(rest)];
}

/** The eight bytes of a lane of `v128.const`. */
const lane = (value: bigint): number[] => [...new Uint8Array(BigInt64Array.of(value).buffer)];

/** Flips one bit, worth 2^13 or more, of every constant `value` in the code: enough to change results beyond their rounding. */
function withConstantChanged(bytes: Uint8Array, value: bigint): { readonly bytes: Uint8Array; readonly places: number } {
  const copy = bytes.slice();
  let places = 0;
  for (const [pattern, flipped] of [
    [[0x42, ...leb128(value)], 3],
    [lane(value), 2],
  ] as const) {
    for (let at = 0; at + pattern.length <= bytes.length; at++) {
      if (!pattern.every((byte, i) => bytes[at + i] === byte)) continue;
      copy[at + flipped]! ^= 1;
      places++;
    }
  }
  return { bytes: copy, places };
}

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
