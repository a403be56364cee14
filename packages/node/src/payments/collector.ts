import { ChainError } from '@commonweight/chain';
import { type Address, CommonweightError, type Hex32, type Payment, parsePaymentSignature } from '@commonweight/protocol';
import { paymentLimits } from '../limits.ts';
import type { Clock } from '../platform/clock.ts';
import type { WorkerLog } from '../worker/log.ts';
import type { PaymentBook } from './payment-book.ts';
import { type PaymentRail, Uncollectible } from './rail.ts';
import type { Reservation } from './reservation.ts';
import { type PaymentTerms, makeOffers } from './terms.ts';

export interface CollectorOptions {
  readonly book: PaymentBook;
  readonly rail: PaymentRail;
  readonly terms: PaymentTerms;
  readonly clock: Clock;
  readonly log: WorkerLog;
  /** Called when an owner's money was moved, before the books say so. */
  readonly moved: (from: Address, amount: bigint) => void;
  /** Called when a deposit has arrived, or never will. */
  readonly depositEnded: (channel: Hex32) => void;
}

/** Sends what payers signed to the chain: single payments when their run has its receipt, deposits when it begins. Tries again until the chain has decided. */
export class Collector {
  readonly #options: CollectorOptions;
  readonly #underWay = new Map<Hex32, Promise<Hex32 | undefined>>();
  /** Owners of money whose payment could not be collected so far, with the number of those payments. */
  readonly #owing = new Map<Address, number>();
  /** Requests whose last attempt failed, with their owner when the reason is his. */
  readonly #overdue = new Map<Hex32, Address | undefined>();
  #stopped = false;

  constructor(options: CollectorOptions) {
    this.#options = options;
  }

