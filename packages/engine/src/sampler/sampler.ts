import { type SamplerSettings, prfDraw } from '@commonweight/protocol';
import { LogitAdjuster } from './logit-adjuster.ts';
import { sampleToken } from './sample-token.ts';

export interface SamplerOptions {
  readonly settings: SamplerSettings;
  /** See `prfKey` of the protocol. */
  readonly prfKey: Uint8Array;
  readonly promptIds: readonly number[];
}

/**
 * Chooses the ids of one answer (SPEC section 14). What it chooses depends on the ids before it alone: generation accepts what it sampled,
 * re-execution what was claimed, and both see the same at every position.
 */
export class Sampler {
  readonly #settings: SamplerSettings;
  readonly #prfKey: Uint8Array;
  readonly #adjuster: LogitAdjuster;
  /** Absolute position of the next token. */
  #position: number;

  constructor({ settings, prfKey, promptIds }: SamplerOptions) {
    this.#settings = settings;
    this.#prfKey = prfKey;
    this.#adjuster = new LogitAdjuster(settings, promptIds);
    this.#position = promptIds.length;
  }

  /**
   * The token after prompt and accepted ids.
   * @param logits - int32 Q16, one per id, of the last of these positions; not changed
   */
  sample(logits: Int32Array): number {
    const draw = this.#settings.temperature === 0 ? 0n : prfDraw(this.#prfKey, this.#position);
    return sampleToken(this.#adjuster.adjust(logits), this.#settings, draw);
  }

  /** Takes the next id of the answer. */
  accept(id: number): void {
    this.#adjuster.accept(id);
    this.#position++;
  }
}
