import { type Address, CommonweightError, type Hex32 } from '@commonweight/protocol';
import { paymentLimits } from '../limits.ts';
import { type ChannelBook, newChannel } from './channel-book.ts';
import type { PaymentRecord } from './payment-record.ts';
import type { Reservation } from './reservation.ts';

/** A single payment whose run has its receipt, on its way to the chain. */
export interface Collecting {
  readonly reservation: Reservation;
  readonly amount: bigint;
}

export interface PaymentIdentity {
  readonly node: Address;
  readonly chainId: number;
}

/** What the journal of payments adds up to. Every record is checked against the ones before it, when it is made and when it is replayed. */
export class PaymentState {
  readonly #identity: PaymentIdentity;
  readonly #channels = new Map<Hex32, ChannelBook>();
  /** Models that were paid for. */
  readonly #models = new Set<Hex32>();
  /** Single payments that are done with. */
  readonly #used = new Set<Hex32>();
  readonly #runs = new Map<Hex32, Reservation>();
  readonly #collecting = new Map<Hex32, Collecting>();
  readonly #deposits = new Map<Hex32, Reservation>();
  /** Unix seconds of the last delivered run whose payment failed for good. */
  readonly #debtors = new Map<Address, number>();
  #opened = false;

  constructor(identity: PaymentIdentity) {
    this.#identity = identity;
  }

  get opened(): boolean {
    return this.#opened;
  }

  /** Runs between acceptance and receipt. */
  get runs(): ReadonlyMap<Hex32, Reservation> {
    return this.#runs;
  }

  /** Single payments that are charged and not on chain, by request. */
  get collecting(): ReadonlyMap<Hex32, Collecting> {
    return this.#collecting;
  }

  /** Deposits that are not on chain, by request. */
  get deposits(): ReadonlyMap<Hex32, Reservation> {
    return this.#deposits;
  }

  get channels(): ReadonlyMap<Hex32, Readonly<ChannelBook>> {
    return this.#channels;
  }

  get models(): ReadonlySet<Hex32> {
    return this.#models;
  }

  /** Whether a single payment has been accepted before. */
  isUsed(channel: Hex32): boolean {
    return this.#used.has(channel) || this.#channels.has(channel);
  }

  /** Unix seconds of the last payment of this owner of money that failed for good after its run was delivered. */
  failedAt(from: Address): number | undefined {
    return this.#debtors.get(from);
  }

  /** The reservation without what the books hold already: the terms of a known channel, a deposit that came before and is on its way or has arrived. */
  newsOf(reservation: Reservation): Reservation {
    const known = this.#channels.get(reservation.channel);
    if (!known || reservation.scheme !== 'batch-settlement') return reservation;
    const { config: _config, ...news } = reservation;
    if (!news.deposit || !known.salts.has(news.deposit.salt)) return news;
    const { deposit: _deposit, header: _header, ...voucher } = news;
    return voucher;
  }

