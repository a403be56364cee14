import type { ModelPrice } from '@commonweight/chain';
import type { ModelId } from '@commonweight/protocol';
import { workerLimits } from '../limits.ts';
import type { Clock } from '../platform/clock.ts';

/**
 * The prices that the registry named before this worker changed them. Requests that were signed under them are honoured for a short time after
 * the change: their payers read the registry a moment ago (docs/decisions/0028).
 */
export class PriceGrace {
  readonly #earlier: ReadonlyMap<ModelId, ModelPrice>;
  readonly #clock: Clock;
  /** The change is not on chain yet. */
  #until = Number.POSITIVE_INFINITY;

  constructor(earlier: readonly ModelPrice[], clock: Clock) {
    this.#earlier = new Map(earlier.map((price) => [price.modelId, price]));
    this.#clock = clock;
  }

  /** The new prices are on chain now. */
  changed(): void {
    this.#until = this.#clock.now() + workerLimits.priceGraceMs;
  }

  readonly of = (modelId: ModelId): ModelPrice | undefined => (this.#clock.now() < this.#until ? this.#earlier.get(modelId) : undefined);
}
