import { limits } from '../limits.ts';

/** Pauses between restarts: doubling up to a limit, given up after too many crashes in a row, forgiven after a long run. */
export class Backoff {
  #crashes = 0;

  /** Milliseconds until the next start after a crash, or undefined to give up. */
  next(ranMilliseconds: number): number | undefined {
    if (ranMilliseconds >= limits.restartForgiven) this.#crashes = 0;
    this.#crashes++;
    if (this.#crashes > limits.restarts) return undefined;
    return Math.min(limits.restartFirst * 2 ** (this.#crashes - 1), limits.restartLongest);
  }
}
