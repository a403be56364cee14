import type { ChannelsClient, SettlementClient } from '@commonweight/chain';
import { type Address, CommonweightError } from '@commonweight/protocol';
import { paymentLimits } from '../limits.ts';
import type { Clock } from '../platform/clock.ts';
import type { WorkerLog } from '../worker/log.ts';
import { ChannelClaims } from './channel-claims.ts';
import type { Coverer } from './coverer.ts';
import type { PaymentBook } from './payment-book.ts';
import type { PaymentTerms } from './terms.ts';

export interface ClaimerOptions {
  readonly book: PaymentBook;
  readonly terms: PaymentTerms;
  readonly channels: ChannelsClient;
  readonly settlement: SettlementClient;
  readonly coverer: Coverer;
  /** Whether a block is as deep as the node wants. */
  readonly isDeep: (block: bigint) => Promise<boolean>;
  readonly clock: Clock;
  readonly log: WorkerLog;
  /** Between two rounds, in milliseconds; a payer who asks for his money back, or a sum of `threshold`, brings the next one forward. */
  readonly intervalMs: number;
  /** Unclaimed money of one channel, in the asset's smallest unit. */
  readonly threshold: bigint;
}

/**
 * Turns vouchers and receipts into money that owners can take: claims channels many at a time, brings the sums to the splitters, shows the receipts that
 * cover them, and has them divided. Every step asks the chain first and can be repeated: a crash, a lost answer and a block that was taken back are the same case.
 */
export class Claimer {
  readonly #options: ClaimerOptions;
  readonly #claims: ChannelClaims;
  #lastRound: number;

  constructor(options: ClaimerOptions) {
    this.#options = options;
    this.#claims = new ChannelClaims(options);
    this.#lastRound = options.clock.now();
  }

  /** Runs until the signal is aborted. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, log, intervalMs } = this.#options;
    const watch = Math.min(intervalMs, paymentLimits.withdrawWatchMs);
    let pause = 0;
    while (!signal.aborted) {
      await clock.sleep(pause || watch, signal);
      if (signal.aborted) return;
      try {
        if (clock.now() - this.#lastRound >= intervalMs || (await this.#isUrgent())) await this.round();
        pause = 0;
      } catch (error) {
        pause = Math.min(paymentLimits.retryMaximumMs, pause === 0 ? paymentLimits.retryMs : 2 * pause);
        log.warn('chain_failed', { code: error instanceof CommonweightError ? error.code : 'internal', retryMs: pause });
      }
    }
  }

  /** One round. What fails for one channel or receipt holds up no other; the first failure is thrown at the end. */
  async round(): Promise<void> {
    this.#lastRound = this.#options.clock.now();
    const failures: unknown[] = [];
    const attempt = async (step: () => Promise<void>): Promise<void> => {
      try {
        await step();
      } catch (error) {
        failures.push(error);
      }
    };
    await attempt(() => this.#claims.claim());
    for (const receiver of this.#receivers()) await attempt(() => this.#settle(receiver));
    // only money that is in the splitter can be covered
    for (const channel of this.#options.book.state.channels.values()) await attempt(() => this.#options.coverer.cover(channel));
    for (const receiver of this.#receivers()) await attempt(() => this.#release(receiver));
    if (failures.length > 0) throw failures[0];
  }

  async #isUrgent(): Promise<boolean> {
    const { channels, threshold } = this.#options;
    for (const { id, charged, claimed } of this.#claims.due()) {
      if (charged - claimed >= threshold || (await channels.channel(id)).withdrawRequestedAt > 0) return true;
    }
    return false;
  }

  /** Splitters of every model that was ever paid for. */
  #receivers(): Set<Address> {
    const { book, terms } = this.#options;
    return new Set([...book.state.models].map((modelId) => terms.payTo(modelId)));
  }

  async #settle(receiver: Address): Promise<void> {
    const { channels, terms } = this.#options;
    if ((await channels.unsettled(receiver, terms.asset.address)) > 0n) await channels.settle(receiver, terms.asset.address);
  }

  async #release(receiver: Address): Promise<void> {
    const { settlement, terms, log } = this.#options;
    const amount = await settlement.releasable(receiver, terms.asset.address);
    if (amount === 0n) return;
    await settlement.release(receiver, terms.asset.address);
    log.info('revenue_released', { amount: String(amount) });
  }
}
