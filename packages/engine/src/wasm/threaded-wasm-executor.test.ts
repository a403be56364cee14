import { describe, expect, it } from 'vitest';
import { createReferenceExecutor } from '../reference/executor.ts';
import { describeExecutor } from '../testing/executor-suite.ts';
import { buildTinyModel, tinyShapes } from '../testing/tiny-model.ts';
import { randomIds, traceOf } from '../testing/trace.ts';
import { loadEngineWasm } from './load-engine-wasm.node.ts';
import { createThreadedWasmExecutor } from './threaded-wasm-executor.node.ts';

const engine = loadEngineWasm();

describeExecutor('engine.wasm with two threads', (manifest, weights) => createThreadedWasmExecutor(manifest, weights, engine, 2), 6);

describe('threaded WASM executor', () => {
  it.each([1, 2, 3, 4])('gives the same bits with %i threads', (threads) => {
    for (const options of [tinyShapes.odd, tinyShapes.untied, tinyShapes.saturating]) {
      const { manifest, source } = buildTinyModel(options);
      const ids = randomIds(manifest.graph.vocabulary, 45);
      const executor = createThreadedWasmExecutor(manifest, source, engine, threads);
      expect(executor.backend).toBe(threads === 1 ? 'wasm' : `wasm-threads-${threads}`);
      expect(traceOf(executor, ids, [30, 1, 1, 3])).toEqual(traceOf(createReferenceExecutor(manifest, source), ids, [45]));
      executor.close();
    }
  });

  it.each([0, 65, 1.5])('refuses %s threads', (threads) => {
    const { manifest, source } = buildTinyModel();
    expect(() => createThreadedWasmExecutor(manifest, source, engine, threads)).toThrow('threads: expected 1 to 64');
  });
});
