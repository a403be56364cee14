import type { Address, Hex, InclusionProof } from '@commonweight/protocol';

/** The node as its registry entry says. `sessionKey` is the key that was valid when the receipt was issued. */
export type NodeFacts =
  | { readonly registered: false }
  | { readonly registered: true; readonly sessionKey: Address; readonly bond: bigint; readonly minimumBond: bigint };

/** Where the receipt is on chain. The proof is untrusted: it is checked against `root`, which comes from the chain. */
export type BatchFacts =
  | { readonly posted: false }
  | { readonly posted: true; readonly root: Hex; readonly count: number; readonly proof: InclusionProof };

/**
 * What the caller looked up on a chain that it trusts. A fact that is absent could not be looked up, and the report says so.
 * The verifier itself speaks to no network.
 */
export interface ChainFacts {
  readonly chainId: number;
  /** The ReceiptLog contract that was asked. */
  readonly receiptLog: Address;
  readonly node?: NodeFacts;
  readonly model?: { readonly registered: boolean };
  readonly batch?: BatchFacts;
}
