import { type Address, type Hex32 } from '@commonweight/protocol';
import { setTimeout as pause } from 'node:timers/promises';
import { type Account, accountOfKey } from './account.ts';
import { ChainError } from './errors.ts';
import { type Fees, currentFees, highest, raised } from './fees.ts';
import { Flight } from './flight.ts';
import { limits } from './limits.ts';
import { type Rpc } from './rpc.ts';
import { type Hex, type TransactionReceipt } from './viem.ts';

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
  /** Milliseconds that a transaction is waited for while the node does not answer; default `limits.unreachableWait`. */
  readonly unreachableWait?: number;
}

/**
 * Sends the transactions of one key. They are signed and broadcast one after the other, with consecutive nonces, and wait for their blocks beside each other. A transaction
 * keeps its nonce when it is sent again (dropped) or replaced at a higher fee (not mined in time), so it happens at most once. One that is given up leaves its nonce to the
 * next, which offers more: no nonce stays stuck. A foreign transaction of the same key that took the nonce makes ours start again with another.
 */
export class Submitter {
  readonly rpc: Rpc;
  readonly account: Account;
  readonly #receiptTimeout: number;
  readonly #unreachableWait: number;
  /** Nonces that are ours and not yet in a block. */
  readonly #flying = new Map<number, Promise<unknown>>();
  /** Nonces of transactions that were given up and may still wait somewhere, with what they offered. */
  readonly #abandoned = new Map<number, Fees>();
  #tail: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor({ rpc, privateKey, receiptTimeout = limits.receiptTimeout, unreachableWait = limits.unreachableWait }: SubmitterOptions) {
    this.rpc = rpc;
    this.account = accountOfKey(privateKey);
    this.#receiptTimeout = receiptTimeout;
    this.#unreachableWait = unreachableWait;
  }

  /** Runs `work` when every earlier transaction of this key has ended: for a check and its transaction that must not be torn apart. */
  exclusive<T>(work: (send: (transaction: Transaction) => Promise<TransactionReceipt>) => Promise<T>): Promise<T> {
    return this.#counted(() =>
      this.#inTurn(async () => {
        await Promise.allSettled(this.#flying.values());
        return work((transaction) => this.#send(transaction, atOnce));
      }),
    );
  }

  /** Sends one transaction and waits until it is mined. Others of this key may wait beside it. */
  send(transaction: Transaction): Promise<TransactionReceipt> {
    return this.#counted(() => this.#send(transaction, (work) => this.#inTurn(work)));
  }

  async #counted<T>(work: () => Promise<T>): Promise<T> {
    if (this.#waiting >= limits.queuedTransactions) {
      throw new ChainError('chain_busy', `${this.#waiting} transactions of ${this.account.address} wait already; try again later`);
    }
    this.#waiting++;
    try {
      return await work();
    } finally {
      this.#waiting--;
    }
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#tail.then(work);
    // the next in line does not care how this one ends; its caller gets the error
    this.#tail = turn.catch(() => undefined);
    return turn;
  }

  /** @param inTurn Runs the launch alone among those of this key. */
  async #send(transaction: Transaction, inTurn: <T>(work: () => Promise<T>) => Promise<T>): Promise<TransactionReceipt> {
    for (let attempt = 0; attempt <= limits.replacements; attempt++) {
      const { landing } = await inTurn(() => this.#launch(transaction));
      const receipt = await landing;
      if (receipt) return succeeded(receipt, transaction);
    }
    throw new ChainError(
      'chain_timeout',
      `foreign transactions of ${this.account.address} took our nonce ${limits.replacements + 1} times in a row`,
    );
  }

  /** Finds a nonce, signs, broadcasts. The landing is wrapped: a bare promise would make whoever awaits the launch wait for the block. */
  async #launch(transaction: Transaction): Promise<{ readonly landing: Promise<TransactionReceipt | undefined> }> {
    while (this.#flying.size >= limits.flyingTransactions) await Promise.race(this.#flying.values()).catch(() => undefined);
    const { rpc, account } = this;
    let least: Fees | undefined;
    for (let attempt = 0; attempt <= limits.replacements; attempt++) {
      const gas = await this.#gas(transaction);
      const nonce = await this.#freeNonce();
      const fees = await this.#feesAt(nonce, least);
      const patience = { receiptTimeout: this.#receiptTimeout, unreachableWait: this.#unreachableWait };
      const flight = new Flight({ rpc, account, transaction, nonce, gas, fees, ...patience });
      const launched = await flight.launch();
      if (launched === 'ours') return { landing: this.#track(flight) };
      // the price went up while we signed: the next attempt asks for it again
      if (launched === 'too_cheap') continue;
      const stuck = (await this.#nonceAfter(nonce)) <= nonce;
      // another transaction of this key, from before a restart perhaps, waits there and nobody mines it: it is replaced
      if (launched === 'underpriced' && stuck) least = raised(fees);
    }
    throw new ChainError(
      'chain_timeout',
      `no transaction of ${account.address} was taken: others had its nonce, or the price rose, ${limits.replacements + 1} times in a row`,
    );
  }

  async #gas(transaction: Transaction): Promise<bigint> {
    // as of the newest block: what waits in the pool may be dropped or replaced, and then ours would cost more
    const from = { account: this.account.address, blockTag: 'latest' } as const;
    const estimate = await this.rpc.call({ what: 'gas estimate' }, (c) => c.estimateGas({ ...from, ...transaction }));
    // a margin: a balance that becomes zero before inclusion makes a transfer to it dearer
    return (estimate * 12n) / 10n + limits.gasReserve;
  }

  #track(flight: Flight): Promise<TransactionReceipt | undefined> {
    const landing = flight
      .land()
      .catch((error: unknown) => {
        this.#abandoned.set(flight.nonce, flight.fees);
        throw error;
      })
      .finally(() => this.#flying.delete(flight.nonce));
    this.#flying.set(flight.nonce, landing);
    // whoever sent it hears of a failure; this one only keeps the book of nonces
    landing.catch(() => undefined);
    return landing;
  }

  /** The lowest nonce that is neither in a block nor in flight: gaps that a given-up transaction left are filled first. */
  async #freeNonce(): Promise<number> {
    let nonce = await this.#nonce();
    for (const old of this.#abandoned.keys()) if (old < nonce) this.#abandoned.delete(old);
    while (this.#flying.has(nonce)) nonce++;
    return nonce;
  }

  async #feesAt(nonce: number, least: Fees | undefined): Promise<Fees> {
    const offered = this.#abandoned.get(nonce);
    const floors = [...(offered ? [raised(offered)] : []), ...(least ? [least] : [])];
    return floors.reduce(highest, await currentFees(this.rpc));
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
}

const atOnce = <T>(work: () => Promise<T>): Promise<T> => work();

function succeeded(receipt: TransactionReceipt, transaction: Transaction): TransactionReceipt {
  if (receipt.status === 'success') return receipt;
  throw new ChainError('chain_reverted', `transaction ${receipt.transactionHash} to ${transaction.to} was mined and reverted`, {
    details: { reason: 'reverted after inclusion', args: [], hash: receipt.transactionHash },
  });
}
