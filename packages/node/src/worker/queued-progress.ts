import { workerLimits } from '../limits.ts';
import type { Clock } from '../platform/clock.ts';
import type { Run } from './run.ts';

/** Tells the reader of a run how many are ahead of it, also when nothing changes: a gateway takes long silence for a dead node. */
export class QueuedProgress implements Disposable {
  readonly #run: Run;
  readonly #clock: Clock;
  #cancel: (() => void) | undefined;

  constructor(run: Run, clock: Clock) {
    this.#run = run;
    this.#clock = clock;
  }

  /** So many are ahead now. */
  readonly ahead = (ahead: number): void => {
    this.#cancel?.();
    this.#run.frames.push({ type: 'queued', ahead });
    this.#cancel = this.#clock.after(workerLimits.queuedFrameMs, () => this.ahead(ahead));
  };

  /** It does not wait, at least for now. */
  readonly pause = (): void => this.#cancel?.();

  [Symbol.dispose](): void {
    this.pause();
  }
}
