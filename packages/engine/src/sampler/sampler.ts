import { CommonweightError, type SamplerSettings, prfDraw } from '@commonweight/protocol';
import { GrammarMask } from '../grammar/grammar-mask.ts';
import type { TokenVocabulary } from '../grammar/token-vocabulary.ts';
import { LogitAdjuster } from './logit-adjuster.ts';
import { NO_ID } from './not-allowed.ts';
import { sampleToken } from './sample-token.ts';

export interface SamplerOptions {
  readonly settings: SamplerSettings;
  /** See `prfKey` of the protocol. */
  readonly prfKey: Uint8Array;
  readonly promptIds: readonly number[];
  /** Ids that may end a text of a grammar. */
  readonly stopIds?: readonly number[];
  /** The bytes of the model's tokens; needed when the settings have a grammar. */
  readonly vocabulary?: TokenVocabulary | undefined;
}

/**
 * Chooses the ids of one answer (SPEC section 14). What it chooses depends on the ids before it alone: generation accepts what it sampled,
 * re-execution what was claimed, and both see the same at every position.
 */
export class Sampler {
  readonly #settings: SamplerSettings;
  readonly #prfKey: Uint8Array;
  readonly #adjuster: LogitAdjuster;
  readonly #mask: GrammarMask | undefined;
  /** Absolute position of the next token. */
  #position: number;

  constructor({ settings, prfKey, promptIds, stopIds = [], vocabulary }: SamplerOptions) {
    this.#settings = settings;
    this.#prfKey = prfKey;
    this.#adjuster = new LogitAdjuster(settings, promptIds);
    this.#mask = settings.grammar ? new GrammarMask(settings.grammar, required(vocabulary), stopIds) : undefined;
    this.#position = promptIds.length;
  }

  /**
   * The token after prompt and accepted ids; {@link NO_ID} when the grammar allows none.
   * @param logits - int32 Q16, one per id, of the last of these positions; not changed
   */
  sample(logits: Int32Array): number {
    const draw = this.#settings.temperature === 0 ? 0n : prfDraw(this.#prfKey, this.#position);
    const adjusted = this.#adjuster.adjust(logits);
    if (!this.#mask) return sampleToken(adjusted, this.#settings, draw);
    const masked = this.#mask.apply(adjusted);
    return masked ? sampleToken(masked, this.#settings, draw) : NO_ID;
  }

  /** Takes the next id of the answer. */
  accept(id: number): void {
    this.#adjuster.accept(id);
    this.#mask?.accept(id);
    this.#position++;
  }
}

function required(vocabulary: TokenVocabulary | undefined): TokenVocabulary {
  if (vocabulary) return vocabulary;
  throw new CommonweightError("sampler.grammar: needs the bytes of the model's tokens, which are not here", {
    code: 'grammar',
    field: 'sampler.grammar',
  });
}
