import {
  type Address,
  type CanonicalRequest,
  CommonweightError,
  type Hex32,
  type Payment,
  type RunRequest,
  encodePaymentResponse,
  networkOf,
  parsePaymentSignature,
  receiptAmount,
} from '@commonweight/protocol';
import type { Issued, Ledger } from '../journal/ledger.ts';
import { paymentLimits } from '../limits.ts';
import type { Clock } from '../platform/clock.ts';
import { randomHex } from '../platform/random.ts';
import type { WorkerLog } from '../worker/log.ts';
import { ChannelLine } from './channel-line.ts';
import { checkPayment } from './check-payment.ts';
import { correction } from './correction.ts';
import { Collector } from './collector.ts';
import { Escrows } from './escrows.ts';
import { type Misfit, committed, misfit } from './fits.ts';
import type { PaymentBook } from './payment-book.ts';
import type { Escrow, PaymentRail } from './rail.ts';
import { type Purse, Purses } from './purses.ts';
import { PaymentRefused, type PaymentRefusalCode, reasons } from './refusal.ts';
import type { Reservation } from './reservation.ts';
import { type PaymentTerms, makeOffers, makeRequired } from './terms.ts';

export interface CashierOptions {
  readonly terms: PaymentTerms;
  readonly book: PaymentBook;
  readonly rail: PaymentRail;
  readonly clock: Clock;
  readonly log: WorkerLog;
}

type Refuse = (code: PaymentRefusalCode, why: string) => PaymentRefused;

/** A run that has to be paid for: what was asked, and the most that it can cost. */
export interface Sale {
  readonly input: RunRequest;
  readonly requestHash: Hex32;
  readonly maximum: bigint;
  /** Asked last, when nothing else can come between its answer and the reservation: throws when the run cannot be taken after all. */
  readonly take: (from: Address) => void;
}

/** What was asked of the chain before a payment's turn. */
interface Look {
  readonly escrow: Escrow | undefined;
  /** Of a payment that moves money by itself, with what its owner had. */
  readonly purse: Purse | undefined;
  readonly balance: bigint | undefined;
  readonly ownMoney: boolean;
}

/** Takes payments for runs: quotes, accepts and reserves before the run, charges and settles after its last token. */
export class Cashier {
  readonly #options: CashierOptions;
  readonly #escrows: Escrows;
  readonly #line: ChannelLine;
  readonly #purses: Purses;
  readonly collector: Collector;

