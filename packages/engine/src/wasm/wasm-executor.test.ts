import type { Manifest } from '@commonweight/protocol';
import { describe, expect, it } from 'vitest';
import { describeExecutor } from '../testing/executor-suite.ts';
import { buildTinyModel } from '../testing/tiny-model.ts';
import { loadEngineWasm } from './load-engine-wasm.node.ts';
import { createWasmExecutor } from './wasm-executor.ts';

const engine = loadEngineWasm();

describeExecutor('engine.wasm', (manifest, weights) => createWasmExecutor(manifest, weights, engine));

describe('WASM executor', () => {
  it('refuses a model of more than 4 GiB before it reads a byte', () => {
    const { manifest } = buildTinyModel();
    const huge: Manifest = { ...manifest, files: manifest.files.map((file) => ({ ...file, size: 2 ** 32 })) };
    const source = {
      read: () => {
        throw new Error('read');
      },
    };
    expect(() => createWasmExecutor(huge, source, engine)).toThrow(/weights\.bin needs 4294967296 bytes.*4 GiB/);
  });
});
