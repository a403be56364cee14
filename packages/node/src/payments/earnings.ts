import { join } from 'node:path';
import {
  type Address,
  CommonweightError,
  type Hex32,
  type ModelId,
  type PaymentScheme,
  type Receipt,
  receiptAmount,
} from '@commonweight/protocol';
import { Journal } from '../journal/journal.ts';
import { parseLedgerRecord } from '../journal/ledger-record.ts';
import { parsePaymentRecord } from './payment-record.ts';
import type { Reservation } from './reservation.ts';

/** How far one run's money has come. `pending` moves on by itself, `unpaid` does not. */
export type EarningState = 'paid' | 'pending' | 'unpaid';

export interface Earning {
  readonly requestHash: Hex32;
  readonly modelId: ModelId;
  readonly payer: Address;
  readonly scheme: PaymentScheme | 'none';
  readonly asset: Address;
  /** The receipt's amount; 0 without one. */
  readonly amount: bigint;
  /** Unix seconds. */
  readonly at: number;
  readonly state: EarningState;
  /** Why it is not paid, or how it was. */
  readonly why: string;
}

/** What the chain says beside the journals. */
export interface EarningsChain {
  /** What {@link Receipt}s of an account have been shown for, at the Settlement contract. */
  readonly coveredOf: (receipt: Receipt) => Promise<bigint>;
  /** What a splitter would divide if somebody called it now. */
  readonly releasable: (node: Address, modelId: ModelId, asset: Address) => Promise<bigint>;
  /** Stake of a node that is not reserved. */
  readonly freeStake: (node: Address) => Promise<bigint>;
}

interface Money {
  readonly reservation: Reservation;
  charged?: bigint;
  released?: true;
  settled?: true;
  failed?: string;
}

interface Books {
  readonly node: Address;
  readonly receipts: Receipt[];
  /** Batches that are known to be on chain. */
  readonly posted: Set<number>;
  readonly money: Map<Hex32, Money>;
  /** Claimed from a channel. */
  readonly claimed: Map<Hex32, bigint>;
  /** Why a channel's contract refused the last claim. */
  readonly refused: Map<Hex32, string>;
}

/**
 * Every run of a node and what became of its money, oldest first: from the node's journals, which may be in use, and the chain.
 * @param dataDir - of the worker
 */
export async function readEarnings(dataDir: string, chain: EarningsChain): Promise<Earning[]> {
  const books = await readBooks(dataDir);
  const covered = new Map<string, bigint>();
  const releasable = new Map<string, bigint>();
  const freeStake = await chain.freeStake(books.node);
  const earnings: Earning[] = [];
  for (const receipt of books.receipts) {
    const account = `${receipt.payer} ${receipt.modelId} ${receipt.asset} ${receipt.channel}`;
    const amount = receiptAmount(receipt);
    if (amount > 0n && !covered.has(account)) covered.set(account, await chain.coveredOf(receipt));
    const splitter = `${receipt.modelId} ${receipt.asset}`;
    if (amount > 0n && !releasable.has(splitter))
      releasable.set(splitter, await chain.releasable(books.node, receipt.modelId, receipt.asset));
    const money = books.money.get(receipt.requestHash);
    const verdict = judge(receipt, money, books, {
      covered: covered.get(account) ?? 0n,
      releasable: releasable.get(splitter) ?? 0n,
      freeStake,
    });
    const { requestHash, modelId, payer, asset, issuedAt: at } = receipt;
    earnings.push({ requestHash, modelId, payer, scheme: money?.reservation.scheme ?? 'none', asset, amount, at, ...verdict });
  }
  const answered = new Set(books.receipts.map(({ requestHash }) => requestHash));
  for (const [requestHash, { reservation, released }] of books.money) {
    if (answered.has(requestHash)) continue;
    const { modelId, payer, scheme, asset, at } = reservation;
    const verdict: Verdict = released
      ? { state: 'unpaid', why: "the run ended without a receipt: it was broken off without its payer's signed end, or failed" }
      : { state: 'pending', why: 'the run is in progress, or a start of the node will decide' };
    earnings.push({ requestHash, modelId, payer, scheme, asset, amount: 0n, at, ...verdict });
  }
  return earnings.toSorted((a, b) => a.at - b.at);
}

