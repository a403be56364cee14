import { type Deployments, connectRpc, readDeployments } from '@commonweight/chain';
import type { Command } from 'commander';
import { layout } from '../dev/layout.ts';
import { readNetworkFile } from '../dev/network-file.ts';
import { UsageError } from '../fault.ts';
import { defaultDataFolder } from '../platform/data-folder.ts';

/** Which network a command speaks to. */
export interface TargetOptions {
  readonly rpcUrl?: string;
  readonly deployments?: string;
  readonly data?: string;
}

export const withTargetOptions = (command: Command): Command =>
  command
    .option('--rpc-url <url>', 'JSON-RPC URL of the chain (default: the running network of the data folder)')
    .option('--deployments <file>', "addresses of the contracts (default: the data folder's deployments.json)")
    .option('--data <dir>', "data folder (default: the user's)");

export interface Target {
  readonly rpcUrl: string;
  readonly deployments: Deployments;
}

export const foldersOf = ({ data }: TargetOptions) => layout(data ?? defaultDataFolder());

/** RPC URL and addresses, from the options or from the network that runs on the data folder. */
export async function findTarget(options: TargetOptions): Promise<Target> {
  const rpcUrl = findRpcUrl(options);
  const path = options.deployments ?? foldersOf(options).deployments;
  const deployments = await readDeployments(path);
  if (deployments === undefined)
    throw new UsageError(
      `${path} is not there: expected the addresses of the contracts (--deployments), as commonweight deploy writes them.`,
    );
  return { rpcUrl, deployments };
}

function findRpcUrl(options: TargetOptions): string {
  const folders = foldersOf(options);
  const rpcUrl = options.rpcUrl ?? readNetworkFile(folders.network)?.rpcUrl;
  if (rpcUrl === undefined) throw new UsageError(`no network runs on ${folders.data}: start it, or name a chain with --rpc-url.`);
  return rpcUrl;
}

/** The chain that an RPC URL serves, when nobody has said which one it should be. */
export async function askChainId(rpcUrl: string): Promise<number> {
  // the id of the connection is for signing only; this one signs nothing
  return connectRpc(rpcUrl, 1).call({ what: 'chain id' }, (client) => client.getChainId());
}
