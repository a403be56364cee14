import { CommonweightError } from '@commonweight/protocol';

interface Waiting {
  readonly start: () => void;
  readonly moved: (ahead: number) => void;
}

export interface RunQueueLimits {
  /** Runs side by side. */
  readonly slots: number;
  /** Runs that may wait behind them. */
  readonly limit: number;
}

/** First come, first served; so many run side by side. */
export class RunQueue {
  readonly slots: number;
  readonly limit: number;
  readonly #waiting: Waiting[] = [];
  #running = 0;

  constructor({ slots, limit }: RunQueueLimits) {
    this.slots = slots;
    this.limit = limit;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Whether {@link enter} would refuse. */
  get full(): boolean {
    return this.#running >= this.slots && this.#waiting.length >= this.limit;
  }

  /**
   * Waits for its turn; resolves with the function that gives the place to the next one.
   * @param moved - called with the number of runs ahead, now and whenever it changes.
   * @throws CommonweightError `queue_full`; the signal's reason when it is aborted while waiting.
   */
  enter(moved: (ahead: number) => void, signal: AbortSignal): Promise<() => void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason as Error);
      if (this.full) return reject(queueFull(this));
      if (this.#running < this.slots) {
        this.#running++;
        return resolve(this.#leaveOnce());
      }
      const leave = (): void => {
        const at = this.#waiting.indexOf(entry);
        if (at >= 0) this.#waiting.splice(at, 1);
        this.#tell();
        reject(signal.reason as Error);
      };
      const entry: Waiting = {
        moved,
        start: () => {
          signal.removeEventListener('abort', leave);
          resolve(this.#leaveOnce());
        },
      };
      this.#waiting.push(entry);
      signal.addEventListener('abort', leave, { once: true });
      moved(this.#waiting.length);
    });
  }

  #leaveOnce(): () => void {
    let left = false;
    return () => {
      if (left) return;
      left = true;
      const next = this.#waiting.shift();
      if (next) next.start();
      else this.#running--;
      this.#tell();
    };
  }

  #tell(): void {
    for (const [i, { moved }] of this.#waiting.entries()) moved(i + 1);
  }
}

export const queueFull = ({ slots, limit }: RunQueueLimits): CommonweightError =>
  new CommonweightError(`${slots} runs are in progress and ${limit} wait; try again or ask another node`, {
    code: 'queue_full',
    action: 'retry',
  });
