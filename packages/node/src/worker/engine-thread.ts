import { setImmediate } from 'node:timers';
import { type BatchEvent, BatchScheduler, type Executor, PrefixCache, checkWeights } from '@commonweight/engine';
import { openBestBackend } from '@commonweight/engine/node';
import { openPackage } from '@commonweight/models';
import { CommonweightError, type ModelId } from '@commonweight/protocol';
import { parentPort, workerData } from 'node:worker_threads';
import { nativeSha256 } from '../platform/sha256.ts';
import { describeError } from './describe-error.ts';
import type { EngineBackend, EngineCommand, EngineFailure, EngineMessage, EngineThreadData, JobMessage } from './engine-messages.ts';

/** The program of an engine thread: opens one package, checks engine and weights, then runs the jobs that come, several at a time. */
const port = parentPort!;
const { packageDir, settings } = workerData as EngineThreadData;

const send = (message: EngineMessage): void => port.postMessage(message);
// a failure whose message might quote input goes to the log of the process that owns the thread as a crash, not to a client
const failure = (error: unknown): EngineFailure => {
  if (!(error instanceof CommonweightError)) throw error;
  return { code: error.code, message: error.message, action: error.action };
};

interface Opened {
  readonly executor: Executor;
  readonly modelId: ModelId;
  readonly backend: EngineBackend;
}

async function open(): Promise<Opened> {
  const { create, reason } = openBestBackend({ choice: settings.backend, threads: settings.threads, sha256: nativeSha256 });
  const model = await openPackage(packageDir);
  try {
    const executor = create(model.manifest, model.weights());
    checkWeights(executor);
    return { executor, modelId: model.modelId, backend: { name: executor.backend, ...(reason !== undefined && { reason }) } };
  } finally {
    await model.close();
  }
}

function serve({ executor, modelId, backend }: Opened): void {
  const { slots, kvBytes, prefixCacheBytes } = settings;
  const prefixCache = new PrefixCache({ executor, bytes: prefixCacheBytes });
  const scheduler = new BatchScheduler<number>({ executor, slots, kvBytes, prefixCache, sha256: nativeSha256 });
  const told = (event: BatchEvent<number>): JobMessage => messageOf(event, prefixCache);
  let turning = false;
  // a turn of the event loop between two steps: commands are read there
  const turn = (): void => {
    for (const event of scheduler.step()) send(told(event));
    turning = !scheduler.idle;
    if (turning) setImmediate(turn);
  };
  port.on('message', (command: EngineCommand) => {
    try {
      if (command.type === 'run') scheduler.add(command.job, command.input);
      else scheduler.stop(command.job);
    } catch (error) {
      send({ type: 'failed', job: command.job, ...failure(error) });
    }
    if (turning) return;
    turning = true;
    setImmediate(turn);
  });
  send({ type: 'ready', manifest: executor.manifest, modelId, backend, prefixCache: prefixCache.stats });
}

function messageOf(event: BatchEvent<number>, prefixCache: PrefixCache): JobMessage {
  const { run: job, ...rest } = event;
  if (rest.type === 'done') {
    const { completionIds, finish, commitment } = rest.result;
    return { type: 'done', job, result: { completionIds, finish, digests: commitment.bytes() }, prefixCache: prefixCache.stats };
  }
  if (rest.type === 'failed') {
    const { error } = rest;
    return { type: 'failed', job, ...failure(error), ...(error.cause !== undefined && { origin: describeError(error.cause) }) };
  }
  return { ...rest, job };
}

try {
  serve(await open());
} catch (error) {
  send({ type: 'refused', ...failure(error) });
}
