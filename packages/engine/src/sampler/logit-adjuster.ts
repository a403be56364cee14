import type { SamplerSettings } from '@commonweight/protocol';
import { addBias, countPenalty, millionthsToQ16, repeatPenalty } from './adjust-logits.ts';

const OFF = 1_000_000;

/** What is known of one id whose logit may be changed. */
interface IdState {
  /** Q16. */
  readonly bias: number;
  /** Stands in the prompt or the completion. */
  seen: boolean;
  /** Times it stands in the completion. */
  count: number;
}

/** Bias and penalties of one answer (SPEC section 14, steps 1 to 3): touches only the ids that have one. */
export class LogitAdjuster {
  readonly #repetition: number;
  readonly #presence: number;
  readonly #frequency: number;
  /** Whether the ids before matter. */
  readonly #counts: boolean;
  readonly #ids = new Map<number, IdState>();
  #adjusted = new Int32Array(0);

  constructor(settings: SamplerSettings, promptIds: readonly number[]) {
    this.#repetition = settings.repetitionPenalty;
    this.#presence = millionthsToQ16(settings.presencePenalty);
    this.#frequency = millionthsToQ16(settings.frequencyPenalty);
    this.#counts = this.#repetition !== OFF || this.#presence !== 0 || this.#frequency !== 0;
    for (const [id, bias] of settings.logitBias) this.#ids.set(id, { bias: millionthsToQ16(bias), seen: false, count: 0 });
    if (this.#repetition !== OFF) for (const id of promptIds) this.#stateOf(id).seen = true;
  }

  /** An id of the completion. */
  accept(id: number): void {
    if (!this.#counts) return;
    const state = this.#stateOf(id);
    state.seen = true;
    state.count++;
  }

  /** The logits with bias and penalties: the same array when there are none, otherwise one that the next call overwrites. */
  adjust(logits: Int32Array): Int32Array {
    if (this.#ids.size === 0) return logits;
    if (this.#adjusted.length !== logits.length) this.#adjusted = new Int32Array(logits.length);
    const adjusted = this.#adjusted;
    adjusted.set(logits);
    for (const [id, { bias, seen, count }] of this.#ids) {
      if (id >= adjusted.length) continue;
      let logit = addBias(adjusted[id]!, bias);
      if (seen && this.#repetition !== OFF) logit = repeatPenalty(logit, this.#repetition);
      if (count > 0) logit = countPenalty(logit, count, this.#presence, this.#frequency);
      adjusted[id] = logit;
    }
    return adjusted;
  }

  #stateOf(id: number): IdState {
    let state = this.#ids.get(id);
    if (!state) this.#ids.set(id, (state = { bias: 0, seen: false, count: 0 }));
    return state;
  }
}
