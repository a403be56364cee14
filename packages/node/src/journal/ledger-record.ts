import {
  Fields,
  type Address,
  type Domain,
  type End,
  type Hex32,
  type Receipt,
  type Signature,
  parseReceipt,
  parseSignedEnd,
  receiptToJson,
} from '@commonweight/protocol';
import { journalLimits } from '../limits.ts';

/** A payer's order to end a run, with his signature. */
export interface SignedEnd {
  readonly end: End;
  readonly signature: Signature;
}

/** What happened to a node's receipts, in order. The first record says whose journal it is. */
export type LedgerRecord =
  | { readonly type: 'opened'; readonly node: Address; readonly domain: Domain }
  | { readonly type: 'receipt'; readonly receipt: Receipt; readonly signature: Signature; readonly end?: SignedEnd }
  | { readonly type: 'closed'; readonly batch: number; readonly root: Hex32; readonly count: number }
  | { readonly type: 'posted'; readonly batch: number };

export const ledgerRecordToJson = (record: LedgerRecord): unknown =>
  record.type === 'receipt' ? { ...record, receipt: receiptToJson(record.receipt) } : record;

/** Reads a record back. Throws DecodeError: the journal was written by something else. */
export function parseLedgerRecord(value: unknown): LedgerRecord {
  const keys = ['type', 'node?', 'domain?', 'receipt?', 'signature?', 'end?', 'batch?', 'root?', 'count?'];
  const f = new Fields(value, 'record', keys);
  const type = f.literal('type', ['opened', 'receipt', 'closed', 'posted']);
  const batch = (): number => f.integer('batch', 0, Number.MAX_SAFE_INTEGER);
  switch (type) {
    case 'opened': {
      const domain = new Fields(f.raw('domain'), 'record.domain', ['chainId', 'verifyingContract']);
      return {
        type,
        node: f.address('node'),
        domain: { chainId: domain.integer('chainId', 1, Number.MAX_SAFE_INTEGER), verifyingContract: domain.address('verifyingContract') },
      };
    }
    case 'receipt':
      return {
        type,
        receipt: parseReceipt(f.raw('receipt'), 'record.receipt'),
        signature: f.hex('signature', 65),
        ...(f.has('end') && { end: parseSignedEnd(f.raw('end'), 'record.end') }),
      };
    case 'closed':
      return { type, batch: batch(), root: f.hex32('root'), count: f.integer('count', 1, journalLimits.receipts) };
    case 'posted':
      return { type, batch: batch() };
  }
}
