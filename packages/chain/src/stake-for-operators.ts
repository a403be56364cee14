import { type Address, type Hex32 } from '@commonweight/protocol';
import { stakingAbi, tokenAbi } from './abis.gen.ts';
import { contractCaller } from './contract-caller.ts';
import { type Deployments } from './deployments.ts';
import { connectRpc } from './rpc.ts';
import { Submitter } from './submitter.ts';

export interface StakeForOptions {
  readonly rpcUrl: string;
  readonly deployments: Deployments;
  /** Gives the tokens; the stake belongs to the operators. */
  readonly privateKey: Hex32;
  readonly operators: readonly Address[];
  /** What each shall have at least, in units of 1e-18 tokens. */
  readonly amount: bigint;
}

/** Raises the own stake of operators, so that settlement can lock it for their receipts. No transaction for those who have it. */
export async function stakeForOperators({ rpcUrl, deployments, privateKey, operators, amount }: StakeForOptions): Promise<void> {
  const rpc = connectRpc(rpcUrl, deployments.chainId);
  const submitter = new Submitter({ rpc, privateKey });
  const staking = contractCaller(rpc, submitter, deployments.staking, stakingAbi);
  const stakes = await Promise.all(operators.map((operator) => staking.read('ownStakeOf', [operator])));
  const missing = operators.map((operator, i) => ({ operator, less: amount - stakes[i]! })).filter(({ less }) => less > 0n);
  if (missing.length === 0) return;
  const sum = missing.reduce((total, { less }) => total + less, 0n);
  await contractCaller(rpc, submitter, deployments.token, tokenAbi).write('approve', [deployments.staking, sum]);
  for (const { operator, less } of missing) await staking.write('stake', [operator, less]);
}
