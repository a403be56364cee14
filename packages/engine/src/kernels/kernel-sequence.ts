import { CommonweightError, type Graph } from '@commonweight/protocol';
import type { Sequence } from '../executor.ts';
import { checkCapacity, checkCopy, checkIds } from '../sequence-checks.ts';
import { cacheBytes, copyCache } from './cache-layout.ts';
import type { KernelCache, KernelHost } from './kernel-host.ts';

/** A sequence whose cache lies in a host's memory. */
export class KernelSequence<C extends KernelCache> implements Sequence {
  readonly capacity: number;
  readonly #graph: Graph;
  readonly #host: KernelHost<C>;
  #cache: C | undefined;
  #length = 0;

  constructor(graph: Graph, host: KernelHost<C>, capacity: number) {
    checkCapacity(graph, capacity);
    this.capacity = capacity;
    this.#graph = graph;
    this.#host = host;
    this.#cache = host.newCache(cacheBytes(graph, capacity), `the KV cache of ${capacity} positions`);
  }

  /** Throws unless `sequence` is one of `host`. */
  static of<C extends KernelCache>(host: KernelHost<C>, sequence: Sequence): KernelSequence<C> {
    if (sequence instanceof KernelSequence && sequence.#host === host) return sequence as KernelSequence<C>;
    throw new CommonweightError('expected a sequence of this executor, got one of another; use newSequence', {
      code: 'sequence',
      action: 'stop',
    });
  }

  get length(): number {
    return this.#length;
  }

  /** Throws after {@link release}. */
  get cache(): C {
    if (this.#cache === undefined) {
      throw new CommonweightError('expected a sequence in use, got a released one', { code: 'sequence', action: 'stop' });
    }
    return this.#cache;
  }

  /** Throws unless `ids` can be appended. */
  check(ids: readonly number[]): void {
    void this.cache; // throws when it was released, also for no ids
    checkIds(this.#graph, ids, this.capacity - this.#length);
  }

  /** One position of the cache was filled. */
  advance(): void {
    this.#length++;
  }

  copyFrom(source: Sequence, positions: number): void {
    const other = KernelSequence.of(this.#host, source);
    const [from, to] = [other, this].map(({ cache, capacity }) => ({ bytes: cache.bytes(), capacity }));
    checkCopy(this, other, positions);
    copyCache(this.#graph, from!, to!, positions);
    this.#length = positions;
  }

  release(): void {
    this.#cache?.release();
    this.#cache = undefined;
  }
}
