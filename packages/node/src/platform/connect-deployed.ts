import { type Chain, connectChain, readDeployments } from '@commonweight/chain';
import { CommonweightError, type Hex32 } from '@commonweight/protocol';
import { chainConnectLimits } from '../limits.ts';
import type { Clock } from './clock.ts';

export interface DeployedChain {
  readonly rpcUrl: string;
  readonly deploymentsFile: string;
}

/**
 * Connects to the chain of a configuration. A chain that cannot be reached is waited for, bounded: a node and its chain are often started
 * together. Throws a CommonweightError: `no_deployments`, or that of the last attempt.
 */
export async function connectDeployed(
  { rpcUrl, deploymentsFile }: DeployedChain,
  clock: Clock,
  signal: AbortSignal | undefined,
  privateKey?: Hex32,
): Promise<Chain> {
  const deployments = await readDeployments(deploymentsFile);
  if (!deployments) {
    throw new CommonweightError(`${deploymentsFile}: expected the addresses of the contracts, got no file; deploy them first`, {
      code: 'no_deployments',
      action: 'stop',
    });
  }
  const end = clock.now() + chainConnectLimits.waitMs;
  for (;;) {
    signal?.throwIfAborted();
    try {
      return await connectChain({ rpcUrl, chainId: deployments.chainId, deployments, ...(privateKey && { privateKey }) });
    } catch (error) {
      const unreachable = error instanceof CommonweightError && error.code === 'chain_unreachable';
      if (!unreachable || clock.now() >= end) throw error;
      await clock.sleep(chainConnectLimits.pollMs, signal ?? new AbortController().signal);
    }
  }
}
