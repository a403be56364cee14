import { CommonweightError } from '@commonweight/protocol';

/** Whether an executor may still be used. */
export class Lifetime {
  #ended = false;

  check(): void {
    if (this.#ended) throw new CommonweightError('expected an executor in use, got a closed one', { code: 'executor', action: 'stop' });
  }

  /** @returns true the first time. */
  end(): boolean {
    const first = !this.#ended;
    this.#ended = true;
    return first;
  }
}
