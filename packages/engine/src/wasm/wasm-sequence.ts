import { CommonweightError, type Graph } from '@commonweight/protocol';
import { copyCache } from '../copy-cache.ts';
import type { Sequence } from '../executor.ts';
import { checkCapacity, checkCopy } from '../sequence-checks.ts';
import type { EngineMemory } from './engine-memory.ts';
import { cacheBytes } from './model-layout.ts';

/** A KV cache in the engine's memory. */
export class WasmSequence implements Sequence {
  readonly capacity: number;
  readonly #graph: Graph;
  readonly #memory: EngineMemory;
  #cache: number | undefined;
  #length = 0;

  constructor(graph: Graph, memory: EngineMemory, capacity: number) {
    checkCapacity(graph, capacity);
    this.capacity = capacity;
    this.#graph = graph;
    this.#memory = memory;
    this.#cache = memory.allocate(cacheBytes(graph, capacity), `the KV cache of ${capacity} positions`);
  }

  get length(): number {
    return this.#length;
  }

  belongsTo(memory: EngineMemory): boolean {
    return this.#memory === memory;
  }

  /** Address of the cache; throws after {@link release}. */
  get cache(): number {
    if (this.#cache === undefined) {
      throw new CommonweightError('expected a sequence in use, got a released one', { code: 'sequence', action: 'stop' });
    }
    return this.#cache;
  }

  advance(positions: number): void {
    this.#length += positions;
  }

  copyFrom(source: Sequence, positions: number): void {
    if (!(source instanceof WasmSequence) || !source.belongsTo(this.#memory)) {
      throw new CommonweightError('expected a sequence of this executor, got one of another', { code: 'sequence', action: 'stop' });
    }
    const [from, to] = [source.#bytes(), this.#bytes()];
    checkCopy(this, source, positions);
    copyCache(this.#graph, from, to, positions);
    this.#length = positions;
  }

  #bytes() {
    const { capacity, cache } = this;
    return { capacity, bytes: this.#memory.bytes(cache, cacheBytes(this.#graph, capacity)) };
  }

  release(): void {
    if (this.#cache !== undefined) this.#memory.free(this.#cache);
    this.#cache = undefined;
  }
}
