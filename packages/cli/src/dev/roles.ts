import { fileURLToPath } from 'node:url';
import type { BackendChoice } from '@commonweight/engine/node';
import { type Address, CommonweightError } from '@commonweight/protocol';
import { CLAIM_INTERVAL_MS, devCaps, devPrices } from './dev-money.ts';
import type { Layout } from './layout.ts';
import { ensureKeyFile, type KeyFile } from './key-file.ts';
import { writeConfig } from './config-file.ts';
import { prepareLog } from './log-file.ts';
import type { RoleCommand } from './role-process.ts';
import { join } from 'node:path';

/** The script behind `commonweight`, for processes of our own. */
const cliScript = fileURLToPath(new URL('../../bin/commonweight.js', import.meta.url));

/** What every role of one network shares. */
export interface NetworkTerms {
  readonly layout: Layout;
  readonly rpcUrl: string;
  readonly packageDir: string;
  /** What nodes are paid in. */
  readonly asset: Address;
  readonly host: string;
  readonly backend: BackendChoice;
  readonly threads: number;
}

const chainOf = ({ rpcUrl, layout }: NetworkTerms) => ({ rpcUrl, deploymentsFile: layout.deployments });

export interface WorkerKeys {
  readonly operator: KeyFile;
  readonly session: KeyFile;
}

export function ensureWorkerKeys(layout: Layout, index: number): WorkerKeys {
  const folder = layout.node(index);
  return { operator: ensureKeyFile(join(folder, 'operator.key')), session: ensureKeyFile(join(folder, 'session.key')) };
}

export const ensurePayerKey = (layout: Layout): KeyFile => ensureKeyFile(join(layout.gateway, 'payer.key'));

export interface WorkerRole {
  readonly index: number;
  readonly keys: WorkerKeys;
  readonly port: number;
  /** Another program than `commonweight worker`: the demo's liar. */
  readonly script?: readonly string[];
}

export function workerCommand(terms: NetworkTerms, { index, keys, port, script = [cliScript, 'worker'] }: WorkerRole): RoleCommand {
  const { layout, host, packageDir, asset, backend, threads } = terms;
  const config = writeConfig(layout.node(index), {
    role: 'worker',
    dataDir: layout.node(index),
    packages: [packageDir],
    listen: { host, port },
    chain: chainOf(terms),
    operatorKeyFile: keys.operator.path,
    sessionKeyFile: keys.session.path,
    ...devPrices,
    asset,
    payments: { claimIntervalMs: CLAIM_INTERVAL_MS },
    backend,
    threads,
    queueLimit: 8,
    batchIntervalMs: 2000,
  });
  return { name: `node ${index}`, args: [...script, '--config', config], logFile: prepareLog(layout.logs, `node-${index}`) };
}

export function gatewayCommand(terms: NetworkTerms, port: number, payer: KeyFile): RoleCommand {
  const { layout, host, packageDir, asset } = terms;
  const config = writeConfig(layout.gateway, {
    role: 'gateway',
    dataDir: layout.gateway,
    packages: [packageDir],
    listen: { host, port },
    chain: chainOf(terms),
    payerKeyFile: payer.path,
    maxPromptPrice: devPrices.promptPrice,
    maxCompletionPrice: devPrices.completionPrice,
    asset,
    payments: { mode: 'wallet', ...devCaps },
    allowLoopback: true,
  });
  return { name: 'gateway', args: [cliScript, 'gateway', '--config', config], logFile: prepareLog(layout.logs, 'gateway') };
}

/** Where the demo's liar lives: a package of this repository that is never published, so it is no dependency. */
export async function liarScript(): Promise<readonly string[]> {
  const name = '@commonweight/testkit';
  try {
    const { byzantineScript } = (await import(name)) as { readonly byzantineScript: string };
    return [byzantineScript, '--strategy', 'tampered-model'];
  } catch (cause) {
    throw new CommonweightError(
      `--liar needs ${name}, which is part of the repository and not of the published package: run it in a clone.`,
      {
        code: 'no_testkit',
        cause,
      },
    );
  }
}
