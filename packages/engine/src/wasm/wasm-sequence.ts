import { CommonweightError, type Graph } from '@commonweight/protocol';
import type { Sequence } from '../executor.ts';
import { checkCapacity } from '../sequence-checks.ts';
import type { EngineMemory } from './engine-memory.ts';
import { cacheBytes } from './model-layout.ts';

/** A KV cache in the engine's memory. */
export class WasmSequence implements Sequence {
  readonly capacity: number;
  readonly #memory: EngineMemory;
  #cache: number | undefined;
  #length = 0;

  constructor(graph: Graph, memory: EngineMemory, capacity: number) {
    checkCapacity(graph, capacity);
    this.capacity = capacity;
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

  release(): void {
    if (this.#cache !== undefined) this.#memory.free(this.#cache);
    this.#cache = undefined;
  }
}
