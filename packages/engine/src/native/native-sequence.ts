import { CommonweightError, type Graph } from '@commonweight/protocol';
import { copyCache } from '../copy-cache.ts';
import type { Sequence } from '../executor.ts';
import { checkCapacity, checkCopy } from '../sequence-checks.ts';
import { cacheBytes } from '../wasm/model-layout.ts';
import { allocateBuffer } from './allocate-buffer.ts';

/** A KV cache in memory of its own. */
export class NativeSequence implements Sequence {
  readonly capacity: number;
  readonly #graph: Graph;
  readonly #owner: object;
  #cache: ArrayBuffer | undefined;
  #length = 0;

  constructor(graph: Graph, owner: object, capacity: number) {
    checkCapacity(graph, capacity);
    this.capacity = capacity;
    this.#graph = graph;
    this.#owner = owner;
    this.#cache = allocateBuffer(cacheBytes(graph, capacity), `the KV cache of ${capacity} positions`);
  }

  get length(): number {
    return this.#length;
  }

  belongsTo(owner: object): boolean {
    return this.#owner === owner;
  }

  /** Throws after {@link release}. */
  get cache(): ArrayBuffer {
    if (this.#cache === undefined) {
      throw new CommonweightError('expected a sequence in use, got a released one', { code: 'sequence', action: 'stop' });
    }
    return this.#cache;
  }

  advance(positions: number): void {
    this.#length += positions;
  }

  copyFrom(source: Sequence, positions: number): void {
    if (!(source instanceof NativeSequence) || !source.belongsTo(this.#owner)) {
      throw new CommonweightError('expected a sequence of this executor, got one of another', { code: 'sequence', action: 'stop' });
    }
    const [from, to] = [source.#bytes(), this.#bytes()];
    checkCopy(this, source, positions);
    copyCache(this.#graph, from, to, positions);
    this.#length = positions;
  }

  #bytes() {
    return { capacity: this.capacity, bytes: new Uint8Array(this.cache) };
  }

  release(): void {
    this.#cache = undefined;
  }
}
