import { CommonweightError, type Manifest } from '@commonweight/protocol';
import type { BatchPart, Executor, ForwardObserver, Sequence, WeightsSource } from '../executor.ts';
import { Lifetime } from '../lifetime.ts';
import { checkBatch, checkCapacity, checkCopy, checkIds } from '../sequence-checks.ts';
import { embedToken, logitsOf, runLayer } from './forward.ts';
import { type KeyValueHead, copyKeyValues, newKeyValueHead } from './kv-cache.ts';
import { type Model, loadModel } from './load-model.ts';

/**
 * The oracle: plain TypeScript, one position after the other, one function an operation. Every other back end must give its bits.
 * Reads and checks the whole model at once; throws a {@link CommonweightError} that names the tensor at fault.
 */
export function createReferenceExecutor(manifest: Manifest, weights: WeightsSource): Executor {
  const model = loadModel(manifest, weights);
  const lifetime = new Lifetime();
  const forwardBatch = (parts: readonly BatchPart[]): void => {
    lifetime.check();
    checkBatch(parts);
    for (const { sequence, ids } of parts) ownSequence(model, sequence).check(ids);
    for (const { sequence, ids, observer } of parts) ownSequence(model, sequence).append(ids, observer ?? {});
  };
  return {
    backend: 'reference',
    manifest,
    newSequence: (capacity) => {
      lifetime.check();
      return new ReferenceSequence(model, capacity);
    },
    forward: (sequence, ids, observer = {}) => forwardBatch([{ sequence, ids, observer }]),
    forwardBatch,
    close: () => void lifetime.end(),
  };
}

function ownSequence(model: Model, sequence: Sequence): ReferenceSequence {
  if (sequence instanceof ReferenceSequence && sequence.belongsTo(model)) return sequence;
  throw new CommonweightError('expected a sequence of this executor, got one of another; use newSequence', {
    code: 'sequence',
    action: 'stop',
  });
}

class ReferenceSequence implements Sequence {
  readonly capacity: number;
  readonly #model: Model;
  #caches: KeyValueHead[][];
  #released = false;
  #length = 0;

  constructor(model: Model, capacity: number) {
    checkCapacity(model.graph, capacity);
    const { layers, kvHeads, headDimension } = model.graph;
    this.#model = model;
    this.capacity = capacity;
    this.#caches = Array.from({ length: layers }, () => Array.from({ length: kvHeads }, () => newKeyValueHead(capacity, headDimension)));
  }

  get length(): number {
    return this.#length;
  }

  belongsTo(model: Model): boolean {
    return this.#model === model;
  }

  copyFrom(source: Sequence, positions: number): void {
    const from = ownSequence(this.#model, source);
    this.check([]);
    from.check([]);
    checkCopy(this, from, positions);
    for (const [layer, heads] of this.#caches.entries()) {
      for (const [index, head] of heads.entries()) copyKeyValues(from.#caches[layer]![index]!, head, positions);
    }
    this.#length = positions;
  }

  release(): void {
    this.#released = true;
    this.#caches = [];
  }

  append(ids: readonly number[], observer: ForwardObserver): void {
    this.check(ids);
    const logitsFrom = observer.logitsFrom ?? Number.POSITIVE_INFINITY;
    for (const id of ids) {
      const position = this.#length;
      const x = this.#runLayers(id, position, observer);
      this.#length++;
      if (position >= logitsFrom) observer.onLogits?.(position, logitsOf(this.#model, x));
    }
  }

  #runLayers(id: number, position: number, observer: ForwardObserver): Int32Array {
    const { graph, layers } = this.#model;
    const x = embedToken(this.#model, id);
    for (const [index, layer] of layers.entries()) {
      runLayer(this.#model, layer, x, position, this.#caches[index]!);
      const point = graph.commitPoints.indexOf(index);
      if (point !== -1) observer.onResidual?.(position, point, x);
    }
    return x;
  }

  /** Throws unless `ids` can be appended. */
  check(ids: readonly number[]): void {
    if (this.#released) throw new CommonweightError('expected a sequence in use, got a released one', { code: 'sequence', action: 'stop' });
    checkIds(this.#model.graph, ids, this.capacity - this.#length);
  }
}
