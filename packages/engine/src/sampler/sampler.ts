import { type SamplerSettings, prfDraw } from '@commonweight/protocol';
import { sampleToken } from './sample-token.ts';

export interface SamplerOptions {
  readonly settings: SamplerSettings;
  /** See `prfKey` of the protocol. */
  readonly prfKey: Uint8Array;
  readonly promptIds: readonly number[];
}

/**
 * Chooses the ids of one answer. What it chooses depends on the ids before it alone: generation accepts what it sampled, re-execution what
 * was claimed, and both see the same at every position.
 */
export class Sampler {
  readonly #options: SamplerOptions;
  /** Absolute position of the next token. */
  #position: number;

  constructor(options: SamplerOptions) {
    this.#options = options;
    this.#position = options.promptIds.length;
  }

  /**
   * The token after prompt and accepted ids.
   * @param logits - int32 Q16, one per id, of the last of these positions; not changed
   */
  sample(logits: Int32Array): number {
    const { settings, prfKey } = this.#options;
    return sampleToken(logits, settings, settings.temperature === 0 ? 0n : prfDraw(prfKey, this.#position));
  }

  /** Takes the next id of the answer. */
  accept(_id: number): void {
    this.#position++;
  }
}
