import { type Address, type Hex32 } from '@commonweight/protocol';
import { type ContractName, type Deployments } from '../deployments.ts';
import { connectRpc } from '../rpc.ts';
import { Submitter } from '../submitter.ts';
import { checkPowers } from './check-powers.ts';
import { CREATE2_FACTORY } from './create2.ts';
import { deploymentDigest } from './digest.ts';
import { callData } from './gas.ts';
import { type Genesis } from './genesis.ts';
import { planDeployment } from './plan.ts';
import { type PreparedDeployment, prepareDeployment, requireFunds } from './prepare.ts';
import { startBlockOf } from './start-block.ts';
import { verifyCode } from './verify-code.ts';

export type DeployProgress =
  /** Before the first transaction. */
  | { readonly type: 'prepared'; readonly prepared: PreparedDeployment }
  | {
      readonly type: 'created';
      readonly name: ContractName;
      readonly address: Address;
      readonly gasUsed: bigint;
      readonly transaction: string;
      readonly done: number;
      readonly total: number;
    }
  /** Every contract has our code, and no address from outside a power over them. */
  | { readonly type: 'verified'; readonly contracts: number; readonly powers: number };

export interface DeployOptions {
  readonly rpcUrl: string;
  readonly chainId: number;
  /** Pays the gas and gets no rights: the contracts have no administrator. */
  readonly privateKey: Hex32;
  readonly genesis: Genesis;
  /** May throw to stop: a later call goes on where this one ended. */
  readonly onProgress?: (progress: DeployProgress) => void;
}

/** Addresses of our contracts on a chain: they follow from code and terms alone. */
export const deploymentAddresses = (genesis: Genesis, chainId: number) => planDeployment(genesis, chainId).addresses;

/**
 * Deploys what is missing, with CREATE2; no transaction for what is there, so it can be called again after a failure at any step.
 * In the end the code at every address is compared with the compiler's, and every power is listed.
 */
export async function deployContracts({
  rpcUrl,
  chainId,
  privateKey,
  genesis,
  onProgress = () => undefined,
}: DeployOptions): Promise<Deployments> {
  const rpc = connectRpc(rpcUrl, chainId);
  const block = await rpc.call({ what: 'block number' }, (c) => c.getBlockNumber());
  // somebody waits at a terminal, and can go on later: a node that does not answer is told at once
  const submitter = new Submitter({ rpc, privateKey, unreachableWait: 0 });
  const prepared = await prepareDeployment(rpc, submitter.account.address, genesis);
  const { plan, missing } = prepared;
  requireFunds(prepared);
  onProgress({ type: 'prepared', prepared });
  for (const [i, step] of missing.entries()) {
    const receipt = await submitter.send({ to: CREATE2_FACTORY, data: callData(step) }).catch(async (error: unknown) => {
      // a transaction of an earlier call, whose answer was lost, may have been mined just now
      if (!(await rpc.hasCode(step.address))) throw error;
      return undefined;
    });
    if (receipt === undefined) continue;
    onProgress({
      type: 'created',
      name: step.name,
      address: step.address,
      gasUsed: receipt.gasUsed,
      transaction: receipt.transactionHash,
      done: i + 1,
      total: missing.length,
    });
  }
  await verifyCode(rpc, plan.contracts);
  const isFresh = missing.some(({ name }) => name === 'token');
  const startBlock = isFresh ? Number(block) : await startBlockOf(rpc, plan.addresses.token);
  const deployments = { chainId, startBlock, digest: deploymentDigest(genesis), ...plan.addresses };
  const powers = await checkPowers(rpc, deployments);
  onProgress({ type: 'verified', contracts: plan.contracts.length, powers: powers.length });
  return deployments;
}