  constructor(options: CashierOptions) {
    this.#options = options;
    this.#escrows = new Escrows(options.rail, options.clock);
    this.#line = new ChannelLine(options.clock);
    this.#purses = new Purses(options.rail, options.book);
    const moved = (from: Address, amount: bigint): void => this.#purses.moved(from, amount);
    this.collector = new Collector({ ...options, moved, depositEnded: (channel) => this.#depositEnded(channel) });
  }

  /** The answer to somebody who has not paid. */
  quote(request: Pick<CanonicalRequest, 'modelId'>, maximum: bigint): PaymentRefused {
    return this.#refuse(
      request,
      maximum,
      'payment_required',
      `this run costs up to ${maximum}; pay in one of the ways that PAYMENT-REQUIRED names`,
    );
  }

  /**
   * Checks a payment and reserves it for the run. Resolves when that is on disk.
   * @throws PaymentRefused; what `take` or the chain throws
   */
  async accept(sale: Sale, header: string): Promise<void> {
    const { book, clock, terms, rail } = this.#options;
    const { request } = sale.input;
    const refuse: Refuse = (code, why) => this.#refuse(request, sale.maximum, code, why);
    const payment = this.#parse(header, refuse);
    if (request.asset !== payment.asset) throw refuse('payment_invalid', `request.asset: the payment is in ${payment.asset}`);
    if (request.channel !== payment.channel)
      throw refuse('payment_invalid', `request.channel: expected ${payment.channel}, the channel of the payment`);
    const now = Math.floor(clock.now() / 1000);
    const checked = checkPayment(payment, makeOffers(terms, request.modelId, sale.maximum), now);
    if ('refused' in checked) throw refuse('payment_invalid', checked.refused);
    if (this.collector.owes(payment.from))
      throw refuse('payment_owed', 'an earlier run was delivered and its payment could not be collected yet');

    let reservation = book.state.newsOf(this.#reservation(sale, payment, header, now));
    if (payment.scheme !== 'batch-settlement' && book.state.isUsed(payment.channel))
      throw refuse('payment_used', 'this authorization has paid for another request; sign a new one');
    // a voucher over money that is in escrow needs nobody's word but the signature's
    if (payment.scheme !== 'batch-settlement' || reservation.deposit) {
      // before the simulation: what is sent afterwards lies higher
      reservation = { ...reservation, block: await rail.height() };
      const invalid = await rail.verify(payment, checked.offer);
      if (invalid !== undefined) throw refuse('payment_invalid', invalid);
    }
    const reserve = async (): Promise<Reservation> => {
      const escrow = payment.scheme === 'batch-settlement' ? await this.#escrow(reservation, refuse) : undefined;
      using purse = movesMoney(reservation) ? this.#purses.open(reservation) : undefined;
      const look: Look = { escrow, purse, balance: await purse?.balance(), ownMoney: ownMoney(payment, request) };
      return this.#reserve(reservation, look, payment.quote, sale.take, refuse);
    };
    let reserved: Reservation;
    try {
      reserved = await reserve();
    } catch (error) {
      // a deposit may have arrived between the look at the escrow and the turn: then it is there on the second look
      if (!(error instanceof PaymentRefused && error.message === reasons.balance)) throw error;
      reserved = await reserve();
    }
    if (reserved.deposit) void this.collector.deposit(reserved.requestHash);
  }

  /** Whose money was accepted for a run that is in progress. */
  ownerOf(requestHash: Hex32): Address | undefined {
    return this.#options.book.state.runs.get(requestHash)?.from;
  }

  /** The run gets no receipt: nothing is charged. */
  async release(requestHash: Hex32): Promise<void> {
    const { book } = this.#options;
    if (book.state.runs.has(requestHash)) await book.release(requestHash);
  }

  /** Charges a run that has its receipt, and settles what can be settled. Resolves with the value of `PAYMENT-RESPONSE`; undefined: the run was free. */
  async settle({ digest, receipt }: Issued): Promise<string | undefined> {
    const { book, terms, clock } = this.#options;
    const { requestHash, cumulativeAmount: cumulative } = receipt;
    const reservation = book.state.runs.get(requestHash);
    if (!reservation) return undefined;
    const amount = receiptAmount(receipt);
    await book.charge({ requestHash, receipt: digest, cumulative, amount });
    const common = { transaction: '', network: networkOf(terms.chainId), payer: reservation.from } as const;
    if (reservation.scheme === 'batch-settlement') {
      return encodePaymentResponse({ success: true, ...common, amount: '', extra: this.#channelExtra(reservation, amount) });
    }
    if (amount === 0n) return encodePaymentResponse({ success: true, ...common, amount: '0' });
    const due = book.state.collecting.get(requestHash)?.amount ?? amount;
    const transaction = await within(clock, paymentLimits.settleWaitMs, this.collector.collect(requestHash));
    if (transaction) return encodePaymentResponse({ success: true, ...common, transaction, amount: String(due) });
    const errorReason = book.state.collecting.has(requestHash) ? 'settlement_pending' : 'settlement_failed';
    return encodePaymentResponse({ success: false, errorReason, ...common });
  }

  /** After a crash: runs that were in progress get their charge if they got a receipt, and their money back if not. */
  async recover(ledger: Ledger): Promise<{ charged: number; released: number }> {
    const { book } = this.#options;
    const counts = { charged: 0, released: 0 };
    for (const requestHash of book.state.runs.keys()) {
      const digest = ledger.state.digestOf(requestHash);
      const found = digest && (await ledger.find(digest));
      if (!found) {
        await book.release(requestHash);
        counts.released++;
        continue;
      }
      const { receipt } = found.issued;
      await book.charge({ requestHash, receipt: digest, cumulative: receipt.cumulativeAmount, amount: receiptAmount(receipt) });
      counts.charged++;
    }
    return counts;
  }

  /** Lets everybody go who waits. What is on its way to the chain gets a while to end; the next start finds out about the rest. */
  async close(): Promise<void> {
    this.#line.close();
    await within(this.#options.clock, paymentLimits.stopMs, this.collector.stop());
  }

  #parse(header: string, refuse: Refuse): Payment {
    try {
      return parsePaymentSignature(header);
    } catch (error) {
      if (error instanceof CommonweightError) throw refuse('payment_invalid', error.message);
      throw error;
    }
  }

  #reservation({ input, requestHash, maximum }: Sale, payment: Payment, header: string, at: number): Reservation {
    const { request, signature } = input;
    const common = {
      requestHash,
      scheme: payment.scheme,
      channel: payment.channel,
      modelId: request.modelId,
      payer: request.payer,
      from: payment.from,
      asset: payment.asset,
      maximum,
      cumulativeLimit: BigInt(request.cumulativeLimit),
      requestSignature: signature,
      at,
    };
    if (payment.scheme !== 'batch-settlement') return { ...common, header };
    const { maxClaimableAmount, config, deposit } = payment;
    return {
      ...common,
      voucher: { maxClaimableAmount, signature: payment.signature },
      config,
      ...(deposit && { deposit: { amount: deposit.amount, salt: deposit.salt }, header }),
    };
  }

  async #escrow({ channel, maximum, deposit }: Reservation, refuse: Refuse): Promise<Escrow> {
    const known = this.#options.book.state.channels.get(channel);
    const escrow = await this.#escrows.get(channel, ({ balance }) => !deposit && committed(known) + maximum <= balance);
    if (escrow.withdrawRequestedAt > 0)
      throw refuse('payment_invalid', 'the payer has asked for the money in this channel back; use another one');
    if (!known && escrow.totalClaimed > 0n)
      throw refuse('payment_invalid', 'this node has no books of this channel, which was claimed from; use another one');
    return escrow;
  }

  async #reserve(
    reservation: Reservation,
    { escrow, purse, balance, ownMoney: own }: Look,
    quote: string | undefined,
    take: (from: Address) => void,
    refuse: Refuse,
  ): Promise<Reservation> {
    const { book } = this.#options;
    const { channel } = reservation;
    const fit = (news: Reservation): Misfit | undefined => {
      if (movesMoney(news) && moves(news) + purse!.promised() > balance!) return 'funds';
      const available = escrow && this.#available(news, escrow);
      return misfit(news, book.state.channels, (id) => book.state.isUsed(id), { available, ownMoney: own });
    };
    const hasTurn = await this.#line.enter(channel, quote);
    let corrected: string | undefined;
    try {
      return await book.reserve(reservation, (news) => {
        const wrong = fit(news);
        if (wrong !== undefined) throw this.#misfitError(wrong, news, escrow, refuse);
        take(news.from);
        if (news.deposit) this.#escrows.hold(channel);
      });
    } catch (error) {
      if (!(error instanceof PaymentRefused && error.code === 'payment_stale')) throw error;
      corrected = quote;
      // the payer will look at the chain: it should find there what is on its way
      await within(this.#options.clock, paymentLimits.correctionMs, this.collector.depositsInto(channel));
      throw error;
    } finally {
      if (hasTurn) this.#line.leave(channel, corrected);
    }
  }

  #available({ channel, deposit }: Reservation, { balance }: Escrow): bigint {
    const depositing = this.#escrows.isHeld(channel) ? (this.#options.book.state.channels.get(channel)?.depositing ?? 0n) : 0n;
    return balance + depositing + (deposit?.amount ?? 0n);
  }

  #misfitError(wrong: Misfit, { channel, modelId, maximum }: Reservation, escrow: Escrow | undefined, refuse: Refuse): PaymentRefused {
    const { book, terms } = this.#options;
    const known = book.state.channels.get(channel);
    switch (wrong) {
      case 'used':
        return refuse('payment_used', 'this authorization has paid for another request; sign a new one');
      case 'another_payer':
        return refuse('payment_invalid', `this channel pays for requests of ${known!.payer}; use another one`);
      case 'funds':
        return refuse('payment_invalid', 'insufficient_funds');
      case 'balance':
        return refuse('payment_invalid', reasons.balance);
      case 'stale': {
        const offers = makeOffers(terms, modelId, maximum).map((offer) =>
          offer.scheme === 'batch-settlement' && known ? { ...offer, extra: { ...offer.extra, ...correction(known, escrow!) } } : offer,
        );
        return new PaymentRefused(
          'payment_stale',
          `${committed(known)} is charged or reserved on this channel: sign that and the maximum of this run`,
          makeRequired(terms, offers, reasons.stale),
        );
      }
    }
  }

