import { join } from 'node:path';
import { settlementClient, testDollarAbi } from '@commonweight/chain';
import { type Address, type ModelId, modelIdOf } from '@commonweight/protocol';
import type { WorkerConfig, WorkerConfigInput } from '../../packages/node/src/worker/config.ts';
import { type DevNetwork, startDevNetwork } from '../../packages/node/src/worker/testing/dev-network.ts';
import { writeTinyPackage } from '../../packages/node/src/worker/testing/tiny-package.ts';

/** A thousandth of a dollar for a prompt token, two for a completion token. */
export const PRICES = { promptPrice: '1000000000', completionPrice: '2000000000' } as const;

export interface BenchNetwork {
  readonly network: DevNetwork;
  readonly modelId: ModelId;
  readonly worker: (name: string, change?: Partial<WorkerConfigInput>) => Promise<WorkerConfig>;
  readonly splitterOf: (node: Address) => Promise<Address>;
  /** Test dollars that ever arrived at an address, in millionths. */
  readonly received: (address: Address) => Promise<bigint>;
}

/** A development chain with everything on it, a tiny random model, and workers that sell it. */
export async function startBenchNetwork(): Promise<BenchNetwork> {
  const network = await startDevNetwork();
  const { chain } = network;
  const asset = chain.deployments.testDollar!;
  const folder = join(network.folder, 'model');
  const modelId = modelIdOf((await writeTinyPackage(folder)).manifest);
  const settlement = settlementClient(chain.rpc, chain.deployments.settlement);
  return {
    network,
    modelId,
    worker: (name) => network.worker(name, [folder], { ...PRICES, asset, queueLimit: 256, payments: { claimIntervalMs: 100 } }),
    splitterOf: (node) => settlement.splitterOf(node, modelId),
    received: async (to) => {
      const logs = await chain.rpc.call({ what: 'transfers' }, (client) =>
        client.getContractEvents({ address: asset, abi: testDollarAbi, eventName: 'Transfer', args: { to }, fromBlock: 0n, strict: true }),
      );
      return logs.reduce((sum, { args }) => sum + args.value, 0n);
    },
  };
}
