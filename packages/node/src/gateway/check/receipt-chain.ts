import { type Address, type Domain, type Hex32, type Receipt, ZERO_HEX32, receiptAmount, receiptDigest } from '@commonweight/protocol';
import { gatewayLimits as limits } from '../../limits.ts';
import { Mutex } from '../../platform/mutex.ts';
import { ReceiptInvalid } from './receipt-invalid.ts';

/** One receipt of a node for this payer, as far as the next one refers to it. */
export interface ChainLink {
  readonly sequence: number;
  readonly digest: Hex32;
  readonly channel: Hex32;
  readonly cumulativeAmount: bigint;
}

export interface ChainStore {
  /** Links in order; empty when nothing is known. */
  readonly load: () => Promise<readonly ChainLink[]>;
  /** Durable when it returns. */
  readonly save: (links: readonly ChainLink[]) => Promise<void>;
}

/** Asks the node for one of its receipts by digest. */
export type FetchReceipt = (digest: Hex32) => Promise<Receipt>;

/**
 * The receipts of one node for one payer, as this gateway has seen them: consecutive, each naming the one before.
 * Answers of parallel runs may arrive in another order than they were signed, and one may never have arrived: the receipts in
 * between are fetched from the node along the `previous` digests, which a signature covers already.
 */
export class ReceiptChain {
  readonly #node: Address;
  readonly #payer: Address;
  readonly #domain: Domain;
  readonly #store: ChainStore;
  #links: ChainLink[] | undefined;
  readonly #turns = new Mutex();

  constructor(options: { node: Address; payer: Address; domain: Domain; store: ChainStore }) {
    this.#node = options.node;
    this.#payer = options.payer;
    this.#domain = options.domain;
    this.#store = options.store;
  }

  /**
   * Adds a receipt whose signature was checked; durable when it returns.
   * @throws ReceiptInvalid (`sequence`, `previous`, `cumulative_amount`), and whatever `fetch` throws.
   */
  accept(receipt: Receipt, fetch: FetchReceipt): Promise<void> {
    return this.#turns.run(() => this.#accept(receipt, fetch));
  }

  async #accept(receipt: Receipt, fetch: FetchReceipt): Promise<void> {
    const links = (this.#links ??= [...(await this.#store.load())]);
    const digest = receiptDigest(receipt, this.#domain);
    const known = links.find((link) => link.sequence === receipt.sequence);
    if (known) {
      if (known.digest === digest) return;
      throw new ReceiptInvalid('sequence', `the node signed two receipts with sequence number ${receipt.sequence}`);
    }
    const first = links[0];
    if (first && receipt.sequence < first.sequence) {
      throw new ReceiptInvalid('sequence', `expected at least ${first.sequence}, the receipt says ${receipt.sequence}`);
    }
    const added = await this.#walkBack(receipt, links.at(-1), fetch);
    let before = links.at(-1);
    for (const next of added) before = this.#link(next, before);
    for (const next of added) links.push(linkOf(next, this.#domain));
    links.splice(0, Math.max(0, links.length - limits.chainWindow));
    await this.#store.save(links);
  }

  /** The receipts after `last` up to `receipt`, in order. Without a `last` it goes back to the first one or as far as the limit allows. */
  async #walkBack(receipt: Receipt, last: ChainLink | undefined, fetch: FetchReceipt): Promise<Receipt[]> {
    const found = [receipt];
    const wanted = last ? last.sequence + 1 : 0;
    for (let earliest = receipt; earliest.sequence > wanted; earliest = found[0]!) {
      if (found.length > limits.chainGap) {
        if (!last) return found;
        throw new ReceiptInvalid(
          'sequence',
          `expected ${wanted}, the receipt says ${receipt.sequence}: more than ${limits.chainGap} are missing`,
        );
      }
      const before = await fetch(earliest.previous);
      const fits =
        receiptDigest(before, this.#domain) === earliest.previous &&
        before.node === this.#node &&
        before.payer === this.#payer &&
        before.sequence === earliest.sequence - 1;
      if (!fits) throw new ReceiptInvalid('previous', `receipt ${earliest.sequence} does not name the receipt before it`);
      found.unshift(before);
    }
    return found;
  }

  #link(receipt: Receipt, before: ChainLink | undefined): ChainLink {
    const expected = before?.digest ?? (receipt.sequence === 0 ? ZERO_HEX32 : receipt.previous);
    if (receipt.previous !== expected) {
      throw new ReceiptInvalid(
        'previous',
        `expected the digest of the receipt before it, ${expected}, the receipt says ${receipt.previous}`,
      );
    }
    // a window without the channel's last receipt cannot tell its sum; the next receipt on the channel can
    const paid = before
      ? before.channel === receipt.channel
        ? before.cumulativeAmount
        : undefined
      : receipt.sequence === 0
        ? 0n
        : undefined;
    const amount = receiptAmount(receipt);
    if (paid !== undefined && receipt.cumulativeAmount !== paid + amount) {
      throw new ReceiptInvalid('cumulative_amount', `expected ${paid} + ${amount}, the receipt says ${receipt.cumulativeAmount}`);
    }
    return linkOf(receipt, this.#domain);
  }
}

const linkOf = (receipt: Receipt, domain: Domain): ChainLink => ({
  sequence: receipt.sequence,
  digest: receiptDigest(receipt, domain),
  channel: receipt.channel,
  cumulativeAmount: receipt.cumulativeAmount,
});