  #channelExtra({ channel }: Reservation, amount: bigint): Readonly<Record<string, unknown>> {
    const { charged } = this.#options.book.state.channels.get(channel)!;
    return { chargedAmount: String(amount), channelState: { channelId: channel, chargedCumulativeAmount: String(charged) } };
  }

  #depositEnded(channel: Hex32): void {
    if ((this.#options.book.state.channels.get(channel)?.depositing ?? 0n) === 0n) this.#escrows.forget(channel);
  }

  #refuse(request: Pick<CanonicalRequest, 'modelId'>, maximum: bigint, code: PaymentRefusalCode, why: string): PaymentRefused {
    const { terms } = this.#options;
    return new PaymentRefused(code, why, makeRequired(terms, makeOffers(terms, request.modelId, maximum, randomHex(8)), why.slice(0, 512)));
  }
}

/** What a payment takes from its owner by itself: a single payment, or a deposit. */
const moves = ({ scheme, maximum, deposit }: Reservation): bigint => (scheme === 'batch-settlement' ? (deposit?.amount ?? 0n) : maximum);

const movesMoney = (reservation: Reservation): boolean => moves(reservation) > 0n;

/** Whether the payer of the request is the one who signs the channel's vouchers. */
const ownMoney = (payment: Payment, { payer }: CanonicalRequest): boolean =>
  payment.scheme === 'batch-settlement' && [payment.config.payer, payment.config.payerAuthorizer].includes(payer);

/** What `work` gives, or undefined when it takes longer; the work goes on. */
function within<T>(clock: Clock, ms: number, work: Promise<T>): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(ms, () => resolve(undefined));
    work.then(resolve, reject).finally(cancel);
  });
}
