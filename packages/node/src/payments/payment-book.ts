import { CommonweightError, type Hex32 } from '@commonweight/protocol';
import { Journal } from '../journal/journal.ts';
import { Mutex } from '../platform/mutex.ts';
import { type PaymentRecord, REASON, UNKNOWN_TRANSACTION, parsePaymentRecord, paymentRecordToJson } from './payment-record.ts';
import { type PaymentIdentity, PaymentState } from './payment-state.ts';
import type { Reservation } from './reservation.ts';

/** A node's books of payments: nothing is served, signed for or sent to the chain before it stands in here. */
export class PaymentBook {
  readonly state: PaymentState;
  readonly #journal: Journal;
  readonly #mutex = new Mutex();

  private constructor(state: PaymentState, journal: Journal) {
    this.state = state;
    this.#journal = journal;
  }

  /** Opens the journal in `folder` and replays it. */
  static async open(folder: string, identity: PaymentIdentity): Promise<{ book: PaymentBook; records: number; tornBytes: number }> {
    const state = new PaymentState(identity);
    const { journal, records, tornBytes } = await Journal.open(folder, (value) => state.apply(parsePaymentRecord(value)));
    const book = new PaymentBook(state, journal);
    try {
      if (!state.opened) await book.#append({ type: 'opened', ...identity });
    } catch (error) {
      await journal.close();
      throw error;
    }
    return { book, records, tornBytes };
  }

  /**
   * Accepts a payment.
   * @param fits - asked with what is new in the payment when nothing else can come between its answer and the record; throws the refusal
   * @returns what was reserved
   * @throws CommonweightError `payment_disorder` for a payment that does not follow from the books, which go on
   */
  reserve(reservation: Reservation, fits: (news: Reservation) => void): Promise<Reservation> {
    return this.#mutex.run(async () => {
      const news = this.state.newsOf(reservation);
      fits(news);
      const record = { type: 'reserved', reservation: news } as const;
      this.#checkNews(record);
      await this.#append(record);
      return news;
    });
  }

  /** A payer chooses what he sends: it may be refused, it must not end the node. Nothing has been written yet. */
  #checkNews(record: PaymentRecord): void {
    try {
      this.state.check(record);
    } catch (error) {
      if (!(error instanceof CommonweightError)) throw error;
      throw new CommonweightError(error.message, { code: 'payment_disorder', field: 'payment-signature', cause: error });
    }
  }

  /** The run gets no receipt. */
  release(requestHash: Hex32): Promise<void> {
    return this.#write({ type: 'released', requestHash });
  }

  /** The run has a receipt. Returns once the charge is on disk; a charge that is there already is left alone. */
  charge(charge: Omit<Extract<PaymentRecord, { type: 'charged' }>, 'type'>): Promise<void> {
    return this.#write({ type: 'charged', ...charge });
  }

  settled(requestHash: Hex32, transaction: Hex32 = UNKNOWN_TRANSACTION): Promise<void> {
    return this.#write({ type: 'settled', requestHash, transaction });
  }

  deposited(requestHash: Hex32, transaction: Hex32 = UNKNOWN_TRANSACTION): Promise<void> {
    return this.#write({ type: 'deposited', requestHash, transaction });
  }

  failed(requestHash: Hex32, reason: string, at: number): Promise<void> {
    return this.#write({ type: 'failed', requestHash, reason: reason.slice(0, REASON), at });
  }

  claimed(channel: Hex32, total: bigint, transaction: Hex32 = UNKNOWN_TRANSACTION): Promise<void> {
    return this.#write({ type: 'claimed', channel, total, transaction });
  }

  refused(channel: Hex32, reason: string): Promise<void> {
    return this.#write({ type: 'refused', channel, reason: reason.slice(0, REASON) });
  }

  covered(channel: Hex32, receipt: Hex32): Promise<void> {
    return this.#write({ type: 'covered', channel, receipt });
  }

  async close(): Promise<void> {
    await this.#mutex.run(() => this.#journal.close());
  }

  #write(record: PaymentRecord): Promise<void> {
    return this.#mutex.run(() => this.#append(record));
  }

  async #append(record: PaymentRecord): Promise<void> {
    this.state.check(record);
    await this.#journal.append(paymentRecordToJson(record));
    this.state.apply(record);
  }
}
