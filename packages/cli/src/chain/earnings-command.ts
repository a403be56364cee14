import { connectChain, connectStaking, formatAmount, settlementClient } from '@commonweight/chain';
import type { Earning, EarningState } from '@commonweight/node/earnings';
import type { Output } from '../output.ts';
import { type TargetOptions, askChainId, findTarget, foldersOf } from './target.ts';

/** Places of the assets that are shown: dollars have six. */
const DECIMALS = 6;
const states: readonly EarningState[] = ['paid', 'pending', 'unpaid'];

/** Prints a node's earnings; with `why`, run by run. */
export async function showEarnings(
  options: TargetOptions & { readonly nodeData?: string; readonly why?: true },
  output: Output,
): Promise<void> {
  const target = await findTarget(options);
  const chain = await connectChain({ ...target, chainId: await askChainId(target.rpcUrl) });
  const settlement = settlementClient(chain.rpc, chain.deployments.settlement);
  const staking = await connectStaking(target);
  const { readEarnings } = await import('@commonweight/node/earnings');
  const earnings = await readEarnings(options.nodeData ?? foldersOf(options).node(1), {
    coveredOf: (receipt) => settlement.coveredOf(receipt),
    releasable: async (node, modelId, asset) => settlement.releasable(await settlement.splitterOf(node, modelId), asset),
    freeStake: async (node) => (await staking.operator(node)).free,
  });
  if (options.why) for (const earning of earnings) showOne(earning, output);
  for (const state of states) {
    const some = earnings.filter((earning) => earning.state === state);
    const amount = some.reduce((sum, earning) => sum + earning.amount, 0n);
    output.event('total', { state, runs: some.length, amount: String(amount) });
    output.print(`${state.padEnd(8)} ${formatAmount(amount, DECIMALS).padStart(14)}  ${some.length} runs`);
  }
}

function showOne({ requestHash, scheme, amount, at, state, why, payer, modelId, asset }: Earning, output: Output): void {
  output.event('run', { requestHash, at, modelId, payer, scheme, asset, amount: String(amount), state, why });
  const time = new Date(at * 1000).toISOString().slice(0, 19);
  output.print(
    `${time}  ${requestHash.slice(0, 12)}  ${scheme.padEnd(16)} ${formatAmount(amount, DECIMALS).padStart(12)}  ${state}: ${why}`,
  );
}
