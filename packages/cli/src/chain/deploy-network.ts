import {
  type DeployProgress,
  ETHER,
  type PreparedDeployment,
  connectRpc,
  deployContracts,
  formatAmount,
  prepareDeployment,
  readGenesis,
  writeDeployments,
} from '@commonweight/chain';
import { readKeyFile } from '@commonweight/node';
import { addressOfKey } from '@commonweight/protocol';
import type { Output } from '../output.ts';
import { UsageError } from '../fault.ts';
import { askChainId } from './target.ts';

export interface DeployNetworkOptions {
  readonly rpcUrl: string;
  readonly keyFile: string;
  readonly genesis: string;
  readonly out: string;
  readonly chainId: number | undefined;
  readonly dryRun: boolean;
}

/** Deploys what is missing, or says what would be. Writes the addresses when all is done. */
export async function deployNetwork(options: DeployNetworkOptions, output: Output): Promise<void> {
  const { rpcUrl } = options;
  const [privateKey, genesis, chainId] = await Promise.all([
    readKeyFile(options.keyFile),
    readGenesis(options.genesis),
    askChainId(rpcUrl),
  ]);
  if (options.chainId !== undefined && options.chainId !== chainId)
    throw new UsageError(`${rpcUrl} serves chain ${chainId}, expected ${options.chainId}: check --rpc-url and --chain-id.`);
  if (options.dryRun) {
    report(await prepareDeployment(connectRpc(rpcUrl, chainId), addressOfKey(privateKey), genesis), output);
    output.note('nothing was sent (--dry-run)');
    return;
  }
  const deployments = await deployContracts({ rpcUrl, chainId, privateKey, genesis, onProgress: (progress) => tell(progress, output) });
  await writeDeployments(options.out, deployments);
  output.event('deployed', { ...deployments, file: options.out });
  output.print(`deployed on chain ${chainId}; addresses in ${options.out}`);
}

function tell(progress: DeployProgress, output: Output): void {
  if (progress.type === 'prepared') return report(progress.prepared, output);
  if (progress.type === 'created') {
    const { name, address, gasUsed, transaction, done, total } = progress;
    output.event('created', { name, address, gasUsed: String(gasUsed), transaction, done, total });
    output.print(`${String(done).padStart(2)} of ${total}  ${name.padEnd(14)}  ${address}  ${gasUsed} gas`);
    return;
  }
  const { contracts, powers } = progress;
  output.event('verified', { contracts, powers });
  output.print(`checked: the code of ${contracts} contracts; ${powers} powers, none of them held from outside`);
}

function report({ plan, missing, gas, totalGas, maxFeePerGas, cost, balance, account }: PreparedDeployment, output: Output): void {
  output.event('plan', {
    addresses: plan.addresses,
    missing: missing.map(({ name, address }) => ({ name, address, gas: String(gas[name]) })),
    gas: String(totalGas),
    maxFeePerGas: String(maxFeePerGas),
    cost: String(cost),
    balance: String(balance),
    account,
  });
  for (const { name, address } of plan.contracts) {
    const own = plan.steps.some((step) => step.name === name);
    const estimate = gas[name] === undefined ? (own ? 'there already' : 'made by another one') : `${gas[name]} gas`;
    output.print(`${name.padEnd(14)}  ${address}  ${estimate}`);
  }
  output.print(
    missing.length === 0
      ? 'nothing to send'
      : `${missing.length} transactions, ${totalGas} gas, up to ${formatAmount(cost, ETHER)} ether; ${account} holds ${formatAmount(balance, ETHER)}`,
  );
}
