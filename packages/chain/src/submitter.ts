import { type Address, type Hex32 } from '@commonweight/protocol';
import { type Hex, type TransactionReceipt, TransactionReceiptNotFoundError } from './viem.ts';
import { setTimeout as pause } from 'node:timers/promises';
import { ChainError } from './errors.ts';
import { limits } from './limits.ts';
import { type Rpc } from './rpc.ts';
import { type Account, accountOfKey } from './account.ts';

export interface Transaction {
  readonly to: Address;
  readonly data?: Hex;
  readonly value?: bigint;
}

export interface SubmitterOptions {
  readonly rpc: Rpc;
  readonly privateKey: Hex32;
  /** Milliseconds until a transaction without a receipt is replaced; default `limits.receiptTimeout`. */
  readonly receiptTimeout?: number;
}

interface Fees {
  readonly maxFeePerGas: bigint;
  readonly maxPriorityFeePerGas: bigint;
}

/**
 * Sends the transactions of one key, one after the other: nonces cannot collide within a process, and a collision with another process is resolved by
 * reading the nonce again. A transaction that is not mined in time is sent again with the same nonce and a higher fee, so it happens at most once.
 */
export class Submitter {
  readonly rpc: Rpc;
  readonly account: Account;
  readonly #receiptTimeout: number;
  #tail: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor({ rpc, privateKey, receiptTimeout = limits.receiptTimeout }: SubmitterOptions) {
    this.rpc = rpc;
    this.account = accountOfKey(privateKey);
    this.#receiptTimeout = receiptTimeout;
  }

  /** Runs `work` when every earlier work of this key has ended: for a check and its transaction that must not be torn apart. */
  async exclusive<T>(work: (send: (transaction: Transaction) => Promise<TransactionReceipt>) => Promise<T>): Promise<T> {
    if (this.#waiting >= limits.queuedTransactions) {
      throw new ChainError('chain_busy', `${this.#waiting} transactions of ${this.account.address} wait already; try again later`);
    }
    this.#waiting++;
    const turn = this.#tail.then(() => work((transaction) => this.#send(transaction)));
    // the next in line does not care how this one ends; its caller gets the error
    this.#tail = turn.catch(() => undefined);
    try {
      return await turn;
    } finally {
      this.#waiting--;
    }
  }

  /** Sends one transaction and waits until it is mined. */
  send(transaction: Transaction): Promise<TransactionReceipt> {
    return this.exclusive((send) => send(transaction));
  }

  async #send(transaction: Transaction): Promise<TransactionReceipt> {
    const { account } = this;
    const gas = await this.rpc.call({ what: 'gas estimate' }, (c) => c.estimateGas({ account: account.address, ...transaction }));
    let fees: Fees = await this.rpc.call({ what: 'fees' }, (c) => c.estimateFeesPerGas());
    let nonce = await this.#nonce();
    const hashes: Hex[] = [];
    for (let attempt = 0; attempt <= limits.replacements; attempt++) {
      // a margin: state that changes before inclusion may cost a little more
      const serialized = account.signTransaction({
        type: 'eip1559',
        chainId: this.rpc.chain.id,
        ...transaction,
        ...fees,
        gas: (gas * 12n) / 10n,
        nonce,
      });
      const sent = await this.#broadcast(serialized);
      if (sent === 'nonce_used' && hashes.length === 0) {
        nonce = await this.#nonceAfter(nonce);
        continue;
      }
      if (sent !== 'nonce_used') hashes.push(sent);
      const receipt = await this.#receipt(hashes);
      if (receipt) return this.#succeeded(receipt, transaction);
      fees = raise(fees);
    }
    throw new ChainError(
      'chain_timeout',
      `transaction ${hashes.join(', ')} was not mined within ${this.#receiptTimeout} ms after ${limits.replacements} replacements`,
      {
        details: { hashes, nonce },
      },
    );
  }

  #nonce(): Promise<number> {
    return this.rpc.call({ what: 'nonce' }, (c) => c.getTransactionCount({ address: this.account.address, blockTag: 'latest' }));
  }

  /** The nonce once the transaction of another process that took `used` is mined; `used` again when that takes too long. */
  async #nonceAfter(used: number): Promise<number> {
    const deadline = performance.now() + this.#receiptTimeout;
    for (let wait: number = limits.receiptPollFirst; ; wait = Math.min(wait * 2, limits.receiptPollLongest)) {
      const nonce = await this.#nonce();
      if (nonce > used || performance.now() >= deadline) return nonce;
      await pause(wait);
    }
  }

  async #broadcast(serializedTransaction: Hex): Promise<Hex | 'nonce_used'> {
    try {
      return await this.rpc.call({ what: 'send transaction' }, (c) => c.sendRawTransaction({ serializedTransaction }));
    } catch (error) {
      if (
        error instanceof ChainError &&
        error.code === 'chain_rpc' &&
        /nonce too low|nonce is lower|lower than the current nonce|replacement transaction underpriced|already (?:imported|known)/i.test(
          error.message,
        )
      )
        return 'nonce_used';
      throw error;
    }
  }

  /** Looks for a receipt of any of `hashes` (the same transaction at different fees) until the timeout. */
  async #receipt(hashes: readonly Hex[]): Promise<TransactionReceipt | undefined> {
    const deadline = performance.now() + this.#receiptTimeout;
    for (let wait: number = limits.receiptPollFirst; ; wait = Math.min(wait * 2, limits.receiptPollLongest)) {
      for (const hash of hashes) {
        const receipt = await this.rpc.call({ what: 'receipt' }, (c) => c.getTransactionReceipt({ hash }).catch(noneYet));
        if (receipt) return receipt;
      }
      if (performance.now() >= deadline) return undefined;
      await pause(wait);
    }
  }

  async #succeeded(receipt: TransactionReceipt, transaction: Transaction): Promise<TransactionReceipt> {
    if (receipt.status === 'success') return receipt;
    throw new ChainError('chain_reverted', `transaction ${receipt.transactionHash} to ${transaction.to} was mined and reverted`, {
      details: { reason: 'reverted after inclusion', args: [], hash: receipt.transactionHash },
    });
  }
}

function noneYet(error: unknown): undefined {
  if (error instanceof TransactionReceiptNotFoundError) return undefined;
  throw error;
}

const raise = ({ maxFeePerGas, maxPriorityFeePerGas }: Fees): Fees => {
  const more = (fee: bigint): bigint => (fee * (100n + limits.replacementRaise)) / 100n + 1n;
  return { maxFeePerGas: more(maxFeePerGas), maxPriorityFeePerGas: more(maxPriorityFeePerGas) };
};
