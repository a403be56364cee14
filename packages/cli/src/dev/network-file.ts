import { type Address, Fields } from '@commonweight/protocol';
import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { UsageError } from '../fault.ts';
import { limits } from '../limits.ts';

/** What a running `commonweight dev` tells `verify` on the same machine: the chain that the user himself started and trusts. */
export interface NetworkFile {
  readonly rpcUrl: string;
  readonly chainId: number;
  readonly gatewayUrl: string;
  readonly payer: Address;
}

export function writeNetworkFile(path: string, network: NetworkFile): void {
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, `${JSON.stringify(network, undefined, 2)}\n`, { mode: 0o600 });
  renameSync(temporary, path);
}

export const removeNetworkFile = (path: string): void => rmSync(path, { force: true });

/** The network of this data folder, or undefined when none runs; what a SIGKILL left behind points at a chain that does not answer. */
export function readNetworkFile(path: string): NetworkFile | undefined {
  const size = statSync(path, { throwIfNoEntry: false })?.size;
  if (size === undefined) return undefined;
  if (size > limits.stateBytes) throw new UsageError(`${path} is damaged (${size} bytes): remove it and start the network again.`);
  const f = new Fields(JSON.parse(readFileSync(path, 'utf8')), path, ['rpcUrl', 'chainId', 'gatewayUrl', 'payer']);
  return {
    rpcUrl: f.string('rpcUrl', 256, /^http:\/\/(?:127\.0\.0\.1|localhost|\[::1\]):\d+\/?$/u),
    chainId: f.integer('chainId', 1, Number.MAX_SAFE_INTEGER),
    gatewayUrl: f.string('gatewayUrl', 256),
    payer: f.address('payer'),
  };
}