type Verdict = Pick<Earning, 'state' | 'why'>;

function judge(
  receipt: Receipt,
  money: Money | undefined,
  { posted, claimed, refused }: Books,
  chain: { readonly covered: bigint; readonly releasable: bigint; readonly freeStake: bigint },
): Verdict {
  const pending = (why: string): Verdict => ({ state: 'pending', why });
  if (receiptAmount(receipt) === 0n) return { state: 'paid', why: 'free of charge' };
  if (!money) return { state: 'unpaid', why: 'no payment came with the request' };
  if (money.failed !== undefined) return { state: 'unpaid', why: `the payment could not be collected: ${money.failed}` };
  if (money.charged === undefined) return pending('signed and not booked yet: the next start of the node does it');
  const single = money.reservation.scheme !== 'batch-settlement';
  if (single && !money.settled) return pending('the payment is on its way to the chain');
  const sum = claimed.get(receipt.channel) ?? 0n;
  const refusal = refused.get(receipt.channel);
  if (!single && sum < receipt.cumulativeAmount && refusal !== undefined)
    return pending(`its channel is set aside: the contract refused the last claim (${refusal}); it is tried again, less and less often`);
  if (!single && sum < receipt.cumulativeAmount)
    return pending(`its channel stands at ${receipt.cumulativeAmount}, ${sum} of it is claimed: the next round of claims takes it`);
  if (!posted.has(receipt.batch)) return pending(`batch ${receipt.batch} of the receipts is not on chain yet`);
  if (chain.covered < receipt.cumulativeAmount) {
    const stake = chain.freeStake === 0n ? ' and the node has no free stake to stand behind it (commonweight stake add)' : '';
    return pending(`the money is in the splitter; the receipt has not been shown to Settlement yet${stake}`);
  }
  if (chain.releasable > 0n) return pending('covered; the splitter has not been divided since');
  return { state: 'paid', why: single ? 'settled, covered and divided' : 'claimed, covered and divided' };
}

async function readBooks(dataDir: string): Promise<Books> {
  let node: Address | undefined;
  const books: Omit<Books, 'node'> = { receipts: [], posted: new Set(), money: new Map(), claimed: new Map(), refused: new Map() };
  await Journal.read(dataDir, (value) => {
    const record = parseLedgerRecord(value);
    if (record.type === 'opened') node = record.node;
    if (record.type === 'receipt') books.receipts.push(record.receipt);
    if (record.type === 'posted') books.posted.add(record.batch);
  });
  if (node === undefined) {
    throw new CommonweightError(`${dataDir} holds no journal of a node; name the data directory of a worker`, { code: 'no_journal' });
  }
  await Journal.read(join(dataDir, 'payments'), (value) => {
    const record = parsePaymentRecord(value);
    if (record.type === 'reserved') books.money.set(record.reservation.requestHash, { reservation: record.reservation });
    if (record.type === 'claimed') {
      books.claimed.set(record.channel, record.total);
      books.refused.delete(record.channel);
    }
    if (record.type === 'refused') books.refused.set(record.channel, record.reason);
    if (!('requestHash' in record)) return;
    const money = books.money.get(record.requestHash)!;
    if (record.type === 'charged') money.charged = record.amount;
    if (record.type === 'released') money.released = true;
    if (record.type === 'settled') money.settled = true;
    // a deposit that failed shows in the claims of its channel
    if (record.type === 'failed' && money.charged !== undefined && money.reservation.scheme !== 'batch-settlement')
      money.failed = record.reason;
  });
  return { ...books, node };
}
