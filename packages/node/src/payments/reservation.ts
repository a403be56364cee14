import type { Address, ChannelConfig, Hex, Hex32, ModelId, PaymentScheme, Signature } from '@commonweight/protocol';

/** A payer's word over a channel: at most so much of it may be claimed, all runs together. */
export interface SignedVoucher {
  readonly maxClaimableAmount: bigint;
  readonly signature: Hex;
}

/** A payment that was accepted for one run, before the run begins. */
export interface Reservation {
  readonly requestHash: Hex32;
  readonly scheme: PaymentScheme;
  readonly channel: Hex32;
  readonly modelId: ModelId;
  /** Who signed the request: receipts are his. */
  readonly payer: Address;
  /** Whose money it is. */
  readonly from: Address;
  readonly asset: Address;
  /** The most that the run can cost. */
  readonly maximum: bigint;
  /** Of the request, with the payer's signature: what `Settlement.cover` asks for later. */
  readonly cumulativeLimit: bigint;
  readonly requestSignature: Signature;
  /** Of a channel. */
  readonly voucher?: SignedVoucher;
  /** Terms of a channel, with its first reservation. */
  readonly config?: ChannelConfig;
  /** Into a channel, sent when the run begins. */
  readonly deposit?: { readonly amount: bigint; readonly salt: Hex32 };
  /** `PAYMENT-SIGNATURE`, where something in it is still to be sent: single payments, deposits. */
  readonly header?: string;
  /** Newest block before a payment that is still to be sent was simulated: it is not on chain below. */
  readonly block?: bigint;
  /** Unix seconds. */
  readonly at: number;
}
