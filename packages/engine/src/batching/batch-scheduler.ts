import { CommonweightError, ThinCommitment } from '@commonweight/protocol';
import type { BatchPart } from '../executor.ts';
import { limits } from '../limits.ts';
import type { BatchEvent } from './batch-event.ts';
import { type BatchRunOptions, BatchedRun } from './batched-run.ts';
import { KvBudget, type KvBudgetOptions } from './kv-budget.ts';
import type { KnownPrefix } from './prefix-cache.ts';

export interface BatchOptions extends KvBudgetOptions {
  /** Runs that share a step, 1 to `limits.batchSlots`. */
  readonly slots: number;
}

interface Waiting<Key> {
  readonly key: Key;
  readonly options: BatchRunOptions;
  readonly bytes: number;
  /** What it was told last. */
  ahead: number;
}

interface Seated<Key> {
  readonly batched: BatchedRun<Key>;
  readonly bytes: number;
}

/**
 * Continuous batching: runs join and leave between steps (Yu et al., Orca, OSDI 2022, section 3). A step is one token of every run that decodes and a bounded piece of
 * the prompts of the others (Agrawal et al., Sarathi-Serve, OSDI 2024, section 4). A run gives what `generate` gives for it alone, bit for bit.
 * Everything is synchronous; whoever drives it looks at its messages between two steps.
 */
export class BatchScheduler<Key> {
  readonly #o: BatchOptions;
  readonly #budget: KvBudget;
  readonly #waiting: Waiting<Key>[] = [];
  /** The first one gets the next piece of prompt and then goes to the end. */
  #prefilling: Seated<Key>[] = [];
  #decoding: Seated<Key>[] = [];
  readonly #stopping = new Set<Key>();
  /** The machine had no memory for the first one that waits: it is asked again when a run has ended. */
  #blocked = false;

  constructor(options: BatchOptions) {
    const { slots } = options;
    if (!Number.isInteger(slots) || slots < 1 || slots > limits.batchSlots) {
      throw new CommonweightError(`slots: expected 1 to ${limits.batchSlots}, got ${slots}`, { code: 'batch', field: 'slots' });
    }
    this.#o = options;
    this.#budget = new KvBudget(options);
  }

