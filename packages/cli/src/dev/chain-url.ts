import { isCurrentDevDeployment, readDeployments } from '@commonweight/chain';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { limits } from '../limits.ts';
import type { Layout } from './layout.ts';

const fileOf = (layout: Layout): string => join(layout.chain, 'rpc-url');

/** Remembers where the chain answers: it asks for the same port at the next start. */
export const writeChainUrl = (layout: Layout, rpcUrl: string): void => writeFileSync(fileOf(layout), `${rpcUrl}\n`, { mode: 0o600 });

/**
 * Where the chain of this data folder will most likely answer; undefined before the first complete start, and when its contracts are not those of this program.
 * A guess: whoever uses it compares.
 */
export async function expectedRpcUrl(layout: Layout): Promise<string | undefined> {
  const size = statSync(fileOf(layout), { throwIfNoEntry: false })?.size;
  if (size === undefined || size > limits.stateBytes) return undefined;
  const url = readFileSync(fileOf(layout), 'utf8').trim();
  if (!/^http:\/\/127\.0\.0\.1:\d{1,5}$/u.test(url)) return undefined;
  const deployed = await readDeployments(layout.deployments);
  return deployed !== undefined && isCurrentDevDeployment(deployed) ? url : undefined;
}