  /** Whether a run of this owner of money was delivered and is not paid: a payment that failed and is tried again, or failed for good not long ago. */
  owes(from: Address): boolean {
    const failed = this.#options.book.state.failedAt(from);
    const now = this.#options.clock.now() / 1000;
    return (this.#owing.get(from) ?? 0) > 0 || (failed !== undefined && now - failed < paymentLimits.debtSeconds);
  }

  /** Tries to collect what a request owes. Resolves with the transaction, or undefined when it is tried again later or lost. Never rejects. */
  collect(requestHash: Hex32): Promise<Hex32 | undefined> {
    const { book, rail, terms, moved } = this.#options;
    return this.#once(requestHash, 'payment_settled', async () => {
      const due = book.state.collecting.get(requestHash);
      if (!due) return undefined;
      const { reservation, amount } = due;
      const { payment, offer } = this.#read(reservation, terms);
      if (payment.scheme === 'batch-settlement') throw new Error('a voucher is claimed, not collected');
      const { modelId, payer, block: since } = reservation;
      const transaction = await rail.collect(payment, offer, { amount, modelId, payer, since });
      moved(reservation.from, amount);
      await book.settled(requestHash, transaction);
      return transaction;
    });
  }

  /** Tries to bring a request's deposit to its channel; the same promises as {@link collect}. */
  deposit(requestHash: Hex32): Promise<Hex32 | undefined> {
    const { book, rail, terms, moved, depositEnded } = this.#options;
    return this.#once(requestHash, 'deposit_settled', async () => {
      const reservation = book.state.deposits.get(requestHash);
      if (!reservation) return undefined;
      const { payment, offer } = this.#read(reservation, terms);
      if (payment.scheme !== 'batch-settlement') throw new Error('only a channel takes deposits');
      const transaction = await rail.deposit(payment, offer, reservation.block);
      moved(reservation.from, reservation.deposit!.amount);
      await book.deposited(requestHash, transaction);
      depositEnded(reservation.channel);
      return transaction;
    });
  }

  /** Resolves when the deposits into a channel that are on their way have been tried once. */
  async depositsInto(channel: Hex32): Promise<void> {
    const { deposits } = this.#options.book.state;
    await Promise.all([...deposits].filter(([, each]) => each.channel === channel).map(([hash]) => this.deposit(hash)));
  }

  /** Tries again what is left over, from an earlier process as well, until the signal is aborted. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { book, clock } = this.#options;
    let pause: number = paymentLimits.retryMs;
    while (!signal.aborted) {
      const due = [...book.state.collecting.keys()].map((hash) => this.collect(hash));
      const deposits = [...book.state.deposits.keys()].map((hash) => this.deposit(hash));
      await Promise.all([...due, ...deposits]);
      pause = this.#overdue.size > 0 ? Math.min(2 * pause, paymentLimits.retryMaximumMs) : paymentLimits.retryMs;
      await clock.sleep(pause, signal);
    }
  }

  /** Begins nothing more. Resolves when nothing is being sent. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#underWay.values());
  }

  #read(reservation: Reservation, terms: PaymentTerms) {
    const payment: Payment = parsePaymentSignature(reservation.header!);
    const offers = makeOffers(terms, reservation.modelId, reservation.maximum);
    return { payment, offer: offers.find(({ scheme }) => scheme === payment.scheme)! };
  }

  #once(
    requestHash: Hex32,
    done: 'payment_settled' | 'deposit_settled',
    attempt: () => Promise<Hex32 | undefined>,
  ): Promise<Hex32 | undefined> {
    const running = this.#underWay.get(requestHash);
    if (!running && this.#stopped) return Promise.resolve(undefined);
    if (running) return running;
    const promise = this.#attempt(requestHash, done, attempt).finally(() => this.#underWay.delete(requestHash));
    this.#underWay.set(requestHash, promise);
    return promise;
  }

  async #attempt(
    requestHash: Hex32,
    done: 'payment_settled' | 'deposit_settled',
    attempt: () => Promise<Hex32 | undefined>,
  ): Promise<Hex32 | undefined> {
    const { log } = this.#options;
    try {
      const transaction = await attempt();
      this.#paid(requestHash);
      if (transaction) log.info(done, { transaction });
      return transaction;
    } catch (error) {
      // the books may be closed: the next start tries again
      if (this.#stopped) return undefined;
      const code = error instanceof CommonweightError ? error.code : 'internal';
      log.warn('payment_failed', { code, retried: !(error instanceof Uncollectible) });
      if (error instanceof Uncollectible) await this.#lost(requestHash, error.message);
      else this.#late(requestHash, error);
      return undefined;
    }
  }

  #late(requestHash: Hex32, error: unknown): void {
    const { state } = this.#options.book;
    const reservation = state.collecting.get(requestHash)?.reservation ?? state.deposits.get(requestHash);
    if (!reservation) return;
    // a chain that does not answer, or is slow, says nothing about the payer
    const from = isRefusal(error) ? reservation.from : this.#overdue.get(requestHash);
    if (from !== undefined && this.#overdue.get(requestHash) === undefined) this.#owing.set(from, (this.#owing.get(from) ?? 0) + 1);
    this.#overdue.set(requestHash, from);
  }

  #paid(requestHash: Hex32): void {
    const from = this.#overdue.get(requestHash);
    this.#overdue.delete(requestHash);
    if (from === undefined) return;
    const left = this.#owing.get(from)! - 1;
    if (left > 0) this.#owing.set(from, left);
    else this.#owing.delete(from);
  }

  async #lost(requestHash: Hex32, reason: string): Promise<void> {
    const { book, clock, depositEnded } = this.#options;
    const channel = book.state.deposits.get(requestHash)?.channel;
    await book.failed(requestHash, reason, Math.floor(clock.now() / 1000));
    this.#paid(requestHash);
    if (channel) depositEnded(channel);
  }
}

/** Whether the chain, or the rules of its payments, said no. */
const isRefusal = (error: unknown): boolean =>
  error instanceof ChainError && (error.code === 'payment_refused' || error.code === 'chain_reverted');
