/**
 * What a running service has to close again. It ends once, at its owner's word or because it cannot go on; steps run newest first, and every one
 * runs, also after one that failed.
 */
export class Lifetime {
  /** Resolves when everything is closed; rejects with the reason when the service ended by itself, or with the first step's failure. */
  readonly closed: Promise<void>;
  readonly #steps: (() => Promise<unknown>)[] = [];
  #resolve!: () => void;
  #reject!: (reason: unknown) => void;
  #ending: Promise<void> | undefined;

  constructor() {
    this.closed = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // an owner that does not wait for the end reads of it in the log
    this.closed.catch(() => undefined);
  }

  defer(step: () => Promise<unknown>): void {
    this.#steps.push(step);
  }

  /** Closes everything; resolves when it is done, also when a step failed. May be called again. */
  end(reason?: unknown): Promise<void> {
    return (this.#ending ??= this.#close(reason));
  }

  async #close(reason: unknown): Promise<void> {
    const failures: unknown[] = reason === undefined ? [] : [reason];
    for (let step = this.#steps.pop(); step; step = this.#steps.pop()) {
      try {
        await step();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) this.#reject(failures[0]);
    else this.#resolve();
  }
}
