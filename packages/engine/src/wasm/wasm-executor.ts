import { type Manifest, MerkleTag } from '@commonweight/protocol';
import type { WeightsExecutor, WeightsSource } from '../executor.ts';
import { createKernelExecutor } from '../kernels/kernel-executor.ts';
import type { KernelCache, KernelHost } from '../kernels/kernel-host.ts';
import { limits } from '../limits.ts';
import { loadWeights, weightsSize } from '../load-weights.ts';
import type { EngineMemory } from './engine-memory.ts';
import { type EngineInstance, instantiate } from './kernels.ts';
import { merkleRootInMemory } from './merkle-root-in-memory.ts';
import { layOutModel } from './model-layout.ts';
import type { EngineModule } from './web-assembly.ts';
import { weightsMemory } from './weights-memory.ts';

/**
 * The executor that runs `engine.wasm`, in Node and in browsers. Weights are read once, straight into its memory, and checked.
 * One thread; calls on one executor must not overlap (they are synchronous). A browser's main thread must compile `module` asynchronously.
 * Throws a {@link CommonweightError} that names the tensor at fault, or `memory` when the model does not fit into 4 GiB.
 * @param module - what `loadEngineWasm` gives, or the bytes of `engine.wasm`
 */
export function createWasmExecutor(manifest: Manifest, weights: WeightsSource, module: EngineModule | Uint8Array): WeightsExecutor {
  return createKernelExecutor(manifest, wasmHost(manifest, weights, instantiate(module)));
}

interface WasmCache extends KernelCache {
  readonly address: number;
}

function wasmHost(manifest: Manifest, weights: WeightsSource, engine: EngineInstance): KernelHost<WasmCache> {
  const { kernels, memory } = engine;
  const { graph } = manifest;
  const start = loadWeights(manifest, weights, weightsMemory(engine));
  const layout = layOutModel(manifest, start, memory);
  const points = graph.commitPoints.length;
  return {
    backend: 'wasm',
    chunk: limits.prefillChunk,
    logitRows: layout.logitRows,
    weightsRoot: () => merkleRootInMemory(engine, MerkleTag.file, start, weightsSize(manifest)),
    newCache: (bytes, what) => newCache(memory, bytes, what),
    forward: (rows) => {
      const words = rows.flatMap(({ cache, id, capacity, position }) => [cache.address, id, capacity, position]);
      memory.int32(layout.rows, words.length).set(words);
      kernels.forward(layout.model, layout.worker, layout.rows, rows.length);
    },
    residual: (row, point) => memory.int32(layout.committed + 4 * (row * points + point) * graph.width, graph.width),
    logits: (rows) => {
      memory.int32(layout.rows, rows.length).set(rows);
      kernels.logits(layout.model, layout.worker, layout.rows, rows.length);
    },
    logitsAt: (i) => memory.int32(layout.logits + 4 * i * layout.logitStride, graph.vocabulary),
  };
}

function newCache(memory: EngineMemory, size: number, what: string): WasmCache {
  const address = memory.allocate(size, what);
  return { address, bytes: () => memory.bytes(address, size), release: () => memory.free(address) };
}
