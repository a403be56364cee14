import { CommonweightError } from '@commonweight/protocol';

interface Waiting {
  readonly start: () => void;
  readonly moved: (ahead: number) => void;
}

/** First come, first served; one runs at a time. */
export class RunQueue {
  readonly limit: number;
  readonly #waiting: Waiting[] = [];
  #running = false;

  /** @param limit - runs that may wait behind the one that runs. */
  constructor(limit: number) {
    this.limit = limit;
  }

  get running(): number {
    return this.#running ? 1 : 0;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Whether {@link enter} would refuse. */
  get full(): boolean {
    return this.#running && this.#waiting.length >= this.limit;
  }

  /**
   * Waits for its turn; resolves with the function that gives the place to the next one.
   * @param moved - called with the number of runs ahead, now and whenever it changes.
   * @throws CommonweightError `queue_full`; the signal's reason when it is aborted while waiting.
   */
  enter(moved: (ahead: number) => void, signal: AbortSignal): Promise<() => void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason as Error);
      if (this.full) return reject(queueFull(this.limit));
      if (!this.#running) {
        this.#running = true;
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
      this.#running = next !== undefined;
      next?.start();
      this.#tell();
    };
  }

  #tell(): void {
    for (const [i, { moved }] of this.#waiting.entries()) moved(i + 1);
  }
}

export const queueFull = (limit: number): CommonweightError =>
  new CommonweightError(`one run is in progress and ${limit} wait; try again or ask another node`, { code: 'queue_full', action: 'retry' });
