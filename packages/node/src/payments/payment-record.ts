import {
  type Address,
  type ChannelConfig,
  Fields,
  type Hex32,
  ZERO_HEX32,
  limits as protocolLimits,
  paymentSchemes,
} from '@commonweight/protocol';
import type { Reservation } from './reservation.ts';

/** What happened to a node's payments, in order. The first record says whose journal it is. */
export type PaymentRecord =
  | { readonly type: 'opened'; readonly node: Address; readonly chainId: number }
  /** A payment was accepted: the run may begin, and a deposit may be sent. */
  | { readonly type: 'reserved'; readonly reservation: Reservation }
  /** The run got no receipt: nothing is charged. */
  | { readonly type: 'released'; readonly requestHash: Hex32 }
  /** The run got a receipt over `amount` that brings its channel to `cumulative`. A single payment may be sent from here on. */
  | { readonly type: 'charged'; readonly requestHash: Hex32; readonly receipt: Hex32; readonly cumulative: bigint; readonly amount: bigint }
  /** A single payment is on chain. */
  | { readonly type: 'settled'; readonly requestHash: Hex32; readonly transaction: Hex32 }
  /** A deposit is on chain. */
  | { readonly type: 'deposited'; readonly requestHash: Hex32; readonly transaction: Hex32 }
  /** A single payment or a deposit that will never be on chain. */
  | { readonly type: 'failed'; readonly requestHash: Hex32; readonly reason: string; readonly at: number }
  /** A channel's contract says that so much was claimed. */
  | { readonly type: 'claimed'; readonly channel: Hex32; readonly total: bigint; readonly transaction: Hex32 }
  /** A channel's contract refused to pay out what its payer signed. */
  | { readonly type: 'refused'; readonly channel: Hex32; readonly reason: string }
  /** `Settlement` has covered a channel up to this receipt. */
  | { readonly type: 'covered'; readonly channel: Hex32; readonly receipt: Hex32 };

const types = ['opened', 'reserved', 'released', 'charged', 'settled', 'deposited', 'failed', 'claimed', 'refused', 'covered'] as const;

export const paymentRecordToJson = (record: PaymentRecord): unknown =>
  JSON.parse(JSON.stringify(record, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value)));

/** Reads a record back. Throws DecodeError: the journal was written by something else. */
export function parsePaymentRecord(value: unknown): PaymentRecord {
  const keys = ['node', 'chainId', 'reservation', 'requestHash', 'receipt', 'cumulative', 'amount', 'transaction', 'reason', 'at'];
  const f = new Fields(value, 'record', ['type', ...[...keys, 'channel', 'total'].map((key) => `${key}?`)]);
  const type = f.literal('type', types);
  switch (type) {
    case 'opened':
      return { type, node: f.address('node'), chainId: f.integer('chainId', 1, Number.MAX_SAFE_INTEGER) };
    case 'reserved':
      return { type, reservation: parseReservation(f.raw('reservation')) };
    case 'released':
      return { type, requestHash: f.hex32('requestHash') };
    case 'charged': {
      const amounts = { cumulative: f.uint('cumulative'), amount: f.uint('amount') };
      return { type, requestHash: f.hex32('requestHash'), receipt: f.hex32('receipt'), ...amounts };
    }
    case 'settled':
    case 'deposited':
      return { type, requestHash: f.hex32('requestHash'), transaction: f.hex32('transaction') };
    case 'failed':
      return { type, requestHash: f.hex32('requestHash'), reason: f.string('reason', REASON), at: seconds(f, 'at') };
    case 'claimed':
      return { type, channel: f.hex32('channel'), total: f.uint('total'), transaction: f.hex32('transaction') };
    case 'refused':
      return { type, channel: f.hex32('channel'), reason: f.string('reason', REASON) };
    case 'covered':
      return { type, channel: f.hex32('channel'), receipt: f.hex32('receipt') };
  }
}

/** Characters of a reason that is kept. */
export const REASON = 200;

/** Stands for the transaction of something that was found done on chain. */
export const UNKNOWN_TRANSACTION = ZERO_HEX32;

const seconds = (f: Fields, key: string): number => f.integer(key, 0, Number.MAX_SAFE_INTEGER);

function parseReservation(value: unknown): Reservation {
  const optional = ['voucher?', 'config?', 'deposit?', 'header?', 'block?'];
  const required = ['requestHash', 'scheme', 'channel', 'modelId', 'payer', 'from', 'asset', 'maximum', 'cumulativeLimit'];
  const f = new Fields(value, 'record.reservation', [...required, 'requestSignature', 'at', ...optional]);
  return {
    requestHash: f.hex32('requestHash'),
    scheme: f.literal('scheme', paymentSchemes),
    channel: f.hex32('channel'),
    modelId: f.hex32('modelId'),
    payer: f.address('payer'),
    from: f.address('from'),
    asset: f.address('asset'),
    maximum: f.uint('maximum'),
    cumulativeLimit: f.uint('cumulativeLimit'),
    requestSignature: f.hex('requestSignature', 65),
    at: seconds(f, 'at'),
    ...(f.has('voucher') && { voucher: parseVoucher(f.raw('voucher')) }),
    ...(f.has('config') && { config: parseConfig(f.raw('config')) }),
    ...(f.has('deposit') && { deposit: parseDeposit(f.raw('deposit')) }),
    ...(f.has('header') && { header: f.string('header', protocolLimits.paymentHeader) }),
    ...(f.has('block') && { block: f.uint('block') }),
  };
}

function parseVoucher(value: unknown): NonNullable<Reservation['voucher']> {
  const f = new Fields(value, 'record.reservation.voucher', ['maxClaimableAmount', 'signature']);
  const signature = f.string('signature', 2 + 2 * protocolLimits.paymentSignatureBytes, /^0x(?:[0-9a-f]{2})+$/) as `0x${string}`;
  return { maxClaimableAmount: f.uint('maxClaimableAmount'), signature };
}

function parseDeposit(value: unknown): NonNullable<Reservation['deposit']> {
  const f = new Fields(value, 'record.reservation.deposit', ['amount', 'salt']);
  return { amount: f.uint('amount'), salt: f.hex32('salt') };
}

function parseConfig(value: unknown): ChannelConfig {
  const keys = ['payer', 'payerAuthorizer', 'receiver', 'receiverAuthorizer', 'token', 'withdrawDelay', 'salt'];
  const f = new Fields(value, 'record.reservation.config', keys);
  return {
    payer: f.address('payer'),
    payerAuthorizer: f.address('payerAuthorizer'),
    receiver: f.address('receiver'),
    receiverAuthorizer: f.address('receiverAuthorizer'),
    token: f.address('token'),
    withdrawDelay: f.integer('withdrawDelay', 0, 2 ** 40 - 1),
    salt: f.hex32('salt'),
  };
}
