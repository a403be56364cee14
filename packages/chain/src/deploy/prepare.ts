import { type Address } from '@commonweight/protocol';
import { checkChainId } from '../check-chain.ts';
import { type ContractName } from '../deployments.ts';
import { ChainError } from '../errors.ts';
import { type Rpc } from '../rpc.ts';
import { formatAmount, ETHER } from '../units.ts';
import { estimateGas } from './gas.ts';
import { type Genesis } from './genesis.ts';
import { type Plan, type Step, planDeployment } from './plan.ts';
import { requireFactory } from './verify-code.ts';

/** What a deployment would send, and what that costs at most at the fees of this moment. */
export interface PreparedDeployment {
  readonly plan: Plan;
  readonly missing: readonly Step[];
  readonly gas: Readonly<Partial<Record<ContractName, bigint>>>;
  readonly totalGas: bigint;
  readonly maxFeePerGas: bigint;
  /** Wei. */
  readonly cost: bigint;
  readonly balance: bigint;
  readonly account: Address;
}

/** Looks at the chain and computes everything; sends nothing. */
export async function prepareDeployment(rpc: Rpc, account: Address, genesis: Genesis): Promise<PreparedDeployment> {
  await checkChainId(rpc);
  const plan = planDeployment(genesis, rpc.chain.id);
  await requireFactory(rpc);
  const present = await Promise.all(plan.steps.map(({ address }) => rpc.hasCode(address)));
  const missing = plan.steps.filter((_, i) => !present[i]);
  const [gas, fees, balance] = await Promise.all([
    Promise.all(missing.map((step) => estimateGas(rpc, account, step, plan))),
    rpc.call({ what: 'fees' }, (c) => c.estimateFeesPerGas()),
    rpc.balance(account),
  ]);
  const totalGas = gas.reduce((sum, one) => sum + one, 0n);
  return {
    plan,
    missing,
    gas: Object.fromEntries(missing.map(({ name }, i) => [name, gas[i]!])),
    totalGas,
    maxFeePerGas: fees.maxFeePerGas,
    cost: totalGas * fees.maxFeePerGas,
    balance,
    account,
  };
}

/** Throws `insufficient_funds` unless the account can pay for all that is missing: half a network is of no use to anybody. */
export function requireFunds({ cost, balance, account, missing }: PreparedDeployment): void {
  if (balance >= cost) return;
  const ether = (wei: bigint): string => formatAmount(wei, ETHER);
  throw new ChainError(
    'insufficient_funds',
    `${missing.length} contracts cost up to ${ether(cost)} ether of gas, ${account} holds ${ether(balance)}; send it ${ether(cost - balance)} more`,
    { details: { cost: String(cost), balance: String(balance), account } },
  );
}
