import { type Manifest, MerkleTag } from '@commonweight/protocol';
import type { WeightsSource } from '../executor.ts';
import type { KernelCache, KernelHost } from '../kernels/kernel-host.ts';
import { lostThread } from '../kernels/lost-thread.ts';
import { limits } from '../limits.ts';
import { loadWeights, weightsSize } from '../load-weights.ts';
import type { EngineMemory } from './engine-memory.ts';
import type { EngineInstance } from './kernels.ts';
import { merkleRootInMemory } from './merkle-root-in-memory.ts';
import { layOutModel } from './model-layout.ts';
import { weightsMemory } from './weights-memory.ts';

interface WasmCache extends KernelCache {
  readonly address: number;
}

export interface WasmHost extends KernelHost<WasmCache> {
  /** Addresses of the team's `worker` structs; the first one is the caller's. */
  readonly workers: readonly number[];
}

/** Loads a model into an engine's memory. With more than one thread, whoever calls this starts the others: see helper-threads.node.ts. */
export function wasmHost(manifest: Manifest, weights: WeightsSource, engine: EngineInstance, threads = 1): WasmHost {
  const { kernels, memory } = engine;
  const { graph } = manifest;
  const start = loadWeights(manifest, weights, weightsMemory(engine));
  const layout = layOutModel(manifest, start, memory, threads);
  const points = graph.commitPoints.length;
  const run = (kernel: 'forward' | 'logits', rows: number): void => {
    if (kernels[kernel](layout.model, layout.workers[0]!, layout.rows, rows) !== 0) throw lostThread();
  };
  return {
    backend: threads === 1 ? 'wasm' : `wasm-threads-${threads}`,
    chunk: limits.prefillChunk,
    logitRows: layout.logitRows,
    workers: layout.workers,
    weightsRoot: () => merkleRootInMemory(engine, MerkleTag.file, start, weightsSize(manifest)),
    newCache: (bytes, what) => newCache(memory, bytes, what),
    forward: (rows) => {
      const words = rows.flatMap(({ cache, id, capacity, position }) => [cache.address, id, capacity, position]);
      memory.int32(layout.rows, words.length).set(words);
      run('forward', rows.length);
    },
    residual: (row, point) => memory.int32(layout.committed + 4 * (row * points + point) * graph.width, graph.width),
    logits: (rows) => {
      memory.int32(layout.rows, rows.length).set(rows);
      run('logits', rows.length);
    },
    logitsAt: (i) => memory.int32(layout.logits + 4 * i * layout.logitStride, graph.vocabulary),
    close: () => {},
  };
}

function newCache(memory: EngineMemory, size: number, what: string): WasmCache {
  const address = memory.allocate(size, what);
  return { address, bytes: () => memory.bytes(address, size), release: () => memory.free(address) };
}
