import { CommonweightError } from '../errors.ts';
import { Overcharged } from './check-settlement.ts';

/** A payer's own view of one payment channel. All amounts in the asset's smallest unit. */
export interface ChannelBooks {
  /** What receipts were accepted for. */
  readonly charged: bigint;
  /** What has been put into the channel and not been taken out, as far as the chain or an accepted payment showed it. */
  readonly balance: bigint;
  /** The highest voucher that was ever signed. */
  readonly signed: bigint;
  /** Maxima of runs whose outcome was never heard of (a crash, a broken line): perhaps charged, perhaps not. */
  readonly unheard: bigint;
}

/**
 * Keeps the books of one channel: pure, in memory. A voucher covers what was charged, the maxima of all runs in flight, and the new one's, so that
 * parallel runs on one channel never wait for each other and none can cost more than its own maximum.
 */
export class ChannelAccount {
  #charged: bigint;
  #balance: bigint;
  #signed: bigint;
  #unheard: bigint;
  readonly #open = new Map<string, bigint>();

  constructor(books: Partial<ChannelBooks> = {}) {
    this.#charged = books.charged ?? 0n;
    this.#balance = books.balance ?? 0n;
    this.#signed = books.signed ?? 0n;
    this.#unheard = books.unheard ?? 0n;
  }

  get books(): ChannelBooks {
    return { charged: this.#charged, balance: this.#balance, signed: this.#signed, unheard: this.#unheard };
  }

  /** Maxima of the runs in flight. */
  get inFlight(): bigint {
    let sum = 0n;
    for (const maximum of this.#open.values()) sum += maximum;
    return sum;
  }

  /** The sum that the next run's voucher has to cover. */
  voucherFor(maximum: bigint): bigint {
    return this.#charged + this.#unheard + this.inFlight + maximum;
  }

  /** What has to be deposited before a run of at most `maximum` can be paid; 0 when there is enough. */
  missing(maximum: bigint): bigint {
    const missing = this.voucherFor(maximum) - this.#balance;
    return missing > 0n ? missing : 0n;
  }

  /** A run begins. @returns the sum that its voucher has to be signed for. */
  reserve(run: string, maximum: bigint): bigint {
    if (this.#open.has(run)) throw new CommonweightError(`run ${run} is paid for already`, { code: 'payment_twice', action: 'stop' });
    const voucher = this.voucherFor(maximum);
    this.#open.set(run, maximum);
    if (voucher > this.#signed) this.#signed = voucher;
    return voucher;
  }

  /**
   * A run ended with a receipt that was accepted.
   * @param cumulative - the channel's sum in that receipt.
   * @throws Overcharged when the amount, or a sum that this payer's own books cannot explain, is too high; nothing is booked then.
   */
  charge(run: string, amount: bigint, cumulative: bigint): void {
    const maximum = this.#open.get(run);
    if (maximum === undefined) throw new CommonweightError(`run ${run} is not in flight`, { code: 'payment_unknown', action: 'stop' });
    if (amount > maximum) throw new Overcharged(`expected at most ${maximum} for this run, the node took ${amount}`);
    // whatever ran beside it may have been charged before it
    const most = this.#charged + this.#unheard + (this.inFlight - maximum) + amount;
    if (cumulative > most) throw new Overcharged(`expected a sum of at most ${most} on the channel, the node says ${cumulative}`);
    this.#open.delete(run);
    this.#charged += amount;
    if (this.#open.size > 0) return;
    // nothing is in flight: the node's sum now tells what became of the runs that were never heard of
    if (cumulative > this.#charged) this.#charged = cumulative;
    this.#unheard = 0n;
  }

  /** A run ended without cost: the node refused it before it began. */
  release(run: string): void {
    this.#open.delete(run);
  }

  /** A run's end was never heard of: what it may have cost stays reserved. */
  lose(run: string): void {
    this.#unheard += this.#open.get(run) ?? 0n;
    this.#open.delete(run);
  }

  /** A deposit of this payer's counts. */
  deposited(amount: bigint): void {
    this.#balance += amount;
  }

  /** The chain's word on the balance. */
  setBalance(balance: bigint): void {
    this.#balance = balance;
  }

  /** A voucher of this payer's turned up that these books did not know. */
  signedBefore(voucher: bigint): void {
    if (voucher > this.#signed) this.#signed = voucher;
  }

  /**
   * The node counts more on this channel than is known here (charged and reserved together), and shows a voucher of this payer's that covers it.
   * Called between runs' reservations, without the run that was refused. What is not explained counts as never heard of.
   * @returns false when that cannot be: no more than is known, or more than was ever signed.
   */
  correct(sum: bigint): boolean {
    const known = this.voucherFor(0n);
    if (sum <= known || sum > this.#signed) return false;
    this.#unheard += sum - known;
    return true;
  }
}