  /** What this owner of money has promised and the chain has not moved yet: single payments, from their acceptance on, and deposits. */
  promised(from: Address, asset: Address): bigint {
    let sum = 0n;
    const add = (reservation: Reservation, amount: bigint): void => {
      if (reservation.from === from && reservation.asset === asset) sum += amount;
    };
    for (const run of this.#runs.values()) if (run.scheme !== 'batch-settlement') add(run, run.maximum);
    for (const { reservation, amount } of this.#collecting.values()) add(reservation, amount);
    for (const each of this.#deposits.values()) add(each, each.deposit!.amount);
    return sum;
  }

  /** Assets that money is still to come in: on its way to the chain, in channels that are not claimed, or waiting for its receipt to be covered. */
  openAssets(): Set<Address> {
    const open = new Set<Address>();
    for (const each of [...this.#runs.values(), ...this.#deposits.values()]) open.add(each.asset);
    for (const { reservation } of this.#collecting.values()) open.add(reservation.asset);
    for (const { asset, charged, claimed, scheme, uncovered } of this.#channels.values()) {
      const unclaimed = scheme === 'batch-settlement' && charged > claimed;
      if (unclaimed || uncovered.length > 0) open.add(asset);
    }
    return open;
  }

  /** Throws CommonweightError `journal_order` when the record does not follow from those before it; changes nothing then. */
  check(record: PaymentRecord): void {
    if (record.type === 'opened') return this.#checkOpened(record);
    if (!this.#opened) throw disorder('expected the record that says whose journal this is');
    switch (record.type) {
      case 'reserved':
        return this.#checkReserved(record.reservation);
      case 'released':
      case 'charged':
        if (!this.#runs.has(record.requestHash)) throw disorder(`request ${record.requestHash} is ${record.type} without a reservation`);
        if (record.type === 'charged') this.#checkCharged(record);
        return;
      case 'settled':
        if (!this.#collecting.has(record.requestHash)) throw disorder(`request ${record.requestHash} is settled without a charge`);
        return;
      case 'deposited':
        if (!this.#deposits.has(record.requestHash)) throw disorder(`the deposit of request ${record.requestHash} is not expected`);
        return;
      case 'failed':
        if (!this.#collecting.has(record.requestHash) && !this.#deposits.has(record.requestHash))
          throw disorder(`nothing of request ${record.requestHash} is on its way to the chain`);
        return;
      case 'claimed':
      case 'refused':
      case 'covered':
        if (!this.#channels.has(record.channel)) throw disorder(`channel ${record.channel} is ${record.type} and unknown`);
    }
  }

  /** Applies a record. */
  apply(record: PaymentRecord): void {
    this.check(record);
    switch (record.type) {
      case 'opened':
        this.#opened = true;
        return;
      case 'reserved':
        return this.#reserve(record.reservation);
      case 'released': {
        const channel = this.#endRun(record.requestHash);
        // nothing was sent of a single payment whose run failed: it may be shown again
        if (channel.scheme !== 'batch-settlement') this.#channels.delete(channel.id);
        return;
      }
      case 'charged':
        return this.#charge(record);
      case 'settled': {
        const { channel } = this.#collecting.get(record.requestHash)!.reservation;
        this.#collecting.delete(record.requestHash);
        this.#retireWhenOver(channel);
        return;
      }
      case 'deposited':
        this.#endDeposit(record.requestHash);
        return;
      case 'failed':
        return this.#fail(record.requestHash, record.at);
      case 'claimed': {
        const book = this.#channels.get(record.channel)!;
        book.claimed = record.total;
        delete book.refused;
        return;
      }
      case 'refused':
        this.#channels.get(record.channel)!.refused = record.reason;
        return;
      case 'covered':
        this.#cover(record.channel, record.receipt);
    }
  }

  #checkOpened({ node, chainId }: PaymentIdentity): void {
    if (this.#opened) throw disorder('a second record that says whose journal this is');
    if (node !== this.#identity.node || chainId !== this.#identity.chainId) {
      throw new CommonweightError(
        `the payments in this data directory are those of node ${node} on chain ${chainId}; this is node ${this.#identity.node} on chain ${this.#identity.chainId}: use another data directory`,
        { code: 'journal_of_another_node', action: 'stop' },
      );
    }
  }

  #checkReserved({ requestHash, scheme, channel, payer, voucher, config, deposit }: Reservation): void {
    if (this.#runs.has(requestHash)) throw disorder(`request ${requestHash} has a reservation already`);
    if (this.#channels.size + this.#used.size >= paymentLimits.channels)
      throw new CommonweightError(`the journal of payments holds ${paymentLimits.channels} channels; start a node with a new key`, {
        code: 'journal_full',
        action: 'stop',
      });
    const known = this.#channels.get(channel);
    if (scheme !== 'batch-settlement') {
      if (this.isUsed(channel)) throw disorder(`single payment ${channel} is used already`);
      return;
    }
    if (!voucher || (!known && !config)) throw disorder(`channel ${channel} has no ${voucher ? 'terms' : 'voucher'}`);
    if (deposit && known?.salts.has(deposit.salt)) throw disorder(`a deposit into channel ${channel} counts twice`);
    if (known && known.payer !== payer) throw disorder(`channel ${channel} belongs to request payer ${known.payer}`);
  }

  #checkCharged({ requestHash, cumulative, amount }: Extract<PaymentRecord, { type: 'charged' }>): void {
    const { maximum, cumulativeLimit } = this.#runs.get(requestHash)!;
    // receipts of runs side by side may be booked in another order than they were signed in: the sums agree when all are
    if (amount > maximum || amount > cumulative || cumulative > cumulativeLimit) {
      throw disorder(`request ${requestHash} may cost ${maximum} up to ${cumulativeLimit}, it is charged ${amount} up to ${cumulative}`);
    }
  }

  #reserve(reservation: Reservation): void {
    const { requestHash, channel, maximum, voucher, deposit } = reservation;
    const book = this.#channels.get(channel) ?? newChannel(reservation);
    this.#channels.set(channel, book);
    this.#models.add(reservation.modelId);
    this.#runs.set(requestHash, reservation);
    book.reserved += maximum;
    if (voucher && voucher.maxClaimableAmount > (book.voucher?.maxClaimableAmount ?? -1n)) book.voucher = voucher;
    if (deposit === undefined) return;
    this.#deposits.set(requestHash, reservation);
    book.depositing += deposit.amount;
    book.salts.add(deposit.salt);
  }

  #charge({ requestHash, receipt, cumulative, amount }: Extract<PaymentRecord, { type: 'charged' }>): void {
    const reservation = this.#runs.get(requestHash)!;
    const book = this.#endRun(requestHash);
    book.charged += amount;
    if (amount === 0n) {
      // a receipt over nothing moves nothing
      if (book.scheme !== 'batch-settlement') this.#retire(book.id);
      return;
    }
    const { cumulativeLimit, requestSignature, scheme, maximum } = reservation;
    book.uncovered.push({ requestHash, receipt, cumulative, cumulativeLimit, requestSignature });
    book.uncovered.sort((a, b) => (a.cumulative < b.cumulative ? -1 : 1));
    if (scheme !== 'batch-settlement') this.#collecting.set(requestHash, { reservation, amount: scheme === 'exact' ? maximum : amount });
  }

  #endRun(requestHash: Hex32): ChannelBook {
    const { channel, maximum } = this.#runs.get(requestHash)!;
    this.#runs.delete(requestHash);
    const book = this.#channels.get(channel)!;
    book.reserved -= maximum;
    return book;
  }

  #endDeposit(requestHash: Hex32): void {
    const { channel, deposit } = this.#deposits.get(requestHash)!;
    this.#deposits.delete(requestHash);
    this.#channels.get(channel)!.depositing -= deposit!.amount;
  }

  #fail(requestHash: Hex32, at: number): void {
    if (this.#deposits.has(requestHash)) return this.#endDeposit(requestHash);
    const { reservation } = this.#collecting.get(requestHash)!;
    this.#collecting.delete(requestHash);
    // the money may have come all the same, by a transfer that was not found: the receipt is shown
    this.#retireWhenOver(reservation.channel);
    this.#debtors.delete(reservation.from);
    this.#debtors.set(reservation.from, at);
    const [oldest] = this.#debtors.keys();
    if (this.#debtors.size > paymentLimits.debtors && oldest !== undefined) this.#debtors.delete(oldest);
  }

  #cover(channel: Hex32, receipt: Hex32): void {
    const book = this.#channels.get(channel)!;
    const at = book.uncovered.findIndex((entry) => entry.receipt === receipt);
    book.uncovered = book.uncovered.slice(at + 1);
    this.#retireWhenOver(channel);
  }

  #retireWhenOver(channel: Hex32): void {
    const book = this.#channels.get(channel);
    if (!book || book.scheme === 'batch-settlement' || book.uncovered.length > 0) return;
    if (![...this.#collecting.values()].some(({ reservation }) => reservation.channel === channel)) this.#retire(channel);
  }

  /** Of a single payment that is over, only its id is kept: it can never be used again. */
  #retire(channel: Hex32): void {
    this.#channels.delete(channel);
    this.#used.add(channel);
  }
}

const disorder = (what: string): CommonweightError =>
  new CommonweightError(`the records of payments do not follow from each other: ${what}`, { code: 'journal_order', action: 'stop' });
