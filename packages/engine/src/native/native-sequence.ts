import { CommonweightError, type Graph } from '@commonweight/protocol';
import type { Sequence } from '../executor.ts';
import { checkCapacity } from '../sequence-checks.ts';
import { cacheBytes } from '../wasm/model-layout.ts';
import { allocateBuffer } from './allocate-buffer.ts';

/** A KV cache in memory of its own. */
export class NativeSequence implements Sequence {
  readonly capacity: number;
  readonly #owner: object;
  #cache: ArrayBuffer | undefined;
  #length = 0;

  constructor(graph: Graph, owner: object, capacity: number) {
    checkCapacity(graph, capacity);
    this.capacity = capacity;
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

  release(): void {
    this.#cache = undefined;
  }
}
