import { CommonweightError } from '@commonweight/protocol';
import type { Executor, Sequence } from '../executor.ts';
import { limits } from '../limits.ts';
import { cacheBytes } from '../kernels/cache-layout.ts';
import { commonPrefix } from './common-prefix.ts';

export interface PrefixCacheOptions {
  readonly executor: Executor;
  /** Most bytes that the kept sequences may take. */
  readonly bytes: number;
  /** Shorter prefixes are neither kept nor reused: running them again costs as much. */
  readonly minimum?: number;
}

/** Positions that were run, from the first one on. */
export interface KnownPrefix {
  readonly ids: ArrayLike<number>;
  readonly sequence: Sequence;
  /** Digests of the commit points of the first positions, 32 bytes each, in order (position, commit point). */
  readonly digests: (positions: number) => Uint8Array;
}

export interface PrefixCacheStats {
  readonly entries: number;
  readonly bytes: number;
  readonly lookups: number;
  readonly hits: number;
  /** Prompt positions that did not have to be run. */
  readonly reused: number;
}

/** Of an engine without a cache. */
export const noPrefixes: PrefixCacheStats = { entries: 0, bytes: 0, lookups: 0, hits: 0, reused: 0 };

/** The first `positions` of a prefix are the beginning of the text that was looked for. */
export interface FoundPrefix {
  readonly prefix: KnownPrefix;
  readonly positions: number;
}

interface Entry extends KnownPrefix {
  readonly scope: string;
  readonly bytes: number;
  /** Length of the longest part that another run has reused. */
  shared: number;
}

/**
 * KV caches of texts that were run, for prompts that begin in the same way. A scope (a payer) sees its own entries only: whether a prompt is answered sooner tells
 * what was asked before. Least recently used entries go first; of an entry that was reused in part, that part stays longest.
 */
export class PrefixCache {
  readonly #executor: Executor;
  readonly #limit: number;
  readonly #minimum: number;
  readonly #positionBytes: number;
  /** Least recently used first. */
  readonly #entries: Entry[] = [];
  #bytes = 0;
  #lookups = 0;
  #hits = 0;
  #reused = 0;

  constructor({ executor, bytes, minimum = limits.prefixMinimum }: PrefixCacheOptions) {
    const { graph } = executor.manifest;
    this.#executor = executor;
    this.#limit = bytes;
    this.#minimum = minimum;
    this.#positionBytes = cacheBytes(graph, 1) + 32 * graph.commitPoints.length + Uint32Array.BYTES_PER_ELEMENT;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get stats(): PrefixCacheStats {
    return { entries: this.#entries.length, bytes: this.#bytes, lookups: this.#lookups, hits: this.#hits, reused: this.#reused };
  }

  /**
   * The longest known beginning of `ids`, not longer than `most`.
   * @param others - prefixes of the same scope that are known beside the entries: those of runs in progress
   */
  find(scope: string, ids: readonly number[], most: number, others: readonly KnownPrefix[] = []): FoundPrefix | undefined {
    let best: FoundPrefix | undefined;
    for (const prefix of [...this.#of(scope), ...others]) {
      const positions = Math.min(most, prefix.sequence.length, commonPrefix(prefix.ids, ids));
      if (positions >= this.#minimum && positions > (best?.positions ?? 0)) best = { prefix, positions };
    }
    return best;
  }

  /** Counts a look-up and what it saved; the entry becomes the most recently used one. */
  used(found: FoundPrefix | undefined): void {
    this.#lookups++;
    if (!found) return;
    this.#hits++;
    this.#reused += found.positions;
    const entry = this.#entries.find((one) => one === found.prefix);
    if (!entry) return;
    entry.shared = Math.max(entry.shared, found.positions);
    this.#touch(entry);
  }

  /**
   * Keeps a copy of what a run leaves behind. Of a text that is too long, its beginning: that is what comes again.
   * @param free - bytes that the whole cache may take at this moment, if fewer than its own limit
   */
  keep(scope: string, { ids, sequence, digests }: KnownPrefix, free = this.#limit): void {
    const limit = Math.min(this.#limit, free);
    const most = Math.floor((limit * limits.prefixEntryShare) / this.#positionBytes);
    const positions = Math.min(sequence.length, ids.length, most);
    if (positions < this.#minimum) return;
    let shared = 0;
    for (const entry of this.#of(scope)) {
      const common = Math.min(positions, commonPrefix(entry.ids, ids));
      if (common === positions) return this.#touch(entry);
      if (common < entry.sequence.length) continue;
      // the new one holds all of it
      shared = Math.max(shared, entry.shared);
      this.#remove(entry);
    }
    while (this.#entries.length >= limits.prefixEntries) this.#remove(this.#entries[0]!);
    this.shrinkTo(limit - positions * this.#positionBytes);
    const entry = this.#copy(scope, { ids, sequence, digests }, positions);
    if (!entry) return;
    entry.shared = shared;
    this.#entries.push(entry);
    this.#bytes += entry.bytes;
  }

  /** Gives memory back until at most `bytes` are taken; `spared` goes last. */
  shrinkTo(bytes: number, spared?: KnownPrefix): void {
    // an entry is visited twice at most: cut, then removed
    while (this.#bytes > bytes && this.#entries.length > 0) {
      const entry = this.#entries.find((one) => one !== spared) ?? this.#entries[0]!;
      if (!this.#cut(entry)) this.#remove(entry);
    }
  }

  #of(scope: string): Entry[] {
    return this.#entries.filter((entry) => entry.scope === scope);
  }

  #touch(entry: Entry): void {
    this.#entries.splice(this.#entries.indexOf(entry), 1);
    this.#entries.push(entry);
  }

  #remove(entry: Entry): void {
    this.#entries.splice(this.#entries.indexOf(entry), 1);
    this.#bytes -= entry.bytes;
    entry.sequence.release();
  }

  /** Leaves of an entry what others have reused, unless another entry holds that too. It stays as old as it was. */
  #cut(entry: Entry): boolean {
    const { scope, shared } = entry;
    if (shared < this.#minimum || shared === entry.sequence.length) return false;
    if (this.#of(scope).some((other) => other !== entry && commonPrefix(other.ids, entry.ids) >= shared)) return false;
    const shorter = this.#copy(scope, entry, shared);
    if (!shorter) return false;
    this.#entries[this.#entries.indexOf(entry)] = shorter;
    this.#bytes += shorter.bytes - entry.bytes;
    entry.sequence.release();
    return true;
  }

  #copy(scope: string, { ids, sequence, digests }: KnownPrefix, positions: number): Entry | undefined {
    const copy = this.#newSequence(positions);
    if (!copy) return undefined;
    copy.copyFrom(sequence, positions);
    const kept = digests(positions).slice();
    return {
      scope,
      ids: Uint32Array.from(ids).slice(0, positions),
      sequence: copy,
      digests: (count) => kept.subarray(0, 32 * this.#executor.manifest.graph.commitPoints.length * count),
      bytes: positions * this.#positionBytes,
      shared: 0,
    };
  }

  /** A machine without memory for a cache runs without one. */
  #newSequence(positions: number): Sequence | undefined {
    try {
      return this.#executor.newSequence(positions);
    } catch (error) {
      if (error instanceof CommonweightError && error.code === 'memory') return undefined;
      throw error;
    }
  }
}
