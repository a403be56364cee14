import type { Frame } from '@commonweight/protocol';
import { workerLimits } from '../limits.ts';
import type { Clock } from '../platform/clock.ts';
import type { Run } from './run.ts';

type ProgressFrame = Extract<Frame, { type: 'queued' | 'prefill' }>;

/** Tells the reader of a run how far it is until its first token, also when nothing changes: a gateway takes long silence for a dead node. */
export class RunProgress implements Disposable {
  readonly #run: Run;
  readonly #clock: Clock;
  #cancel: (() => void) | undefined;

  constructor(run: Run, clock: Clock) {
    this.#run = run;
    this.#clock = clock;
  }

  /** So many are ahead now. */
  readonly ahead = (ahead: number): void => this.#tell({ type: 'queued', ahead });

  /** It has a slot; said only when the first piece of its prompt takes long. */
  started(): void {
    this.#repeat({ type: 'queued', ahead: 0 });
  }

  /** Positions of the prompt that are done now. */
  prefill(done: number, total: number, cached: number): void {
    this.#tell({ type: 'prefill', done, total, cached });
  }

  /** From here on tokens tell it. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  [Symbol.dispose](): void {
    this.stop();
  }

  #tell(frame: ProgressFrame): void {
    this.#run.frames.push(frame);
    this.#repeat(frame);
  }

  #repeat(frame: ProgressFrame): void {
    this.stop();
    this.#cancel = this.#clock.after(workerLimits.progressFrameMs, () => this.#tell(frame));
  }
}
