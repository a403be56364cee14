import { join } from 'node:path';
import { type Chain, channelsClient, settlementClient, startFacilitator, tokenDomain } from '@commonweight/chain';
import { type Address, CommonweightError, type ModelId } from '@commonweight/protocol';
import type { Ledger } from '../journal/ledger.ts';
import type { Clock } from '../platform/clock.ts';
import type { WorkerConfig } from '../worker/config.ts';
import type { WorkerLog } from '../worker/log.ts';
import { Cashier } from './cashier.ts';
import { chainRail } from './chain-rail.ts';
import { checkAsset } from './check-asset.ts';
import { Claimer } from './claimer.ts';
import { Coverer } from './coverer.ts';
import { PaymentBook } from './payment-book.ts';
import type { PaymentTerms } from './terms.ts';

export interface PaymentsOptions {
  readonly config: Pick<WorkerConfig, 'dataDir' | 'asset' | 'payments'>;
  readonly node: Address;
  readonly chain: Chain;
  readonly ledger: Ledger;
  /** Models that are sold. */
  readonly models: readonly ModelId[];
  /** Under which gateways ask; known once the server listens. */
  readonly url: () => string;
  readonly clock: Clock;
  readonly log: WorkerLog;
}

/** A node's payments: who takes them, and what goes on behind. */
export interface Payments {
  readonly cashier: Cashier;
  /** Sends, claims and releases until the signal is aborted. Never rejects. */
  readonly run: (signal: AbortSignal) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Opens the books, settles what an earlier process left in the middle, and connects them to the chain. */
export async function openPayments({ config, node, chain, ledger, models, url, clock, log }: PaymentsOptions): Promise<Payments> {
  const { rpc, submitter, chainId, deployments } = chain;
  if (!submitter) throw new CommonweightError('payments need the operator key', { code: 'config', field: 'operatorKeyFile' });
  const asset = config.asset;
  const depth = config.payments.confirmations ?? (deployments.testDollar ? 1 : DEEP);
  const [{ name, version }, facilitator] = await Promise.all([
    tokenDomain(rpc, asset),
    startFacilitator({ submitter, assets: [asset], depth }),
  ]);
  const settlement = settlementClient(rpc, deployments.settlement, submitter);
  const channels = channelsClient(rpc, submitter);

  const { book, records, tornBytes } = await PaymentBook.open(join(config.dataDir, 'payments'), { node, chainId });
  const ending = new AbortController();
  try {
    if (tornBytes > 0) log.warn('journal_torn_tail', { bytes: tornBytes });
    checkAsset(book.state, asset);
    const splitters = new Map<ModelId, Address>();
    // models that were sold before are still claimed for
    for (const modelId of new Set([...models, ...book.state.models])) splitters.set(modelId, await settlement.splitterOf(node, modelId));
    const terms: PaymentTerms = {
      chainId,
      asset: { address: asset, name, version },
      facilitator: facilitator.address,
      authorizer: node,
      withdrawDelay: config.payments.withdrawDelaySeconds,
      get url() {
        return url();
      },
      payTo: (modelId) => splitters.get(modelId)!,
    };
    const rail = chainRail({ rpc, node, facilitator, channels, settlement, depth, clock, signal: ending.signal });
    const cashier = new Cashier({ terms, book, rail, clock, log });
    const recovered = await cashier.recover(ledger);
    log.info('payments_recovered', { records, ...recovered });
    const isDeep = async (block: bigint): Promise<boolean> => BigInt(await chain.blockNumber()) - block + 1n >= BigInt(depth);
    const { claimIntervalMs, claimThreshold } = config.payments;
    const schedule = { intervalMs: claimIntervalMs, threshold: BigInt(claimThreshold) };
    const coverer = new Coverer({ node, book, ledger, settlement, isDeep, log });
    const claimer = new Claimer({ book, terms, channels, settlement, coverer, isDeep, clock, log, ...schedule });
    return {
      cashier,
      run: async (signal) => {
        await Promise.all([cashier.collector.run(signal), claimer.run(signal)]);
      },
      close: async () => {
        ending.abort();
        await cashier.close();
        await book.close();
      },
    };
  } catch (error) {
    await book.close();
    throw error;
  }
}

/** Confirmations on a chain that is nobody's development chain. */
const DEEP = 12;
