import { CommonweightError, type Hex32 } from '@commonweight/protocol';
import { paymentLimits } from '../limits.ts';
import type { Clock } from '../platform/clock.ts';
import type { Escrow, PaymentRail } from './rail.ts';

interface Entry {
  readonly at: number;
  readonly escrow: Promise<Escrow>;
  /** Whether deposits that are on their way count beside it: it was read before they were sent. */
  held: boolean;
}

/** What channels hold on chain, asked at most every few seconds: nothing can leave a channel within its delay but by our own claims. */
export class Escrows {
  readonly #rail: Pick<PaymentRail, 'escrow'>;
  readonly #clock: Clock;
  readonly #entries = new Map<Hex32, Entry>();
  #asking = 0;

  constructor(rail: Pick<PaymentRail, 'escrow'>, clock: Clock) {
    this.#rail = rail;
    this.#clock = clock;
  }

  /** @param enough - whether an answer that is not from now will do */
  async get(channel: Hex32, enough: (escrow: Escrow) => boolean): Promise<Escrow> {
    const known = this.#entries.get(channel);
    if (known?.held) return known.escrow;
    if (known && this.#clock.now() - known.at < paymentLimits.escrowFreshMs) {
      const escrow = await known.escrow;
      if (enough(escrow)) return escrow;
    }
    return this.#ask(channel);
  }

  /** A deposit is about to be sent: what is known now stays known until {@link forget}, so that the deposit is not counted twice. */
  hold(channel: Hex32): void {
    const known = this.#entries.get(channel);
    if (known) known.held = true;
  }

  isHeld(channel: Hex32): boolean {
    return this.#entries.get(channel)?.held ?? false;
  }

  /** The channel changed on chain. */
  forget(channel: Hex32): void {
    this.#entries.delete(channel);
  }

  #ask(channel: Hex32): Promise<Escrow> {
    if (this.#asking >= paymentLimits.escrowQuestions) {
      const why = `${this.#asking} channels are being asked for at the chain already; try again in a moment`;
      return Promise.reject(new CommonweightError(why, { code: 'busy', action: 'retry' }));
    }
    this.#asking++;
    const escrow = this.#rail.escrow(channel).finally(() => this.#asking--);
    const entry: Entry = { at: this.#clock.now(), escrow, held: false };
    this.#entries.delete(channel);
    this.#entries.set(channel, entry);
    if (this.#entries.size > paymentLimits.escrows) this.#dropOldest();
    // an answer that did not come is no answer
    escrow.catch(() => this.#entries.get(channel) === entry && this.#entries.delete(channel));
    return escrow;
  }

  #dropOldest(): void {
    for (const [channel, { held }] of this.#entries) {
      if (held) continue;
      this.#entries.delete(channel);
      return;
    }
  }
}
