import { type Hex32, addressOfKey } from '@commonweight/protocol';
import { checkDeployments } from '../check-chain.ts';
import { type Deployments } from '../deployments.ts';
import { installDevContracts } from '../dev-contracts.ts';
import { ChainError } from '../errors.ts';
import { connectRpc } from '../rpc.ts';
import { type DeployProgress, deployContracts } from './deploy-contracts.ts';
import { devGenesis, devParameters } from './dev-genesis.ts';
import { deploymentDigest } from './digest.ts';

export interface DevDeployOptions {
  readonly rpcUrl: string;
  readonly chainId: number;
  /** Of the chain's dev account, which holds all votes. */
  readonly privateKey: Hex32;
  /** Of an earlier run: when they are still right and there, nothing is computed or sent. */
  readonly known?: Deployments | undefined;
  readonly onProgress?: (progress: DeployProgress) => void;
}

/** Of this program's code and the terms of a development network; whose votes they are is not in it. */
export const devDeploymentDigest: Hex32 = deploymentDigest({ ...devParameters, assets: [] });

/** Whether a data folder's contracts are those of this program. */
export const isCurrentDevDeployment = ({ digest }: Deployments): boolean => digest === devDeploymentDigest;

/** A token of stake for a dollar of revenue: 1e18 units for 1e6, in units for 1e18. */
const STAKE_PER_DOLLAR = 10n ** 30n;

/** Deploys everything that a development network has: what a real chain has already, money to pay with, and a network that accepts it. */
export async function deployDevNetwork({ known, onProgress, ...chain }: DevDeployOptions): Promise<Deployments> {
  if (known !== undefined && isCurrentDevDeployment(known) && (await isThere(known, chain))) return known;
  const { testDollar } = await installDevContracts(chain);
  const assets = [{ name: 'Test Dollar', chainId: chain.chainId, asset: testDollar, ratio: STAKE_PER_DOLLAR }];
  const genesis = devGenesis(addressOfKey(chain.privateKey), assets);
  const deployments = await deployContracts({ ...chain, genesis, ...(onProgress && { onProgress }) });
  return { ...deployments, digest: devDeploymentDigest, testDollar };
}

async function isThere(known: Deployments, { rpcUrl, chainId }: Pick<DevDeployOptions, 'rpcUrl' | 'chainId'>): Promise<boolean> {
  try {
    await checkDeployments(connectRpc(rpcUrl, chainId), known);
    return true;
  } catch (error) {
    if (error instanceof ChainError && error.code === 'wrong_chain') return false;
    throw error;
  }
}
