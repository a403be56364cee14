import type { Address, ChannelConfig, Hex32, ModelId, PaymentScheme, Signature } from '@commonweight/protocol';
import type { Reservation, SignedVoucher } from './reservation.ts';

/** A receipt that money can be released for, once it is posted. */
export interface Chargeable {
  readonly requestHash: Hex32;
  readonly receipt: Hex32;
  /** The receipt's `cumulativeAmount`. */
  readonly cumulative: bigint;
  readonly cumulativeLimit: bigint;
  readonly requestSignature: Signature;
}

/** What the journal's records of one channel add up to. A single payment is a channel that is used once. */
export interface ChannelBook {
  readonly id: Hex32;
  readonly scheme: PaymentScheme;
  readonly modelId: ModelId;
  readonly payer: Address;
  readonly from: Address;
  readonly asset: Address;
  readonly config?: ChannelConfig;
  /** Sum of the receipts: the highest `cumulativeAmount` when nothing is in progress. */
  charged: bigint;
  /** Sum of the maxima of runs in progress. */
  reserved: bigint;
  /** The highest that came. */
  voucher?: SignedVoucher;
  /** Deposits that are on their way to the chain. */
  depositing: bigint;
  /** Salts of the deposits that came: none counts twice. */
  readonly salts: Set<Hex32>;
  /** What the channel's contract was last seen to have paid out. */
  claimed: bigint;
  /** Why the contract refused the last claim. */
  refused?: string;
  /** Receipts that `Settlement` has not covered, lowest `cumulative` first. */
  uncovered: Chargeable[];
}

export const newChannel = (first: Reservation): ChannelBook => ({
  id: first.channel,
  scheme: first.scheme,
  modelId: first.modelId,
  payer: first.payer,
  from: first.from,
  asset: first.asset,
  ...(first.config && { config: first.config }),
  charged: 0n,
  reserved: 0n,
  depositing: 0n,
  salts: new Set(),
  claimed: 0n,
  uncovered: [],
});
