import {
  type Account,
  type Address,
  CommonweightError,
  type Domain,
  type Hex32,
  MerkleTag,
  MerkleTree,
  type Receipt,
  ZERO_HEX32,
  accountKey,
  fromHex,
  receiptDigest,
  toHex,
} from '@commonweight/protocol';
import { journalLimits } from '../limits.ts';
import { nativeSha256 } from '../platform/sha256.ts';
import type { LedgerRecord } from './ledger-record.ts';

/** Where a receipt stands in the journal and in its batch. */
export interface Place {
  readonly offset: number;
  readonly batch: number;
  /** Leaf in the batch's tree. */
  readonly index: number;
}

export interface Batch {
  readonly index: number;
  /** Receipt digests in the order of signing. */
  readonly digests: Hex32[];
  /** Set when it is closed. */
  root?: Hex32;
  /** Whether it stands on chain. */
  posted: boolean;
}

export interface Identity {
  readonly node: Address;
  readonly domain: Domain;
}

/** The fields of the next receipt that the journal decides. */
export type Continuation = Pick<Receipt, 'node' | 'batch' | 'sequence' | 'previous' | 'cumulativeAmount'>;

/** What the journal's records add up to. Every record is checked against the ones before it, when it is made and when it is replayed. */
export class LedgerState {
  readonly #identity: Identity;
  readonly #payers = new Map<Address, { sequence: number; previous: Hex32 }>();
  readonly #amounts = new Map<Hex32, bigint>();
  readonly #places = new Map<Hex32, Place>();
  readonly #requests = new Map<Hex32, Hex32>();
  readonly #batches: Batch[] = [{ index: 0, digests: [], posted: false }];
  #opened = false;

  constructor(identity: Identity) {
    this.#identity = identity;
  }

  get opened(): boolean {
    return this.#opened;
  }

  get receipts(): number {
    return this.#places.size;
  }

  /** The batch that takes the next receipt. */
  get open(): Batch {
    return this.#batches.at(-1)!;
  }

  /** All batches, the open one last. */
  get batches(): readonly Batch[] {
    return this.#batches;
  }

  placeOf(digest: Hex32): Place | undefined {
    return this.#places.get(digest);
  }

  /** The receipt that answers a request, if one was signed. */
  digestOf(requestHash: Hex32): Hex32 | undefined {
    return this.#requests.get(requestHash);
  }

  /** The sum of all receipts of an account. */
  billed(account: Omit<Account, 'node'>): bigint {
    return this.#amounts.get(accountKey({ ...account, node: this.#identity.node })) ?? 0n;
  }

  /** The fields that make the next receipt of this account follow from the last. */
  next(account: Omit<Account, 'node'>, amount: bigint): Continuation {
    const last = this.#payers.get(account.payer) ?? { sequence: 0, previous: ZERO_HEX32 };
    return { node: this.#identity.node, batch: this.open.index, ...last, cumulativeAmount: this.billed(account) + amount };
  }

  /** Throws CommonweightError `journal_order` when the record does not follow from those before it; changes nothing then. */
  check(record: LedgerRecord): void {
    if (record.type === 'opened') return this.#checkOpened(record);
    if (!this.#opened) throw disorder('expected the record that says whose journal this is');
    if (record.type === 'receipt') return this.#checkReceipt(record.receipt);
    const batch = this.#batches[record.batch];
    if (record.type === 'closed') {
      if (batch !== this.open || batch.digests.length !== record.count || batchRoot(batch) !== record.root) {
        throw disorder(`batch ${record.batch}: expected batch ${this.open.index} with ${this.open.digests.length} receipts and their root`);
      }
    } else if (batch?.root === undefined) throw disorder(`batch ${record.batch} is marked as posted and was never closed`);
  }

  /** Applies a checked record that stands at `offset` of the journal. */
  apply(record: LedgerRecord, offset: number): void {
    this.check(record);
    switch (record.type) {
      case 'opened':
        this.#opened = true;
        return;
      case 'receipt': {
        const { receipt } = record;
        const digest = receiptDigest(receipt, this.#identity.domain);
        this.#places.set(digest, { offset, batch: receipt.batch, index: this.open.digests.length });
        this.#requests.set(receipt.requestHash, digest);
        this.#payers.set(receipt.payer, { sequence: receipt.sequence + 1, previous: digest });
        this.#amounts.set(accountKey(receipt), receipt.cumulativeAmount);
        this.open.digests.push(digest);
        return;
      }
      case 'closed':
        this.open.root = record.root;
        this.#batches.push({ index: record.batch + 1, digests: [], posted: false });
        return;
      case 'posted':
        this.#batches[record.batch]!.posted = true;
    }
  }

  /** The chain was restored to a state before batch `from`: from there on nothing stands on it. */
  forgetPosted(from: number): void {
    for (const batch of this.#batches.slice(from)) batch.posted = false;
  }

  #checkOpened({ node, domain }: { readonly node: Address; readonly domain: Domain }): void {
    const mine = this.#identity;
    if (this.#opened) throw disorder('a second record that says whose journal this is');
    if (node !== mine.node || domain.chainId !== mine.domain.chainId || domain.verifyingContract !== mine.domain.verifyingContract) {
      throw new CommonweightError(
        `the data directory belongs to node ${node} on chain ${domain.chainId} (${domain.verifyingContract}); this is node ${mine.node} on chain ${mine.domain.chainId} (${mine.domain.verifyingContract}): use another data directory`,
        { code: 'journal_of_another_node', action: 'stop' },
      );
    }
  }

  #checkReceipt(receipt: Receipt): void {
    const expected = this.next(receipt, 0n);
    if (receipt.node !== expected.node || receipt.batch !== expected.batch) {
      throw disorder(`expected a receipt of ${expected.node} in batch ${expected.batch}, got ${receipt.node} in batch ${receipt.batch}`);
    }
    if (
      receipt.sequence !== expected.sequence ||
      receipt.previous !== expected.previous ||
      receipt.cumulativeAmount < expected.cumulativeAmount
    ) {
      throw disorder(
        `expected sequence ${expected.sequence} after receipt ${expected.previous}, got ${receipt.sequence} after ${receipt.previous}`,
      );
    }
    if (this.#requests.has(receipt.requestHash)) throw disorder(`a second receipt for request ${receipt.requestHash}`);
    if (this.receipts >= journalLimits.receipts) {
      throw new CommonweightError(`the journal holds ${journalLimits.receipts} receipts; start a node with a new key and data directory`, {
        code: 'journal_full',
        action: 'stop',
      });
    }
  }
}

const disorder = (what: string): CommonweightError =>
  new CommonweightError(`the journal's records do not follow from each other: ${what}`, { code: 'journal_order', action: 'stop' });

/** Tree over a batch's receipts: what the root on chain commits to. */
export function batchTree({ digests }: Pick<Batch, 'digests'>): MerkleTree {
  const tree = new MerkleTree(MerkleTag.receipts, nativeSha256);
  for (const digest of digests) tree.append(fromHex(digest, 32));
  return tree;
}

export const batchRoot = (batch: Pick<Batch, 'digests'>): Hex32 => toHex(batchTree(batch).root());
