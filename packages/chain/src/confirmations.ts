import { setTimeout as pause } from 'node:timers/promises';
import { ChainError } from './errors.ts';
import { limits } from './limits.ts';
import { type Rpc } from './rpc.ts';
import { type Hex, TransactionReceiptNotFoundError } from './viem.ts';

/** Where a transaction lies. */
export interface Inclusion {
  readonly hash: Hex;
  readonly blockHash: Hex;
  readonly blockNumber: bigint;
}

export interface ConfirmOptions {
  /** Blocks, its own included: 1 is content with being in a block. */
  readonly depth: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Waits until a transaction lies `depth` blocks deep in the chain as it is now. A reorganisation may move it to another block meanwhile; one that drops it ends the wait.
 * @returns where it lies for good; undefined when it is in no block any more
 */
export async function confirmed(
  rpc: Rpc,
  { hash }: Pick<Inclusion, 'hash'>,
  { depth, signal }: ConfirmOptions,
): Promise<Inclusion | undefined> {
  for (let wait: number = limits.receiptPollFirst; ; wait = Math.min(wait * 2, limits.receiptPollLongest)) {
    // the height first: a block that comes between the two calls makes the depth look smaller, never larger
    const height = await rpc.call({ what: 'block number' }, (client) => client.getBlockNumber());
    const receipt = await rpc.call({ what: 'receipt' }, (client) => client.getTransactionReceipt({ hash }).catch(noneYet));
    if (receipt === undefined) return undefined;
    if (receipt.status !== 'success')
      throw new ChainError('chain_reverted', `transaction ${hash} was mined and reverted`, { details: { hash } });
    const { blockHash, blockNumber } = receipt;
    if (height - blockNumber + 1n >= BigInt(depth)) return { hash, blockHash, blockNumber };
    await pause(wait, undefined, { signal });
  }
}

function noneYet(error: unknown): undefined {
  if (error instanceof TransactionReceiptNotFoundError) return undefined;
  throw error;
}
