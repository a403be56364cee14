import { type Address, type Hex32, type RunPrice, ZERO_ADDRESS, maximumAmount } from '@commonweight/protocol';
import type { Candidate } from '../network/route.ts';
import type { Job } from '../run/job.ts';

/** What the chain says about payments to nodes. */
export interface PaymentChain {
  readonly chainId: number;
  /** The splitter of a node and a model: what `payTo` must be. The same for ever. */
  readonly splitterOf: (node: Address, modelId: Hex32) => Promise<Address>;
  /** What a channel's contract holds of it. */
  readonly balanceOf: (channel: Hex32) => Promise<bigint>;
}

/** The most that a node may ask for a run, by its registry entry. Undefined where it asks for no money. */
export async function runPrice(job: Job, { node, prices }: Candidate, chain: PaymentChain): Promise<RunPrice | undefined> {
  const price = prices.find(({ modelId }) => modelId === job.model.modelId);
  if (!price || price.asset === ZERO_ADDRESS) return undefined;
  const maximum = maximumAmount({ promptTokens: job.promptIds.length, maxTokens: job.maxTokens }, price);
  const payTo = await chain.splitterOf(node, job.model.modelId);
  return { node, chainId: chain.chainId, asset: price.asset, maximum, payTo };
}
