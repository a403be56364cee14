import { appendFileSync } from 'node:fs';
import type { BackendChoice } from '@commonweight/engine/node';
import type { Context } from '../context.ts';
import { type ExitCode, exitCode } from '../exit-code.ts';
import type { Output } from '../output.ts';
import { now } from '../platform/clock.ts';
import { watchParent } from '../platform/parent-watch.ts';
import { aborted, listenForStop } from '../platform/stop-signals.ts';
import { announce } from './announce.ts';
import { lockDataFolder } from './instance-lock.ts';
import { layout } from './layout.ts';
import { prepareLog } from './log-file.ts';
import { removeNetworkFile, writeNetworkFile } from './network-file.ts';
import { DevNetwork } from './network.ts';
import { requireFreePort } from './port.ts';
import { prepareModel } from './prepare-model.ts';

export interface DevOptions {
  readonly data: string;
  readonly otherData: boolean;
  readonly port: number;
  readonly nodes: number;
  readonly modelPath: string | undefined;
  readonly liar: boolean;
  readonly backend: BackendChoice;
  readonly threads: number;
  readonly withParent: boolean;
  readonly output: Output;
  readonly context: Context;
}

/** Starts the network, says `ready`, and ends everything when asked to or when a part breaks down for good. */
export async function runDev(options: DevOptions): Promise<ExitCode> {
  const { output, context } = options;
  const started = now();
  const folders = layout(options.data);
  context.logFile = prepareLog(folders.logs, 'dev');
  using stop = listenForStop();
  await using _lock = await lockDataFolder(options.data);
  await requireFreePort('127.0.0.1', options.port);

  const controller = new AbortController();
  using _parent = options.withParent ? watchParent(() => controller.abort()) : undefined;
  const signal = AbortSignal.any([stop.signal, controller.signal]);
  let network: DevNetwork | undefined;
  stop.onSecond = () => {
    network?.kill();
    process.exit(130);
  };
  try {
    const model = await prepareModel({ path: options.modelPath, layout: folders, output, signal });
    network = new DevNetwork({ ...options, layout: folders, model, log: logTo(context) });
    await network.start(signal);
    const url = `${network.gatewayUrl}/v1`;
    const { rpcUrl, chainId } = network.chain;
    writeNetworkFile(folders.network, { rpcUrl, chainId, gatewayUrl: url, payer: network.payer });
    announce(output, {
      url,
      model,
      nodes: network.nodes,
      ...(network.liar !== undefined && { liar: network.liar }),
      payer: network.payer,
      data: options.data,
      logs: folders.logs,
      seconds: Math.round((now() - started) / 100) / 10,
      otherData: options.otherData,
    });
    const reason = await Promise.race([aborted(signal), network.failed]);
    if (reason === undefined) return exitCode.ok;
    output.event('error', { code: reason.code, message: reason.message });
    context.streams.err(`${reason.message}\n`);
    return exitCode.failed;
  } catch (error) {
    if (signal.aborted) return exitCode.ok;
    throw error;
  } finally {
    output.event('stopping');
    if (network !== undefined) output.note('stopping (Ctrl-C once more ends everything at once)');
    removeNetworkFile(folders.network);
    await network?.stop();
    output.event('stopped');
  }
}

const logTo = (context: Context) => (message: string) => {
  if (context.logFile !== undefined) appendFileSync(context.logFile, `${message}\n`);
};
