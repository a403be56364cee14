import { gatewayLimits as limits } from '../../limits.ts';
import type { Clock } from '../../platform/clock.ts';
import { NodeFailure } from '../network/node-failure.ts';

/** Gives a run up when the node is silent for too long: before its first frame, between two, before the first token, after an end. */
export class FrameDeadline {
  readonly #clock: Clock;
  readonly #abort: AbortController;
  readonly #firstTokenBy: number;
  #endBy = Number.POSITIVE_INFINITY;
  #tokens = false;
  #cancel: () => void;

  constructor(clock: Clock, abort: AbortController) {
    this.#clock = clock;
    this.#abort = abort;
    this.#firstTokenBy = clock.now() + limits.firstTokenMs;
    this.#cancel = this.#in(limits.firstFrameMs);
  }

  /** A frame came. */
  frame(isToken: boolean): void {
    this.#tokens ||= isToken;
    this.#restart();
  }

  /** The payer's end was sent: the run must be over soon. */
  ended(): void {
    this.#endBy = this.#clock.now() + limits.afterEndMs;
    this.#restart();
  }

  close(): void {
    this.#cancel();
  }

  #restart(): void {
    this.#cancel();
    const now = this.#clock.now();
    this.#cancel = this.#in(Math.min(limits.betweenFramesMs, this.#endBy - now, this.#tokens ? Infinity : this.#firstTokenBy - now));
  }

  #in(ms: number): () => void {
    return this.#clock.after(Math.max(ms, 0), () => {
      this.#abort.abort(new NodeFailure('silent', `the node was silent for more than ${Math.round(ms / 1000)} s`));
    });
  }
}