  get running(): number {
    return this.#prefilling.length + this.#decoding.length;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Whether {@link step} would have nothing to do. */
  get idle(): boolean {
    return this.running + this.#waiting.length === 0;
  }

  /**
   * The run joins at the next step, or waits its turn in the order of arrival.
   * @param key - names the run in events; not one of a run that is still there
   * @throws CommonweightError for a run that can never be served: wrong ids or lengths, more positions than the context has
   */
  add(key: Key, options: BatchRunOptions): void {
    const bytes = this.#budget.need(options);
    if (this.#waiting.length >= limits.batchWaiting) {
      throw new CommonweightError(`${limits.batchWaiting} runs wait already; try again`, { code: 'queue_full', action: 'retry' });
    }
    this.#waiting.push({ key, options, bytes, ahead: -1 });
  }

  /** The run is done with finish `stopped` at the next step, with what was run until then. Unknown keys are ignored: it may have ended a moment ago. */
  stop(key: Key): void {
    if (this.#seated().some(({ batched }) => batched.key === key) || this.#waiting.some((one) => one.key === key)) this.#stopping.add(key);
  }

  /** Runs one step. A throw (a trap of the engine, not the failure of a run) leaves the scheduler unusable. */
  step(): BatchEvent<Key>[] {
    const events = this.#endStopped();
    events.push(...this.#admit());
    const parts = this.#plan();
    if (parts.length > 0) this.#forward(parts);
    for (const { seat } of parts) {
      const came = seat.batched.collect();
      events.push(...came);
      const last = came.at(-1)?.type;
      if (last === 'done' || last === 'failed') this.#leave(seat, last === 'done');
    }
    this.#moveOn(new Set(parts.map(({ seat }) => seat)));
    return events;
  }

  #seated(): Seated<Key>[] {
    return [...this.#prefilling, ...this.#decoding];
  }

  #endStopped(): BatchEvent<Key>[] {
    const events: BatchEvent<Key>[] = [];
    for (const key of this.#stopping) {
      const at = this.#waiting.findIndex((one) => one.key === key);
      const seat = this.#seated().find(({ batched }) => batched.key === key);
      if (at >= 0) {
        this.#waiting.splice(at, 1);
        const commitment = new ThinCommitment(this.#o.executor.manifest.graph.commitPoints.length);
        events.push({ type: 'done', run: key, result: { completionIds: [], finish: 'stopped', commitment } });
      } else if (seat) {
        events.push(seat.batched.stopped());
        this.#leave(seat, true);
      }
    }
    this.#stopping.clear();
    return events;
  }

  #admit(): BatchEvent<Key>[] {
    const events: BatchEvent<Key>[] = [];
    while (this.#waiting.length > 0 && this.running < this.#o.slots && !this.#blocked) {
      const { key, options, bytes } = this.#waiting[0]!;
      if (!this.#budget.fits(bytes)) break;
      const others = this.#seated().filter(({ batched }) => batched.scope === options.scope);
      try {
        const prefixes = others.map(({ batched }) => batched.prefix);
        this.#prefilling.push({ batched: this.#seat(key, options, bytes, prefixes), bytes });
      } catch (error) {
        if (!(error instanceof CommonweightError)) throw error;
        // somebody who runs will give memory back
        this.#blocked = error.code === 'memory' && this.running > 0;
        if (this.#blocked) break;
        events.push({ type: 'failed', run: key, error });
      }
      this.#waiting.shift();
    }
    for (const [index, one] of this.#waiting.entries()) {
      if (one.ahead === index + 1) continue;
      one.ahead = index + 1;
      events.push({ type: 'waiting', run: one.key, ahead: one.ahead });
    }
    return events;
  }

  /** Nothing stays taken for a run that cannot begin: a grammar may turn out to be too ambiguous. */
  #seat(key: Key, options: BatchRunOptions, bytes: number, others: readonly KnownPrefix[]): BatchedRun<Key> {
    const seat = this.#budget.take(bytes, options, others);
    try {
      return new BatchedRun(key, options, seat);
    } catch (error) {
      seat.sequence.release();
      this.#budget.give(bytes);
      throw error;
    }
  }

  #plan(): { seat: Seated<Key>; part: BatchPart }[] {
    const parts = this.#decoding.map((seat) => ({ seat, part: seat.batched.part(1) }));
    let rows: number = parts.length > 0 ? limits.prefillRowsBeside : limits.prefillChunk;
    for (const seat of this.#prefilling) {
      if (rows === 0) break;
      const part = seat.batched.part(rows);
      parts.push({ seat, part });
      rows -= part.ids.length;
    }
    return parts;
  }

  #forward(parts: readonly { seat: Seated<Key>; part: BatchPart }[]): void {
    const { executor } = this.#o;
    const before = parts.map(({ part }) => part.sequence.length);
    try {
      executor.forwardBatch(parts.map(({ part }) => part));
    } catch (error) {
      // an executor that lost a thread serves nobody any more
      if (!(error instanceof CommonweightError) || error.code === 'engine-thread') throw error;
      // one of them was refused and none was run: each on its own shows which
      for (const [index, { seat, part }] of parts.entries()) {
        if (part.sequence.length !== before[index]) throw error;
        try {
          executor.forward(part.sequence, part.ids, part.observer);
        } catch (own) {
          if (!(own instanceof CommonweightError)) throw own;
          seat.batched.fail(own);
        }
      }
    }
  }

  #leave(seat: Seated<Key>, keep: boolean): void {
    this.#prefilling = this.#prefilling.filter((one) => one !== seat);
    this.#decoding = this.#decoding.filter((one) => one !== seat);
    this.#blocked = false;
    const { batched, bytes } = seat;
    this.#budget.give(bytes, keep ? batched : undefined);
    batched.release();
  }

  /** Who has finished the prompt decodes from now on; who got a piece of it stands behind those who got none. */
  #moveOn(served: ReadonlySet<Seated<Key>>): void {
    const open = this.#prefilling.filter(({ batched }) => !batched.prefilled);
    this.#decoding.push(...this.#prefilling.filter(({ batched }) => batched.prefilled));
    this.#prefilling = [...open.filter((seat) => !served.has(seat)), ...open.filter((seat) => served.has(seat))];
  }
}
