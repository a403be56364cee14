import {
  type Address,
  type ChannelConfig,
  type Hex32,
  addressOfKey,
  channelIdOf,
  signDigest,
  toHex,
  uintBE,
  voucherDigest,
} from '@commonweight/protocol';
import type { PaymentIdentity } from '../payment-state.ts';
import type { Reservation } from '../reservation.ts';

const payerKey = `0x${'51'.repeat(32)}` as Hex32;
export const payer = addressOfKey(payerKey);
export const identity: PaymentIdentity = { node: `0x${'0a'.repeat(20)}` as Address, chainId: 31_337 };
const asset = `0x${'0b'.repeat(20)}` as Address;
const splitter = `0x${'0c'.repeat(20)}` as Address;
const modelId = toHex(uintBE(1, 32)) as Hex32;
export const hash = (n: number): Hex32 => toHex(uintBE(1000 + n, 32)) as Hex32;

export const config: ChannelConfig = {
  payer,
  payerAuthorizer: payer,
  receiver: splitter,
  receiverAuthorizer: identity.node,
  token: asset,
  withdrawDelay: 86_400,
  salt: hash(0),
};
export const channel = channelIdOf(config, identity.chainId);

const voucher = (maxClaimableAmount: bigint): NonNullable<Reservation['voucher']> => ({
  maxClaimableAmount,
  signature: signDigest(voucherDigest({ channelId: channel, maxClaimableAmount }, identity.chainId), payerKey),
});

const common = {
  modelId,
  payer,
  from: payer,
  asset,
  cumulativeLimit: 10n ** 9n,
  requestSignature: `0x${'00'.repeat(65)}`,
  at: 1_790_000_000,
} as const;

/** The n-th run on the channel, which may cost `maximum`. */
export const onChannel = (n: number, maximum: bigint, upTo: bigint, change: Partial<Reservation> = {}): Reservation => ({
  ...common,
  requestHash: hash(n),
  scheme: 'batch-settlement',
  channel,
  maximum,
  voucher: voucher(upTo),
  ...change,
});

/** The n-th single payment. */
export const single = (n: number, scheme: 'exact' | 'upto', maximum: bigint): Reservation => ({
  ...common,
  requestHash: hash(n),
  scheme,
  channel: hash(5000 + n),
  maximum,
  header: 'eyJ9',
});
