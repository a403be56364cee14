import { CommonweightError, type Sha256 } from '@commonweight/protocol';
import type { Executor, Sequence } from '../executor.ts';
import { positionsOf } from '../generation-run.ts';
import { checkIds } from '../sequence-checks.ts';
import { cacheBytes } from '../kernels/cache-layout.ts';
import type { BatchRunOptions, Seat } from './batched-run.ts';
import type { FoundPrefix, KnownPrefix, PrefixCache } from './prefix-cache.ts';

export interface KvBudgetOptions {
  readonly executor: Executor;
  /** Most bytes of KV cache that runs and prefix cache take together; one run alone may take more. */
  readonly kvBytes: number;
  /** Of the same executor. It gives way to runs. */
  readonly prefixCache?: PrefixCache;
  readonly sha256?: Sha256;
}

/** The memory that runs of a batch share. A run's whole length is reserved before it begins, so that none has to be broken off for want of memory. */
export class KvBudget {
  readonly #o: KvBudgetOptions;
  #taken = 0;

  constructor(options: KvBudgetOptions) {
    this.#o = options;
  }

  /**
   * Bytes that a run needs.
   * @throws CommonweightError for a run that can never be served: wrong ids or lengths, more positions than the context has
   */
  need(options: BatchRunOptions): number {
    const { executor } = this.#o;
    const { graph } = executor.manifest;
    const positions = positionsOf(options);
    if (positions > graph.context) {
      throw new CommonweightError(`prompt and answer: expected 1 to ${graph.context} positions, got ${positions}`, {
        code: 'sequence',
        field: 'maxTokens',
      });
    }
    checkIds(graph, options.promptIds, graph.context);
    return cacheBytes(graph, positions);
  }

  /** A run that is longer than the whole budget has its turn too: alone. */
  fits(bytes: number): boolean {
    return this.#taken === 0 || this.#taken + bytes <= this.#o.kvBytes;
  }

  /** A run has ended; what it leaves behind goes into the prefix cache. */
  give(bytes: number, left?: { readonly scope: string | undefined; readonly prefix: KnownPrefix }): void {
    const { kvBytes, prefixCache } = this.#o;
    this.#taken -= bytes;
    if (left?.scope !== undefined) prefixCache?.keep(left.scope, left.prefix, kvBytes - this.#taken);
  }

  /**
   * Takes the bytes and opens the run's sequence; `others` are runs in progress whose beginning may be copied.
   * @throws CommonweightError `memory` when the machine has less than the budget
   */
  take(bytes: number, options: BatchRunOptions, others: readonly KnownPrefix[]): Seat {
    const { executor, kvBytes, prefixCache, sha256 } = this.#o;
    const { manifest } = executor;
    prefixCache?.shrinkTo(kvBytes - this.#taken - bytes, this.#find(options, others)?.prefix);
    const sequence = this.#newSequence(positionsOf(options));
    this.#taken += bytes;
    // looked up again: its entry may have had to give way
    const found = this.#find(options, others);
    if (options.scope !== undefined) prefixCache?.used(found);
    return { manifest, sequence, found, sha256 };
  }

  /** The cache gives way when the machine has less memory than the budget says. */
  #newSequence(capacity: number): Sequence {
    const { executor, prefixCache } = this.#o;
    try {
      return executor.newSequence(capacity);
    } catch (error) {
      if (!(error instanceof CommonweightError) || error.code !== 'memory' || !prefixCache?.bytes) throw error;
      prefixCache.shrinkTo(0);
      return executor.newSequence(capacity);
    }
  }

  /** The last prompt position is always run: nobody has kept its logits. */
  #find({ scope, promptIds }: BatchRunOptions, others: readonly KnownPrefix[]): FoundPrefix | undefined {
    if (scope === undefined) return undefined;
    return this.#o.prefixCache?.find(scope, promptIds, promptIds.length - 1, others);
  }
}
