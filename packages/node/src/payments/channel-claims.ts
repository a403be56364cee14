import { ChainError, type ChannelClaim, type ChannelsClient } from '@commonweight/chain';
import type { Hex32 } from '@commonweight/protocol';
import { paymentLimits } from '../limits.ts';
import type { Clock } from '../platform/clock.ts';
import type { WorkerLog } from '../worker/log.ts';
import type { ChannelBook } from './channel-book.ts';
import type { PaymentBook } from './payment-book.ts';

export interface ChannelClaimsOptions {
  readonly book: PaymentBook;
  readonly channels: Pick<ChannelsClient, 'channel' | 'lastClaim' | 'claim'>;
  /** Whether a block is as deep as the node wants. */
  readonly isDeep: (block: bigint) => Promise<boolean>;
  readonly clock: Clock;
  readonly log: WorkerLog;
}

interface Due {
  readonly id: Hex32;
  readonly claim: ChannelClaim;
}

/**
 * Claims what channels owe, many at a time. The contract takes all rows of a transaction or none: when it refuses, the rows are halved until the bad
 * ones stand alone. Those are set aside for a while that doubles, and hold up no other.
 */
export class ChannelClaims {
  readonly #options: ChannelClaimsOptions;
  /** Channels whose claim was refused: until when they rest, and for how long, in milliseconds. */
  readonly #aside = new Map<Hex32, { readonly until: number; readonly pause: number }>();

  constructor(options: ChannelClaimsOptions) {
    this.#options = options;
  }

  /** Channels whose money is not in the splitter yet, without those that rest. */
  due(): Readonly<ChannelBook>[] {
    const { book, clock } = this.#options;
    const rests = (id: Hex32): boolean => (this.#aside.get(id)?.until ?? 0) > clock.now();
    return [...book.state.channels.values()].filter(({ id, config, charged, claimed }) => config && charged > claimed && !rests(id));
  }

  async claim(): Promise<void> {
    const { book, channels, isDeep } = this.#options;
    const claims: Due[] = [];
    for (const { id, charged, config, voucher } of this.due()) {
      const { balance, totalClaimed } = await channels.channel(id);
      if (totalClaimed >= charged) {
        const last = await channels.lastClaim(id);
        if (last && (await isDeep(last.block))) await book.claimed(id, last.total, last.transaction);
        // further back than is looked: deep
        else if (!last) await book.claimed(id, (await channels.channel(id)).totalClaimed);
        continue;
      }
      // a deposit that is still on its way is claimed in a later round
      const total = charged < balance ? charged : balance;
      if (total > totalClaimed) claims.push({ id, claim: { config: config!, ...voucher!, total } });
    }
    for (let at = 0; at < claims.length; at += paymentLimits.claimsAtOnce)
      await this.#send(claims.slice(at, at + paymentLimits.claimsAtOnce));
    if (claims.length === 0) return;
    for (const { id } of this.due()) {
      const last = await channels.lastClaim(id);
      if (last && last.total > book.state.channels.get(id)!.claimed && (await isDeep(last.block)))
        await book.claimed(id, last.total, last.transaction);
    }
  }

  async #send(claims: readonly Due[]): Promise<void> {
    const { channels, log } = this.#options;
    try {
      const transaction = await channels.claim(claims.map(({ claim }) => claim));
      for (const { id } of claims) this.#aside.delete(id);
      log.info('channels_claimed', { count: claims.length, transaction });
    } catch (error) {
      if (!(error instanceof ChainError && error.code === 'chain_reverted')) throw error;
      if (claims.length === 1) return this.#setAside(claims[0]!.id, error);
      const half = Math.ceil(claims.length / 2);
      await this.#send(claims.slice(0, half));
      await this.#send(claims.slice(half));
    }
  }

  async #setAside(id: Hex32, error: ChainError): Promise<void> {
    const { book, clock, log } = this.#options;
    const name = error.details['reason'];
    const reason = typeof name === 'string' ? name : error.message;
    const pause = Math.min(paymentLimits.claimRestMaximumMs, 2 * (this.#aside.get(id)?.pause ?? paymentLimits.claimRestMs / 2));
    this.#aside.set(id, { until: clock.now() + pause, pause });
    log.warn('channel_set_aside', { channel: id, reason, retryMs: pause });
    if (book.state.channels.get(id)?.refused !== reason) await book.refused(id, reason);
  }
}
