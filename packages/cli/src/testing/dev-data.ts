import { type Deployments, type DevChain, deployDevNetwork, startDevChain, writeDeployments } from '@commonweight/chain';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { layout } from '../dev/layout.ts';
import { writeNetworkFile } from '../dev/network-file.ts';
import { main } from '../main.ts';

/** What a command printed, and its exit code. */
export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  /** The events of `--json`. */
  readonly events: Readonly<Record<string, unknown>>[];
}

export async function run(...argv: string[]): Promise<Ran> {
  let out = '';
  let err = '';
  const code = await main(argv, { out: (text) => void (out += text), err: (text) => void (err += text), terminal: false });
  const events = out
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { code, out, err, events };
}

/** A data folder whose chain and contracts run, as `commonweight dev` leaves them, without nodes. */
export interface DevData extends AsyncDisposable {
  readonly data: string;
  readonly chain: DevChain;
  readonly deployments: Deployments;
  /** Runs a command on this folder, with `--json`. */
  readonly run: (...argv: string[]) => Promise<Ran>;
}

export async function startDevData(): Promise<DevData> {
  const data = await mkdtemp(join(tmpdir(), 'commonweight-cli-'));
  const folders = layout(data);
  const chain = await startDevChain({ dataDir: folders.chain });
  const { rpcUrl, chainId, devAccount } = chain;
  const deployments = await deployDevNetwork({ rpcUrl, chainId, privateKey: devAccount.privateKey });
  await writeDeployments(folders.deployments, deployments);
  writeNetworkFile(folders.network, { rpcUrl, chainId, gatewayUrl: 'http://127.0.0.1:1/v1', payer: devAccount.address });
  return {
    data,
    chain,
    deployments,
    run: (...argv) => run(...argv, '--data', data, '--json'),
    [Symbol.asyncDispose]: async () => {
      await chain.stop();
      await rm(data, { recursive: true, force: true });
    },
  };
}
