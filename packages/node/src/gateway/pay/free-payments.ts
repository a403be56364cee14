import { type Address, type Hex32, ZERO_HEX32, accountKey, maximumAmount } from '@commonweight/protocol';
import { gatewayLimits as limits } from '../../limits.ts';
import type { Candidate } from '../network/route.ts';
import type { Job } from '../run/job.ts';
import { OpenAmounts } from './open-amounts.ts';
import { type Payments, type RunPayment, runPayment } from './payments.ts';

export interface FreePaymentsOptions {
  readonly payer: Address;
  /** The last known sum of an account with a node. */
  readonly billed: (node: Address, account: Hex32) => Promise<bigint>;
}

/** Runs that nobody pays for: their prices are zero, or what they come to is only counted. */
export class FreePayments implements Payments {
  readonly #o: FreePaymentsOptions;
  readonly #open = new OpenAmounts();

  constructor(options: FreePaymentsOptions) {
    this.#o = options;
  }

  readonly candidates = async (_: Job, candidates: readonly Candidate[]): Promise<readonly Candidate[]> => candidates;

  readonly begin = async (job: Job, { node, prices }: Candidate): Promise<RunPayment> => {
    const { modelId } = job.model;
    const { payer, billed } = this.#o;
    // a candidate serves the model, so its registry entry has a price for it
    const price = prices.find((one) => one.modelId === modelId)!;
    const channel = ZERO_HEX32;
    const account = accountKey({ node, payer, modelId, asset: price.asset, channel });
    const maximum = maximumAmount({ promptTokens: job.promptIds.length, maxTokens: job.maxTokens }, price);
    const limit = (await billed(node, account)) + this.#open.of(account) + maximum * BigInt(1 + limits.parallelRuns);
    const { settle } = this.#open.add(account, maximum);
    return runPayment(
      { channel, cumulativeLimit: String(limit) },
      {
        charged: async () => {
          settle();
          return undefined;
        },
        // what comes of a run without a receipt nobody knows, so `lost` leaves it open
        released: async () => settle(),
      },
    );
  };
}
