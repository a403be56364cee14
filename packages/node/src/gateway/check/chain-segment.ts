import { type Domain, type Hex32, type Receipt, ZERO_HEX32, accountKey, receiptAmount, receiptDigest } from '@commonweight/protocol';
import { ReceiptInvalid } from './receipt-invalid.ts';

/** One receipt of a node for this payer, as far as the next one refers to it. */
export interface ChainLink {
  readonly sequence: number;
  readonly digest: Hex32;
  /** Key of the receipt's account. */
  readonly channel: Hex32;
  readonly cumulativeAmount: bigint;
}

/** What a receipt says of the one before it. */
export interface Joint {
  /** Of the receipt itself. */
  readonly sequence: number;
  readonly previous: Hex32;
  /** Key of its account. */
  readonly channel: Hex32;
  /** The account's sum before it; negative when the receipt is wrong. */
  readonly paid: bigint;
}

/** Receipts that are missing: numbers from `until` up to before `joint.sequence`. */
export interface Gap {
  /** The earliest receipt above the gap. */
  readonly joint: Joint;
  readonly until: number;
  /** Receipts from inside the gap that arrived by themselves; the walk has to meet them. */
  readonly seen: readonly Pick<ChainLink, 'sequence' | 'digest'>[];
}

/** Consecutive receipts, and the gap beneath them while there is one. */
export interface Segment {
  /** At least one, the last ones of at most `chainWindow`. */
  readonly links: readonly ChainLink[];
  readonly gap?: Gap;
}

export const linkOf = (receipt: Receipt, domain: Domain): ChainLink => ({
  sequence: receipt.sequence,
  digest: receiptDigest(receipt, domain),
  channel: accountKey(receipt),
  cumulativeAmount: receipt.cumulativeAmount,
});

export const jointOf = (receipt: Receipt): Joint => ({
  sequence: receipt.sequence,
  previous: receipt.previous,
  channel: accountKey(receipt),
  paid: receipt.cumulativeAmount - receiptAmount(receipt),
});

/**
 * Throws unless `joint` follows from the receipt before it; without one it must be the first.
 * Where the receipt before it is of another account, the sum is not told here.
 */
export function requireJoint(joint: Joint, before: ChainLink | undefined): void {
  const digest = before?.digest ?? ZERO_HEX32;
  if (joint.previous !== digest) {
    throw new ReceiptInvalid('previous', `expected the digest of the receipt before it, ${digest}, the receipt says ${joint.previous}`);
  }
  const paid = before ? (before.channel === joint.channel ? before.cumulativeAmount : undefined) : 0n;
  if (paid !== undefined && joint.paid !== paid) {
    throw new ReceiptInvalid('cumulative_amount', `expected a sum of ${paid} before receipt ${joint.sequence}, it says ${joint.paid}`);
  }
}
