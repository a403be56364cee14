import { CommonweightError, type Manifest, MerkleTag, merkleRootOfParts } from '@commonweight/protocol';
import type { WeightsExecutor, WeightsSource } from '../executor.ts';
import { checkThreads } from '../kernels/check-threads.ts';
import { createKernelExecutor } from '../kernels/kernel-executor.ts';
import type { KernelCache, KernelHost } from '../kernels/kernel-host.ts';
import { lostThread } from '../kernels/lost-thread.ts';
import { limits } from '../limits.ts';
import { loadWeights, weightsSize } from '../load-weights.ts';
import { selfTest } from '../self-test.ts';
import { nodeSha256 } from '../sha256.node.ts';
import type { NativeAddon, NativeHelper, NativeLevel, NativeModel } from './addon.ts';
import { allocateBuffer } from './allocate-buffer.ts';
import { logitShape, modelWords } from './model-words.ts';

/**
 * The executor that runs the native addon, with 64-bit addresses: models and caches may be larger than 4 GiB. Weights are read once and checked.
 * Calls on one executor must not overlap (they are synchronous). Helper threads share every step, pass the known-answer test before the first one, and are ended by `close`.
 * Throws a {@link CommonweightError} that names the tensor at fault, `memory` when the machine has too little, or `native-addon` for a level that this processor lacks.
 * @param addon - what `loadNativeAddon` gives
 * @param level - the instruction set to use; the strongest one of this processor by default
 * @param threads - the caller's and helpers; more of them than free processors make it slower
 */
export function createNativeExecutor(
  manifest: Manifest,
  weights: WeightsSource,
  addon: NativeAddon,
  level = addon.levels[0]!,
  threads = 1,
): WeightsExecutor {
  checkLevel(addon, level);
  checkThreads(threads);
  const host = nativeHost(manifest, weights, addon, level, threads);
  try {
    for (let helper = 1; helper < threads; helper++) {
      const by: NativeHelper = [host.model, helper];
      selfTest((tiny, tinyWeights) => createKernelExecutor(tiny, nativeHost(tiny, tinyWeights, addon, level, 1, by)), nodeSha256);
    }
  } catch (error) {
    host.close();
    throw error;
  }
  return createKernelExecutor(manifest, host);
}

const PART_BYTES = 1 << 30;

interface NativeCache extends KernelCache {
  readonly buffer: ArrayBuffer;
}

interface NativeHost extends KernelHost<NativeCache> {
  readonly model: NativeModel;
}

/** @param by - the helper that runs everything alone, for its known-answer test */
function nativeHost(
  manifest: Manifest,
  weights: WeightsSource,
  addon: NativeAddon,
  level: NativeLevel,
  threads: number,
  by: [] | NativeHelper = [],
): NativeHost {
  const { graph } = manifest;
  const memory = new WeightsBuffer(addon);
  loadWeights(manifest, weights, memory);
  const model = createModel(manifest, memory, addon, level, threads);
  const { rows: logitRows, stride } = logitShape(graph);
  const points = graph.commitPoints.length;
  const committed = new Int32Array(allocateBuffer(4 * limits.nativeChunk * points * graph.width, 'the commit points of a step'));
  const residualDigest = residualDigests(addon, committed, graph.width, points);
  const logits = new Int32Array(allocateBuffer(4 * logitRows * stride, 'the logits of a step'));
  const check = (done: boolean): void => {
    if (!done) throw lostThread();
  };
  return {
    model,
    backend: threads === 1 ? `native-${level}` : `native-${level}-threads-${threads}`,
    chunk: limits.nativeChunk,
    logitRows,
    weightsRoot: () => merkleRootOfParts(MerkleTag.file, memory.parts(weightsSize(manifest)), nodeSha256),
    newCache: (bytes, what) => {
      const buffer = allocateBuffer(bytes, what);
      return { buffer, bytes: () => new Uint8Array(buffer), release: () => {} };
    },
    forward: (rows) => {
      const words = rows.flatMap(({ id, capacity, position }, i) => [id, i, capacity, position]);
      const caches = rows.map(({ cache }) => cache.buffer);
      check(addon.forward(model, Int32Array.from(words), caches, committed, ...by));
      residualDigest?.next(rows.length);
    },
    residual: (row, point) => committed.subarray((row * points + point) * graph.width, (row * points + point + 1) * graph.width),
    ...(residualDigest && { residualDigest: residualDigest.at }),
    logits: (rows) => check(addon.logits(model, Int32Array.from(rows), logits, ...by)),
    logitsAt: (i) => logits.subarray(i * stride, i * stride + graph.vocabulary),
    close: () => addon.close(model),
  };
}

const DIGEST = 32;

/** Digests of a step's residual streams, all of them computed when the first one is asked for. */
function residualDigests({ residualDigests: hash }: NativeAddon, committed: Int32Array, width: number, points: number) {
  if (hash === undefined) return undefined;
  const digests = new Uint8Array(DIGEST * (committed.length / width));
  let rows = 0;
  return {
    next: (count: number): void => void (rows = count),
    at: (row: number, point: number): Uint8Array => {
      hash(committed, width, rows * points, digests);
      rows = 0; // nothing is left to compute
      return digests.slice(DIGEST * (row * points + point), DIGEST * (row * points + point + 1));
    },
  };
}

function checkLevel({ levels }: NativeAddon, level: NativeLevel): void {
  if (levels.includes(level)) return;
  throw new CommonweightError(`expected a level that this processor has (${levels.join(', ')}), got ${level}`, {
    code: 'native-addon',
    field: 'level',
    action: 'stop',
  });
}

function createModel(manifest: Manifest, memory: WeightsBuffer, addon: NativeAddon, level: NativeLevel, threads: number): NativeModel {
  const model = addon.createModel(level, memory.buffer, memory.start, modelWords(manifest), threads);
  if (model !== undefined) return model;
  throw new CommonweightError(
    'the workspace of the model does not fit into memory, or there are no more threads; use a smaller model or fewer threads',
    {
      code: 'memory',
      action: 'stop',
    },
  );
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
    this.start = this.#addon.prepare(this.buffer);
    return 0;
  }

  bytes(start: number, length: number): Uint8Array {
    return new Uint8Array(this.buffer, this.start + start, length);
  }

  /** The first `length` bytes; no view of Node 20 may have 4 GiB. */
  *parts(length: number): Generator<Uint8Array> {
    for (let at = 0; at < length; at += PART_BYTES) yield this.bytes(at, Math.min(PART_BYTES, length - at));
  }

  int32(start: number, length: number): Int32Array {
    return new Int32Array(this.buffer, this.start + start, length);
  }

  lowestAt(start: number, length: number): number {
    return new Int8Array(this.buffer, this.start + start, length).indexOf(-128);
  }
}
