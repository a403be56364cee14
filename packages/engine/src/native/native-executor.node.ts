import { CommonweightError, type Manifest, MerkleTag, merkleRootOfBytes } from '@commonweight/protocol';
import type { Executor, ForwardObserver, Sequence, WeightsExecutor, WeightsSource } from '../executor.ts';
import { limits } from '../limits.ts';
import { loadWeights, weightsSize } from '../load-weights.ts';
import { checkBatch, checkIds } from '../sequence-checks.ts';
import { nodeSha256 } from '../sha256.node.ts';
import type { NativeAddon, NativeLevel, NativeModel } from './addon.ts';
import { allocateBuffer } from './allocate-buffer.ts';
import { logitShape, modelWords } from './model-words.ts';
import { NativeSequence } from './native-sequence.ts';

/**
 * The executor that runs the native addon, with 64-bit addresses: models and caches may be larger than 4 GiB. Weights are read once and checked.
 * One thread; calls on one executor must not overlap (they are synchronous).
 * Throws a {@link CommonweightError} that names the tensor at fault, `memory` when the machine has too little, or `native-addon` for a level that this processor lacks.
 * @param addon - what `loadNativeAddon` gives
 * @param level - the instruction set to use; the strongest one of this processor by default
 */
export function createNativeExecutor(
  manifest: Manifest,
  weights: WeightsSource,
  addon: NativeAddon,
  level = addon.levels[0]!,
): WeightsExecutor {
  checkLevel(addon, level);
  const engine = loadModel(manifest, weights, addon, level);
  const prepare = (sequence: Sequence, ids: readonly number[]) => {
    const own = ownSequence(engine, sequence);
    void own.cache; // throws when it was released, also for no ids
    checkIds(manifest.graph, ids, own.capacity - own.length);
    return own;
  };
  const forward: Executor['forward'] = (sequence, ids, observer = {}) => {
    const own = prepare(sequence, ids);
    for (let at = 0; at < ids.length; at += limits.nativeChunk) {
      runChunk(engine, manifest, own, ids.slice(at, at + limits.nativeChunk), observer);
    }
  };
  return {
    backend: `native-${level}`,
    manifest,
    weightsRoot: () => merkleRootOfBytes(MerkleTag.file, engine.weights, nodeSha256),
    newSequence: (capacity) => new NativeSequence(manifest.graph, engine, capacity),
    forward,
    forwardBatch: (parts) => {
      checkBatch(parts);
      for (const { sequence, ids } of parts) prepare(sequence, ids);
      for (const { sequence, ids, observer } of parts) forward(sequence, ids, observer);
    },
  };
}

interface NativeEngine {
  readonly addon: NativeAddon;
  readonly model: NativeModel;
  /** `weights.bin` where the addon reads it. */
  readonly weights: Uint8Array;
  /** `[chunk][commit points][width]` */
  readonly committed: Int32Array;
  /** `[rows][stride]` */
  readonly logits: Int32Array;
  readonly logitRows: number;
  readonly logitStride: number;
}

function checkLevel({ levels }: NativeAddon, level: NativeLevel): void {
  if (levels.includes(level)) return;
  throw new CommonweightError(`expected a level that this processor has (${levels.join(', ')}), got ${level}`, {
    code: 'native-addon',
    field: 'level',
    action: 'stop',
  });
}

function loadModel(manifest: Manifest, source: WeightsSource, addon: NativeAddon, level: NativeLevel): NativeEngine {
  const { graph } = manifest;
  const memory = new WeightsBuffer(addon);
  loadWeights(manifest, source, memory);
  const model = addon.createModel(level, memory.buffer, memory.start, modelWords(manifest));
  if (model === undefined) {
    throw new CommonweightError('the workspace of the model does not fit into memory; use a smaller model', {
      code: 'memory',
      action: 'stop',
    });
  }
  const { rows, stride } = logitShape(graph);
  const committed = allocateBuffer(4 * limits.nativeChunk * graph.commitPoints.length * graph.width, 'the commit points of a chunk');
  const logits = allocateBuffer(4 * rows * stride, 'the logits of a chunk');
  const weights = memory.bytes(0, weightsSize(manifest));
  return {
    addon,
    model,
    weights,
    committed: new Int32Array(committed),
    logits: new Int32Array(logits),
    logitRows: rows,
    logitStride: stride,
  };
}

/** One buffer for `weights.bin`; addresses count from its first multiple of 64. */
class WeightsBuffer {
  readonly #addon: NativeAddon;
  buffer = new ArrayBuffer(0);
  start = 0;

  constructor(addon: NativeAddon) {
    this.#addon = addon;
  }

  allocate(bytes: number, what: string): number {
    this.buffer = allocateBuffer(bytes + 64, what);
    this.start = this.#addon.alignment(this.buffer);
    return 0;
  }

  bytes(start: number, length: number): Uint8Array {
    return new Uint8Array(this.buffer, this.start + start, length);
  }

  int32(start: number, length: number): Int32Array {
    return new Int32Array(this.buffer, this.start + start, length);
  }

  lowestAt(start: number, length: number): number {
    return new Int8Array(this.buffer, this.start + start, length).indexOf(-128);
  }
}

function ownSequence(engine: NativeEngine, sequence: Sequence): NativeSequence {
  if (sequence instanceof NativeSequence && sequence.belongsTo(engine)) return sequence;
  throw new CommonweightError('expected a sequence of this executor, got one of another; use newSequence', {
    code: 'sequence',
    action: 'stop',
  });
}

function runChunk(
  { addon, model, committed, logits, logitRows, logitStride }: NativeEngine,
  { graph }: Manifest,
  sequence: NativeSequence,
  ids: readonly number[],
  observer: ForwardObserver,
): void {
  const first = sequence.length;
  addon.forward(model, Int32Array.from(ids), sequence.cache, sequence.capacity, first, committed);
  sequence.advance(ids.length);

  const points = graph.commitPoints.length;
  for (let i = 0; observer.onResidual && i < ids.length * points; i++) {
    observer.onResidual(first + Math.floor(i / points), i % points, committed.subarray(i * graph.width, (i + 1) * graph.width));
  }

  if (!observer.onLogits) return;
  for (let row = Math.max(0, (observer.logitsFrom ?? Infinity) - first); row < ids.length; row += logitRows) {
    const count = Math.min(logitRows, ids.length - row);
    addon.logits(model, row, count, logits);
    for (let i = 0; i < count; i++) {
      observer.onLogits(first + row + i, logits.subarray(i * logitStride, i * logitStride + graph.vocabulary));
    }
  }
}
