import { setTimeout as pause } from 'node:timers/promises';
import { type Account } from './account.ts';
import { broadcast } from './broadcast.ts';
import { ChainError } from './errors.ts';
import { type Fees, currentFees, highest, raised } from './fees.ts';
import { limits } from './limits.ts';
import { type Rpc } from './rpc.ts';
import { type Transaction } from './submitter.ts';
import { type Hex, type TransactionReceipt, TransactionReceiptNotFoundError, keccak256 } from './viem.ts';

export interface FlightOptions {
  readonly rpc: Rpc;
  readonly account: Account;
  readonly transaction: Transaction;
  readonly nonce: number;
  readonly gas: bigint;
  readonly fees: Fees;
  /** Milliseconds until it is replaced. */
  readonly receiptTimeout: number;
  /** Milliseconds that it is waited for while the node does not answer. */
  readonly unreachableWait: number;
}

/** One transaction between its first broadcast and its receipt: the same nonce all the time, so it happens at most once, under one of its hashes. */
export class Flight {
  readonly nonce: number;
  readonly hashes: Hex[] = [];
  readonly #options: FlightOptions;
  #fees: Fees;
  #serialized: Hex = '0x';

  constructor(options: FlightOptions) {
    this.#options = options;
    this.nonce = options.nonce;
    this.#fees = options.fees;
  }

  /** What the newest attempt offers: who uses this nonce after us has to offer more. */
  get fees(): Fees {
    return this.#fees;
  }

  /** Signs and broadcasts for the first time. @returns whether the nonce is ours now */
  async launch(): Promise<'ours' | 'nonce_used' | 'underpriced' | 'too_cheap'> {
    const hash = this.#sign();
    const sent = await broadcast(this.#options.rpc, this.#serialized);
    // the same bytes from another process of this key are its transaction, not ours
    if (sent === 'known') return 'nonce_used';
    if (sent === 'nonce_used' || sent === 'underpriced' || sent === 'too_cheap') return sent;
    this.hashes.push(hash);
    return 'ours';
  }

  /** The receipt of whichever attempt is mined; undefined when a foreign transaction took the nonce. Throws `chain_timeout` after the last replacement. */
  async land(): Promise<TransactionReceipt | undefined> {
    for (let replacements = 0; ; replacements++) {
      const outcome = await this.#watch();
      if (outcome !== 'late') return outcome === 'displaced' ? undefined : outcome;
      if (replacements === limits.replacements) throw this.#timeout();
      await this.#replace();
    }
  }

  /** Looks until one attempt is mined, another transaction took the nonce, or the time is up. Sends again meanwhile: nodes drop transactions. */
  async #watch(): Promise<TransactionReceipt | 'displaced' | 'late'> {
    const { receiptTimeout, unreachableWait } = this.#options;
    const started = performance.now();
    const lastCall = started + unreachableWait;
    const rebroadcastAfter = Math.min(limits.rebroadcastAfter, receiptTimeout / 4);
    let next = started + rebroadcastAfter;
    let reachable = true;
    for (let wait: number = limits.receiptPollFirst; ; wait = Math.min(wait * 2, limits.receiptPollLongest)) {
      try {
        const found = await this.#look(performance.now() >= next);
        if (found !== undefined) return found;
        reachable = true;
      } catch (error) {
        // the transaction is out there: silence of the node is no reason to give it up, until it has lasted
        if (!(error instanceof ChainError) || error.code !== 'chain_unreachable' || performance.now() >= lastCall)
          throw this.#explained(error);
        reachable = false;
      }
      if (performance.now() >= next) next = performance.now() + rebroadcastAfter;
      if (reachable && performance.now() >= started + receiptTimeout) return 'late';
      await pause(wait);
    }
  }

  async #look(thoroughly: boolean): Promise<TransactionReceipt | 'displaced' | undefined> {
    const mined = await this.#receipt();
    if (mined !== undefined || !thoroughly) return mined;
    const { rpc, account } = this.#options;
    const used = await rpc.call({ what: 'nonce' }, (c) => c.getTransactionCount({ address: account.address, blockTag: 'latest' }));
    // mined between the two calls, or not ours
    if (used > this.nonce) return (await this.#receipt()) ?? 'displaced';
    await broadcast(rpc, this.#serialized).catch(() => undefined);
    return undefined;
  }

  async #receipt(): Promise<TransactionReceipt | undefined> {
    for (const hash of this.hashes) {
      const receipt = await this.#options.rpc.call({ what: 'receipt' }, (c) => c.getTransactionReceipt({ hash }).catch(noneYet));
      if (receipt !== undefined) return receipt;
    }
    return undefined;
  }

  /** The same at a higher fee. What the node says against it (already mined, too low, no funds for it) shows at the next look. */
  async #replace(): Promise<void> {
    const { rpc } = this.#options;
    const now = await currentFees(rpc).catch(() => this.#fees);
    this.#fees = highest(raised(this.#fees), now);
    const before = this.#serialized;
    const hash = this.#sign();
    const sent = await broadcast(rpc, this.#serialized).catch(() => 'nonce_used' as const);
    if (sent === 'sent' || sent === 'known' || sent === 'unknown') this.hashes.push(hash);
    else this.#serialized = before;
  }

  #sign(): Hex {
    const { account, rpc, transaction, gas } = this.#options;
    const { to, data, value } = transaction;
    this.#serialized = account.signTransaction({
      type: 'eip1559',
      chainId: rpc.chain.id,
      to,
      ...(data === undefined ? {} : { data }),
      ...(value === undefined ? {} : { value }),
      ...this.#fees,
      gas,
      nonce: this.nonce,
    });
    return keccak256(this.#serialized);
  }

  #timeout(): ChainError {
    return new ChainError(
      'chain_timeout',
      `transaction ${this.hashes.join(', ')} was not mined within ${this.#options.receiptTimeout} ms after ${limits.replacements} replacements`,
      { details: { hashes: this.hashes, nonce: this.nonce } },
    );
  }

  #explained(error: unknown): unknown {
    if (!(error instanceof ChainError)) return error;
    return new ChainError(error.code, `${error.message}; transaction ${this.hashes.join(', ')} may have been mined`, {
      details: { ...error.details, hashes: this.hashes, nonce: this.nonce },
      cause: error,
    });
  }
}

function noneYet(error: unknown): undefined {
  if (error instanceof TransactionReceiptNotFoundError) return undefined;
  throw error;
}
