import { ChainError, type Mined, type SettlementClient } from '@commonweight/chain';
import { type Address, type Hex32, type Receipt, toHex } from '@commonweight/protocol';
import { batchTree } from '../journal/ledger-state.ts';
import type { Ledger } from '../journal/ledger.ts';
import type { WorkerLog } from '../worker/log.ts';
import type { ChannelBook, Chargeable } from './channel-book.ts';
import type { PaymentBook } from './payment-book.ts';

export interface CovererOptions {
  readonly node: Address;
  readonly book: PaymentBook;
  readonly ledger: Ledger;
  readonly settlement: SettlementClient;
  /** Whether a block is as deep as the node wants. */
  readonly isDeep: (block: bigint) => Promise<boolean>;
  readonly log: WorkerLog;
}

/** Refusals of a receipt that an older one of its channel, over less, may not meet. */
const TOO_MUCH = ['StakeReserved', 'NotPaid'];

/** Shows posted receipts to the settlement contract, which locks stake for them. */
export class Coverer {
  readonly #options: CovererOptions;
  /** Why the contract did not take a channel's newest receipt, while it does not. */
  readonly #refused = new Map<Hex32, string>();

  constructor(options: CovererOptions) {
    this.#options = options;
  }

  /**
   * Shows the newest receipt of a channel that is posted: it covers all before it. Is that too much for the stake that is free or the money that is there, an older one takes its turn.
   * What the contract refuses is shown again in the next round, and holds up nothing.
   */
  async cover(channel: Readonly<ChannelBook>): Promise<void> {
    // a single payment comes first: its receipt takes from the pot that it fills
    if (this.#isCollecting(channel.id)) return;
    const entries = [...channel.uncovered];
    let at = entries.length - 1;
    while (at >= 0 && !(await this.#isPosted(entries[at]!))) at--;
    let refusal: string | undefined;
    for (; at >= 0; at = ((at + 1) >> 1) - 1) {
      const reason = await this.#show(channel.id, entries[at]!);
      refusal ??= reason;
      if (reason === undefined || !TOO_MUCH.includes(reason)) break;
    }
    this.#note(channel, refusal);
  }

  #isCollecting(channel: Hex32): boolean {
    return [...this.#options.book.state.collecting.values()].some(({ reservation }) => reservation.channel === channel);
  }

  async #isPosted({ receipt }: Chargeable): Promise<boolean> {
    return (await this.#options.ledger.find(receipt))?.batch.posted !== undefined;
  }

  #note({ id, config, charged, claimed }: Readonly<ChannelBook>, reason: string | undefined): void {
    if (reason === undefined) return void this.#refused.delete(id);
    // what is not claimed yet is not there yet: nothing to worry about
    const isUsual = reason === 'NotPaid' && config !== undefined && charged > claimed;
    if (!isUsual && this.#refused.get(id) !== reason) this.#options.log.warn('revenue_not_covered', { reason, channel: id });
    this.#refused.set(id, reason);
  }

  /** @returns why the contract refused */
  async #show(channel: Hex32, chargeable: Chargeable): Promise<string | undefined> {
    const { book, ledger, settlement, isDeep, node } = this.#options;
    const found = await ledger.find(chargeable.receipt);
    if (!found?.batch.posted) return undefined;
    const { receipt } = found.issued;
    if ((await settlement.coveredOf(receipt)) < receipt.cumulativeAmount) {
      const siblings = batchTree(found.batch)
        .proof(found.place.index)
        .map((sibling) => toHex(sibling) as Hex32);
      const { cumulativeLimit, requestSignature } = chargeable;
      const send = () => settlement.cover({ receipt, cumulativeLimit, requestSignature, index: found.place.index, siblings });
      let reason = await refusalOf(send);
      // a cover frees what is due by itself, as much as fits into one call; when that does not suffice, more is freed here
      if (reason === 'StakeReserved' && (await settlement.releaseDue(node))) reason = await refusalOf(send);
      if (reason !== undefined) return reason;
      this.#options.log.info('revenue_covered', { sequence: receipt.sequence, batch: receipt.batch });
    }
    const mined = await this.#coveredIn(chargeable, receipt);
    if (mined && (await isDeep(mined.block))) await book.covered(channel, chargeable.receipt);
    return undefined;
  }

  /** The transaction that covered at least this receipt: its own, or that of a later one of its account. */
  async #coveredIn({ receipt: digest }: Chargeable, receipt: Receipt): Promise<Mined | undefined> {
    const { settlement } = this.#options;
    const own = await settlement.coverOf(digest);
    // covered by another receipt of the account: the sum is the chain's word at its newest block
    return own ?? ((await settlement.coveredOf(receipt)) >= receipt.cumulativeAmount ? { transaction: digest, block: 0n } : undefined);
  }
}

async function refusalOf(send: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await send();
    return undefined;
  } catch (error) {
    if (!(error instanceof ChainError && error.code === 'chain_reverted')) throw error;
    return String(error.details['reason']);
  }
}
