import {
  type ChannelConfig,
  DEPOSIT_COLLECTOR,
  type Hex32,
  type PaymentOffer,
  depositNonce,
  encodePaymentSignature,
  receiveAuthorizationDigest,
  signDigest,
  voucherDigest,
} from '@commonweight/protocol';

export interface ChannelPaymentParts {
  readonly offer: PaymentOffer;
  readonly chainId: number;
  readonly channel: Hex32;
  readonly config: ChannelConfig;
  /** Sum that the voucher is over. */
  readonly voucher: bigint;
  /** Moves `amount` into the channel, until `validBefore` (Unix seconds). */
  readonly deposit?: { readonly amount: bigint; readonly salt: Hex32; readonly validBefore: number } | undefined;
}

/** The value of `PAYMENT-SIGNATURE` for `batch-settlement`, as the stock client makes it: a voucher, and the deposit that it needs. */
export function channelPayment({ offer, chainId, channel, config, voucher, deposit }: ChannelPaymentParts, key: Hex32): string {
  const signed = {
    channelId: channel,
    maxClaimableAmount: String(voucher),
    signature: signDigest(voucherDigest({ channelId: channel, maxClaimableAmount: voucher }, chainId), key),
  };
  const payload = { type: deposit ? 'deposit' : 'voucher', channelConfig: config, voucher: signed } as const;
  return encodePaymentSignature(
    offer,
    deposit ? { ...payload, deposit: { amount: String(deposit.amount), authorization: authorization() } } : payload,
  );

  function authorization(): unknown {
    const { amount, salt, validBefore } = deposit!;
    const token = { name: String(offer.extra['name']), version: String(offer.extra['version']), chainId, verifyingContract: config.token };
    const digest = receiveAuthorizationDigest(
      {
        from: config.payer,
        to: DEPOSIT_COLLECTOR,
        value: amount,
        validAfter: 0n,
        validBefore: BigInt(validBefore),
        nonce: depositNonce(channel, salt),
      },
      token,
    );
    return { erc3009Authorization: { validAfter: '0', validBefore: String(validBefore), salt, signature: signDigest(digest, key) } };
  }
}
