import {
  type Address,
  type ChannelPayment,
  CommonweightError,
  type ExactPayment,
  type Hex32,
  type ModelId,
  type Payment,
  type PaymentOffer,
  type UptoPayment,
} from '@commonweight/protocol';

/** A channel as its contract has it. */
export interface Escrow {
  readonly balance: bigint;
  readonly totalClaimed: bigint;
  /** Unix seconds of the payer's wish to withdraw; 0: none. */
  readonly withdrawRequestedAt: number;
  readonly refundNonce: bigint;
}

/** What a single payment pays for. */
export interface Due {
  readonly amount: bigint;
  readonly modelId: ModelId;
  /** Of the request: the splitter keeps the money for his receipts. */
  readonly payer: Address;
  /** Block before which it was not on chain. */
  readonly since: bigint | undefined;
}

/**
 * The way from a payer's word to money on chain. What moves money asks the chain first, so that it can be called again after a crash; it resolves
 * when the transfer is as deep as the node wants, and throws {@link Uncollectible} when it can never happen.
 */
export interface PaymentRail {
  /** Signature, funds and a simulation, at the chain. @returns why not, in x402's words */
  verify(payment: Payment, offer: PaymentOffer): Promise<string | undefined>;
  /** Moves a single payment to the splitter. */
  collect(payment: ExactPayment | UptoPayment, offer: PaymentOffer, due: Due): Promise<Hex32>;
  deposit(payment: ChannelPayment, offer: PaymentOffer, since: bigint | undefined): Promise<Hex32>;
  /** The newest block. */
  height(): Promise<bigint>;
  escrow(channel: Hex32): Promise<Escrow>;
  /** What somebody has of an asset. */
  funds(owner: Address, asset: Address): Promise<bigint>;
}

/** Money that will not come: the authorization has expired, was cancelled, or its funds are gone. */
export class Uncollectible extends CommonweightError {
  override readonly name = 'Uncollectible';
  constructor(reason: string, options: { readonly cause?: unknown } = {}) {
    super(reason, { code: 'payment_uncollectible', action: 'stop', ...options });
  }
}
