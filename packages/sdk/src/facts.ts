import type { Address, Hex32, ModelId } from '@commonweight/protocol';
import type { NodeFacts } from '@commonweight/verifier';

/** What a node asks for one model, as its registry entry says. Prices in the asset's smallest unit per million tokens. */
export interface NodeTerms {
  readonly asset: Address;
  readonly promptPrice: bigint;
  readonly completionPrice: bigint;
  /** The splitter of the node and the model: the only address that may be paid. */
  readonly payTo: Address;
}

/** The caller's own view of the chain: never the gateway's. */
export interface NetworkFacts {
  readonly chainId: number;
  readonly receiptLog: Address;
  /** About a node whose receipt `signer` signed; undefined when it cannot be told. */
  readonly node: (node: Address, signer: Address | undefined) => Promise<NodeFacts | undefined>;
  /** Undefined when the node does not serve the model for money. */
  readonly terms: (node: Address, modelId: ModelId) => Promise<NodeTerms | undefined>;
  /** A payment channel of x402's `batch-settlement`. */
  readonly channel: (channelId: Hex32) => Promise<{ readonly balance: bigint; readonly claimed: bigint }>;
}
