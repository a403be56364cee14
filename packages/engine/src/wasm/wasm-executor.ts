import { CommonweightError, type Manifest, MerkleTag } from '@commonweight/protocol';
import type { Executor, ForwardObserver, Sequence, WeightsExecutor, WeightsSource } from '../executor.ts';
import { limits } from '../limits.ts';
import { checkBatch, checkIds } from '../sequence-checks.ts';
import { type EngineInstance, instantiate } from './kernels.ts';
import { loadWeights, weightsSize } from '../load-weights.ts';
import { merkleRootInMemory } from './merkle-root-in-memory.ts';
import { type ModelLayout, layOutModel } from './model-layout.ts';
import { WasmSequence } from './wasm-sequence.ts';
import type { EngineModule } from './web-assembly.ts';
import { weightsMemory } from './weights-memory.ts';

/**
 * The executor that runs `engine.wasm`, in Node and in browsers. Weights are read once, straight into its memory, and checked.
 * One thread; calls on one executor must not overlap (they are synchronous). A browser's main thread must compile `module` asynchronously.
 * Throws a {@link CommonweightError} that names the tensor at fault, or `memory` when the model does not fit into 4 GiB.
 * @param module - what `loadEngineWasm` gives, or the bytes of `engine.wasm`
 */
export function createWasmExecutor(manifest: Manifest, weights: WeightsSource, module: EngineModule | Uint8Array): WeightsExecutor {
  const engine = instantiate(module);
  const { memory } = engine;
  const start = loadWeights(manifest, weights, weightsMemory(engine));
  const layout = layOutModel(manifest, start, memory);
  const prepare = (sequence: Sequence, ids: readonly number[]) => {
    const own = ownSequence(engine, sequence);
    void own.cache; // throws when it was released, also for no ids
    checkIds(manifest.graph, ids, own.capacity - own.length);
    return own;
  };
  const forward: Executor['forward'] = (sequence, ids, observer = {}) => {
    const own = prepare(sequence, ids);
    for (let at = 0; at < ids.length; at += limits.prefillChunk) {
      runChunk(engine, manifest, layout, own, ids.slice(at, at + limits.prefillChunk), observer);
    }
  };
  return {
    backend: 'wasm',
    manifest,
    weightsRoot: () => merkleRootInMemory(engine, MerkleTag.file, start, weightsSize(manifest)),
    newSequence: (capacity) => new WasmSequence(manifest.graph, memory, capacity),
    forward,
    forwardBatch: (parts) => {
      checkBatch(parts);
      for (const { sequence, ids } of parts) prepare(sequence, ids);
      for (const { sequence, ids, observer } of parts) forward(sequence, ids, observer);
    },
  };
}

function ownSequence({ memory }: EngineInstance, sequence: Sequence): WasmSequence {
  if (sequence instanceof WasmSequence && sequence.belongsTo(memory)) return sequence;
  throw new CommonweightError('expected a sequence of this executor, got one of another; use newSequence', {
    code: 'sequence',
    action: 'stop',
  });
}

function runChunk(
  { kernels, memory }: EngineInstance,
  { graph }: Manifest,
  layout: ModelLayout,
  sequence: WasmSequence,
  ids: readonly number[],
  observer: ForwardObserver,
): void {
  const first = sequence.length;
  memory.int32(layout.ids, ids.length).set(ids);
  kernels.forward(layout.model, layout.ids, sequence.cache, sequence.capacity, first, ids.length);
  sequence.advance(ids.length);

  const points = graph.commitPoints.length;
  for (let i = 0; observer.onResidual && i < ids.length * points; i++) {
    const residual = memory.int32(layout.committed + 4 * i * graph.width, graph.width);
    observer.onResidual(first + Math.floor(i / points), i % points, residual);
  }

  if (!observer.onLogits) return;
  for (let row = Math.max(0, (observer.logitsFrom ?? Infinity) - first); row < ids.length; row += layout.logitRows) {
    const count = Math.min(layout.logitRows, ids.length - row);
    kernels.logits(layout.model, row, count);
    for (let i = 0; i < count; i++) {
      observer.onLogits(first + row + i, memory.int32(layout.logits + 4 * i * layout.logitStride, graph.vocabulary));
    }
  }
}
