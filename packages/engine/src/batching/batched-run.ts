import { CommonweightError, type Manifest, type Sha256 } from '@commonweight/protocol';
import type { BatchPart, Sequence } from '../executor.ts';
import { GenerationRun, type RunOptions } from '../generation-run.ts';
import type { BatchEvent } from './batch-event.ts';
import type { FoundPrefix, KnownPrefix } from './prefix-cache.ts';

export interface BatchRunOptions extends RunOptions {
  /** Who may see what this run leaves in the prefix cache; without one it neither uses nor fills it. */
  readonly scope?: string;
}

/** What a run of a batch is made from. */
export interface Seat {
  readonly manifest: Manifest;
  readonly sequence: Sequence;
  /** Prompt positions that need not be run. */
  readonly found: FoundPrefix | undefined;
  readonly sha256: Sha256 | undefined;
}

/** One run that has its place in a batch. */
export class BatchedRun<Key> {
  readonly key: Key;
  readonly scope: string | undefined;
  readonly #run: GenerationRun;
  readonly #cached: number;
  #failure: CommonweightError | undefined;
  /** The part that was handed out last was one of the prompt. */
  #inPrompt = false;

  constructor(key: Key, options: BatchRunOptions, { manifest, sequence, found, sha256 }: Seat) {
    this.key = key;
    this.scope = options.scope;
    this.#run = new GenerationRun(options, sequence, manifest, sha256);
    this.#cached = found?.positions ?? 0;
    if (found) this.#run.reuse(found.prefix.sequence, found.positions, found.prefix.digests(found.positions));
  }

  get prefilled(): boolean {
    return this.#run.prefilled;
  }

  /** What is run so far, for others of the same scope. */
  get prefix(): KnownPrefix {
    const { options, completionIds, sequence, commitment } = this.#run;
    return {
      ids: [...options.promptIds, ...completionIds].slice(0, sequence.length),
      sequence,
      digests: (positions) => commitment.bytes(positions),
    };
  }

  /** Its part of the next step: at most `most` prompt positions, or the token that was taken last. */
  part(most: number): BatchPart {
    const { sequence, observer } = this.#run;
    this.#inPrompt = !this.#run.prefilled;
    return {
      sequence,
      ids: this.#run.next(most),
      observer: {
        ...(observer.logitsFrom !== undefined && { logitsFrom: observer.logitsFrom }),
        // what goes wrong for this run must not end the step of the others
        onResidual: (...seen) => this.#guard(() => observer.onResidual?.(...seen)),
        onLogits: (...seen) => this.#guard(() => observer.onLogits?.(...seen)),
      },
    };
  }

  fail(error: unknown): void {
    this.#failure ??=
      error instanceof CommonweightError
        ? error
        : new CommonweightError('the engine could not go on with this run; try again', {
            code: 'run_failed',
            action: 'retry',
            cause: error,
          });
  }

  /** What came of its last part. After `done` and `failed` nothing follows. */
  collect(): BatchEvent<Key>[] {
    const run = this.#run;
    const { key } = this;
    if (this.#failure) return [{ type: 'failed', run: key, error: this.#failure }];
    const events: BatchEvent<Key>[] = [];
    if (this.#inPrompt)
      events.push({ type: 'prefill', run: key, done: run.sequence.length, total: run.options.promptIds.length, cached: this.#cached });
    if (run.hasToken) events.push({ type: 'token', run: key, ...run.take() });
    if (run.finish !== undefined) events.push({ type: 'done', run: key, result: run.result(run.finish) });
    return events;
  }

  stopped(): BatchEvent<Key> {
    return { type: 'done', run: this.key, result: this.#run.result('stopped') };
  }

  release(): void {
    this.#run.sequence.release();
  }

  #guard(call: () => void): void {
    if (this.#failure) return;
    try {
      call();
    } catch (error) {
      this.fail(error);
    }
  }
}
