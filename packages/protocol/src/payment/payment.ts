import { type Address, type Hex, type Hex32 } from '../bytes.ts';
import { DecodeError } from '../errors.ts';
import { limits } from '../limits.ts';
import { decodeHeader } from './base64-json.ts';
import { type ChannelConfig, channelIdOf, singleChannel } from './channel.ts';
import { OpenFields } from './open-fields.ts';
import { type PaymentScheme, paymentHeaders, paymentSchemes } from './requirements.ts';

interface PaymentBase {
  readonly chainId: number;
  readonly asset: Address;
  readonly payTo: Address;
  /** The amount of the offer that the payer took. */
  readonly amount: bigint;
  /** Whose money it is. */
  readonly from: Address;
  /** `channel` of the request that it pays for. */
  readonly channel: Hex32;
  /** Name of the quote that it answers, when the offer had one: the same for a payment and its correction. */
  readonly quote?: string;
}

/** A signed EIP-3009 transfer of exactly `amount`. */
export interface ExactPayment extends PaymentBase {
  readonly scheme: 'exact';
  readonly validAfter: bigint;
  readonly validBefore: bigint;
  readonly nonce: Hex32;
  readonly signature: Hex;
}

/** A signed Permit2 transfer of at most `amount`, which only `facilitator` can make. */
export interface UptoPayment extends PaymentBase {
  readonly scheme: 'upto';
  readonly facilitator: Address;
  readonly nonce: bigint;
  readonly validAfter: bigint;
  readonly deadline: bigint;
  readonly signature: Hex;
}

/** A voucher over a channel, with the deposit that opens or fills it when there is one. */
export interface ChannelPayment extends PaymentBase {
  readonly scheme: 'batch-settlement';
  readonly config: ChannelConfig;
  readonly maxClaimableAmount: bigint;
  readonly signature: Hex;
  readonly deposit?: ChannelDeposit;
}

/** An EIP-3009 transfer into a channel. */
export interface ChannelDeposit {
  readonly amount: bigint;
  readonly validAfter: bigint;
  readonly validBefore: bigint;
  readonly salt: Hex32;
  readonly signature: Hex;
}

export type Payment = ExactPayment | UptoPayment | ChannelPayment;

/**
 * Reads a `PAYMENT-SIGNATURE` header. What it says twice must be the same: the scheme's own receiver, asset and amount are those of the offer
 * that was taken, and a channel's id is the hash of its terms. Signatures are not checked here. Fields that its scheme does not have are passed over and
 * go no further: what is checked, collected and looked for is made of what was read ({@link paymentPayload}).
 * @throws DecodeError that names the field
 */
export function parsePaymentSignature(header: string): Payment {
  const field = paymentHeaders.signature;
  const f = new OpenFields(decodeHeader(header, field), field);
  if (f.raw('x402Version') !== 2) throw new DecodeError(f.name('x402Version'), '2', f.raw('x402Version'));
  const offer = f.object('accepted');
  const scheme = offer.literal('scheme', paymentSchemes);
  const extra = offer.has('extra') ? offer.object('extra') : undefined;
  const base = {
    ...(extra?.has('quote') && { quote: extra.string('quote', 64) }),
    chainId: Number(offer.string('network', 24, /^eip155:[1-9][0-9]{0,15}$/).slice('eip155:'.length)),
    asset: offer.address('asset'),
    payTo: offer.address('payTo'),
    amount: offer.uint('amount', MAX_UINT128),
  };
  return parsers[scheme](f.object('payload'), base);
}

const MAX_UINT128 = (1n << 128n) - 1n;
const MAX_UINT40 = 2 ** 40 - 1;

type Offered = Omit<PaymentBase, 'from' | 'channel'>;

const parsers: Record<PaymentScheme, (f: OpenFields, offered: Offered) => Payment> = {
  exact: (f, offered) => {
    const a = f.object('authorization');
    same(a, 'to', a.address('to'), offered.payTo);
    same(a, 'value', a.uint('value'), offered.amount);
    const from = a.address('from');
    const nonce = a.hex32('nonce');
    return {
      scheme: 'exact',
      ...offered,
      from,
      channel: singleChannel(from, offered.asset, nonce),
      validAfter: a.uint('validAfter'),
      validBefore: a.uint('validBefore'),
      nonce,
      signature: signatureOf(f),
    };
  },
  upto: (f, offered) => {
    const a = f.object('permit2Authorization');
    const permitted = a.object('permitted');
    const witness = a.object('witness');
    same(permitted, 'token', permitted.address('token'), offered.asset);
    same(permitted, 'amount', permitted.uint('amount'), offered.amount);
    same(witness, 'to', witness.address('to'), offered.payTo);
    const from = a.address('from');
    const nonce = a.uint('nonce');
    return {
      scheme: 'upto',
      ...offered,
      from,
      channel: singleChannel(from, offered.asset, nonce),
      facilitator: witness.address('facilitator'),
      nonce,
      validAfter: witness.uint('validAfter'),
      deadline: a.uint('deadline'),
      signature: signatureOf(f),
    };
  },
  'batch-settlement': (f, offered) => {
    const type = f.literal('type', ['voucher', 'deposit']);
    const config = parseChannelConfig(f.object('channelConfig'));
    same(f.object('channelConfig'), 'receiver', config.receiver, offered.payTo);
    same(f.object('channelConfig'), 'token', config.token, offered.asset);
    const voucher = f.object('voucher');
    const channel = voucher.hex32('channelId');
    same(voucher, 'channelId', channel, channelIdOf(config, offered.chainId));
    return {
      scheme: 'batch-settlement',
      ...offered,
      from: config.payer,
      channel,
      config,
      maxClaimableAmount: voucher.uint('maxClaimableAmount', MAX_UINT128),
      signature: signatureOf(voucher),
      ...(type === 'deposit' && { deposit: parseDeposit(f.object('deposit')) }),
    };
  },
};

/** Reads the terms of a channel. */
const parseChannelConfig = (f: OpenFields): ChannelConfig => ({
  payer: f.address('payer'),
  payerAuthorizer: f.address('payerAuthorizer'),
  receiver: f.address('receiver'),
  receiverAuthorizer: f.address('receiverAuthorizer'),
  token: f.address('token'),
  withdrawDelay: f.integer('withdrawDelay', 0, MAX_UINT40),
  salt: f.hex32('salt'),
});

function parseDeposit(f: OpenFields): ChannelDeposit {
  const a = f.object('authorization').object('erc3009Authorization');
  return {
    amount: f.uint('amount', MAX_UINT128),
    validAfter: a.uint('validAfter'),
    validBefore: a.uint('validBefore'),
    salt: a.hex32('salt'),
    signature: signatureOf(a),
  };
}

const signatureOf = (f: OpenFields): Hex => f.bytes('signature', limits.paymentSignatureBytes);

function same<T extends string | bigint>(f: OpenFields, key: string, got: T, expected: T): void {
  if (got !== expected) throw new DecodeError(f.name(key), String(expected), got);
}
