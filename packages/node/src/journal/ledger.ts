import { type Hex32, type Receipt, type Signature, receiptAmount, receiptDigest } from '@commonweight/protocol';
import { workerLimits } from '../limits.ts';
import { Mutex } from '../platform/mutex.ts';
import { Journal } from './journal.ts';
import { type LedgerRecord, type SignedEnd, ledgerRecordToJson, parseLedgerRecord } from './ledger-record.ts';
import { type Batch, type Continuation, type Identity, LedgerState, type Place, batchRoot } from './ledger-state.ts';

/** A receipt before the journal has given it its place. */
export type Draft = Omit<Receipt, keyof Continuation>;

export interface Issued {
  readonly digest: Hex32;
  readonly receipt: Receipt;
  readonly signature: Signature;
  readonly end?: SignedEnd;
}

export interface LedgerOptions {
  readonly folder: string;
  readonly identity: Identity;
  /** Signs a receipt's digest. */
  readonly sign: (digest: Hex32) => Signature;
  /** Last change of a receipt before it is signed; for tests of lying nodes. */
  readonly beforeSign?: (receipt: Receipt) => Receipt;
}

/** A node's receipts: issued one at a time, journalled before anybody sees the signature, never two for one (payer, sequence). */
export class Ledger {
  readonly state: LedgerState;
  readonly #options: LedgerOptions;
  readonly #journal: Journal;
  readonly #mutex = new Mutex();

  private constructor(options: LedgerOptions, state: LedgerState, journal: Journal) {
    this.#options = options;
    this.state = state;
    this.#journal = journal;
  }

  /** Opens the journal in `folder` and replays it. */
  static async open(options: LedgerOptions): Promise<{ ledger: Ledger; records: number; tornBytes: number }> {
    const state = new LedgerState(options.identity);
    const { journal, records, tornBytes } = await Journal.open(options.folder, (value, offset) =>
      state.apply(parseLedgerRecord(value), offset),
    );
    const ledger = new Ledger(options, state, journal);
    try {
      if (!state.opened) await ledger.#append({ type: 'opened', ...options.identity });
    } catch (error) {
      await journal.close();
      throw error;
    }
    return { ledger, records, tornBytes };
  }

  /**
   * Gives the draft its batch, sequence and sum, signs it, forces it to disk, and only then hands it out.
   * @throws CommonweightError `journal_order` for a second receipt of one request, `journal_broken`, `journal_full`.
   */
  issue(draft: Draft, end?: SignedEnd): Promise<Issued> {
    return this.#mutex.run(async () => {
      if (this.state.open.digests.length >= workerLimits.batchReceipts) await this.#close();
      const honest: Receipt = { ...draft, ...this.state.next(draft, receiptAmount(draft)) };
      const receipt = this.#options.beforeSign?.(honest) ?? honest;
      const digest = receiptDigest(receipt, this.#options.identity.domain);
      const issued: Issued = { digest, receipt, signature: this.#options.sign(digest), ...(end && { end }) };
      await this.#append({ type: 'receipt', receipt, signature: issued.signature, ...(end && { end }) });
      return issued;
    });
  }

  /** Closes the open batch if it holds a receipt. */
  closeBatch(): Promise<void> {
    return this.#mutex.run(async () => {
      if (this.state.open.digests.length > 0) await this.#close();
    });
  }

  /** Notes that a batch stands on chain. */
  markPosted(batch: number): Promise<void> {
    return this.#mutex.run(() => this.#append({ type: 'posted', batch }));
  }

  /** A signed receipt with its place, or undefined when the digest is not one of ours. */
  async find(digest: Hex32): Promise<{ issued: Issued; place: Place; batch: Batch } | undefined> {
    const place = this.state.placeOf(digest);
    if (!place) return undefined;
    const record = parseLedgerRecord(await this.#journal.read(place.offset));
    if (record.type !== 'receipt') throw new Error(`no receipt at byte ${place.offset} of the journal`);
    const { receipt, signature, end } = record;
    return { issued: { digest, receipt, signature, ...(end && { end }) }, place, batch: this.state.batches[place.batch]! };
  }

  async close(): Promise<void> {
    await this.#mutex.run(() => this.#journal.close());
  }

  async #close(): Promise<void> {
    const { index, digests } = this.state.open;
    await this.#append({ type: 'closed', batch: index, root: batchRoot({ digests }), count: digests.length });
  }

  async #append(record: LedgerRecord): Promise<void> {
    this.state.check(record);
    this.state.apply(record, await this.#journal.append(ledgerRecordToJson(record)));
  }
}
