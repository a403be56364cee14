import type { Address, Hex32 } from '../bytes.ts';
import type { TypedDomain } from '../eip712.ts';
import { addressOfKey, signDigest } from '../signature.ts';
import { depositNonce, receiveAuthorizationDigest, transferAuthorizationDigest } from './authorization.ts';
import { type ChannelConfig, channelIdOf, voucherDigest } from './channel.ts';
import { DEPOSIT_COLLECTOR, UPTO_PROXY } from './contracts.ts';
import { encodePaymentSignature } from './encode-payment.ts';
import { uptoPermitDigest } from './permit2.ts';
import type { PaymentOffer } from './requirements.ts';

/** Moves `amount` into a channel, until `validBefore` (Unix seconds). */
export interface Deposit {
  readonly amount: bigint;
  readonly salt: Hex32;
  readonly validBefore: number;
}

export interface ChannelPaymentParts {
  readonly config: ChannelConfig;
  /** Sum that the voucher is over. */
  readonly voucher: bigint;
  readonly deposit?: Deposit | undefined;
}

const chainIdOf = ({ network }: PaymentOffer): number => Number(network.slice('eip155:'.length));

const tokenOf = (offer: PaymentOffer): TypedDomain => ({
  name: String(offer.extra['name']),
  version: String(offer.extra['version']),
  chainId: chainIdOf(offer),
  verifyingContract: offer.asset,
});

/** `PAYMENT-SIGNATURE` of `batch-settlement`, as the stock client makes it: a voucher, and the deposit that it needs. */
export function signChannelPayment(offer: PaymentOffer, { config, voucher, deposit }: ChannelPaymentParts, key: Hex32): string {
  const channelId = channelIdOf(config, chainIdOf(offer));
  const signature = signDigest(voucherDigest({ channelId, maxClaimableAmount: voucher }, chainIdOf(offer)), key);
  const signed = { channelConfig: config, voucher: { channelId, maxClaimableAmount: String(voucher), signature } };
  if (!deposit) return encodePaymentSignature(offer, { type: 'voucher', ...signed });
  const { amount, salt, validBefore } = deposit;
  const times = { validAfter: 0n, validBefore: BigInt(validBefore) };
  const authorization = { from: config.payer, to: DEPOSIT_COLLECTOR, value: amount, ...times, nonce: depositNonce(channelId, salt) };
  const erc3009Authorization = {
    validAfter: '0',
    validBefore: String(validBefore),
    salt,
    signature: signDigest(receiveAuthorizationDigest(authorization, tokenOf(offer)), key),
  };
  return encodePaymentSignature(offer, {
    type: 'deposit',
    ...signed,
    deposit: { amount: String(amount), authorization: { erc3009Authorization } },
  });
}

/** What a payment that is made once needs beside its offer. @param validBefore - Unix seconds */
export interface SinglePaymentParts {
  readonly nonce: Hex32;
  readonly validBefore: number;
}

/** `PAYMENT-SIGNATURE` of `exact`: an EIP-3009 transfer of the offer's amount. */
export function signExactPayment(offer: PaymentOffer, { nonce, validBefore }: SinglePaymentParts, key: Hex32): string {
  const from = addressOfKey(key);
  const to = offer.payTo;
  const authorization = { from, to, value: BigInt(offer.amount), validAfter: 0n, validBefore: BigInt(validBefore), nonce };
  const signature = signDigest(transferAuthorizationDigest(authorization, tokenOf(offer)), key);
  const texts = { value: offer.amount, validAfter: '0', validBefore: String(validBefore) };
  return encodePaymentSignature(offer, { signature, authorization: { from, to, nonce, ...texts } });
}

/** `PAYMENT-SIGNATURE` of `upto`: a Permit2 transfer of at most the offer's amount. The payer has to have approved Permit2 once. */
export function signUptoPayment(offer: PaymentOffer, { nonce, validBefore }: SinglePaymentParts, key: Hex32): string {
  const facilitator = String(offer.extra['facilitatorAddress']).toLowerCase() as Address;
  const numbers = { amount: BigInt(offer.amount), nonce: BigInt(nonce), deadline: BigInt(validBefore), validAfter: 0n };
  const signature = signDigest(uptoPermitDigest({ token: offer.asset, to: offer.payTo, facilitator, ...numbers }, chainIdOf(offer)), key);
  const permit2Authorization = {
    from: addressOfKey(key),
    permitted: { token: offer.asset, amount: offer.amount },
    spender: UPTO_PROXY,
    nonce: String(numbers.nonce),
    deadline: String(validBefore),
    witness: { to: offer.payTo, facilitator, validAfter: '0' },
  };
  return encodePaymentSignature(offer, { signature, permit2Authorization });
}
