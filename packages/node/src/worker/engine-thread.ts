import { setImmediate } from 'node:timers';
import {
  type BatchEvent,
  BatchScheduler,
  type Executor,
  PrefixCache,
  type TokenVocabulary,
  checkWeights,
  tokenVocabulary,
} from '@commonweight/engine';
import { openBestBackend } from '@commonweight/engine/node';
import { openPackage, tokenBytes } from '@commonweight/models';
import { CommonweightError, type ModelId } from '@commonweight/protocol';
import { parentPort, workerData } from 'node:worker_threads';
import { nativeSha256 } from '../platform/sha256.ts';
import { type ErrorOrigin, describeError } from './describe-error.ts';
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

const failedBy = (error: unknown): EngineFailure & { readonly origin?: ErrorOrigin } => ({
  ...failure(error),
  ...(error instanceof CommonweightError && error.cause !== undefined && { origin: describeError(error.cause) }),
});

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
  const vocabulary = vocabularyOf(modelId);
  const take = async (command: EngineCommand): Promise<void> => {
    try {
      if (command.type === 'stop') scheduler.stop(command.job);
      else if (command.input.sampler.grammar) scheduler.add(command.job, { ...command.input, vocabulary: await vocabulary() });
      else scheduler.add(command.job, command.input);
    } catch (error) {
      send({ type: 'failed', job: command.job, ...failedBy(error) });
    }
    if (turning) return;
    turning = true;
    setImmediate(turn);
  };
  // one after the other: a stop must not overtake the run that it is for
  let taken = Promise.resolve();
  port.on('message', (command: EngineCommand) => {
    taken = taken.then(() => take(command));
  });
  send({ type: 'ready', manifest: executor.manifest, modelId, backend, prefixCache: prefixCache.stats });
}

/** The bytes of the model's tokens, read when the first grammar comes: no other run needs them. */
function vocabularyOf(modelId: ModelId): () => Promise<TokenVocabulary> {
  let vocabulary: Promise<TokenVocabulary> | undefined;
  const load = async (): Promise<TokenVocabulary> => {
    const model = await openPackage(packageDir, modelId);
    try {
      const tokenizer = model.tokenizer();
      return tokenVocabulary(model.manifest.graph.vocabulary, (id) => tokenBytes(tokenizer, id));
    } finally {
      await model.close();
    }
  };
  return () => {
    // a failure is of one run, not of the thread, and not of the runs that come later
    vocabulary ??= load().catch((cause: unknown) => {
      vocabulary = undefined;
      if (cause instanceof CommonweightError) throw cause;
      throw new CommonweightError("the bytes of the model's tokens could not be read", { code: 'vocabulary', action: 'retry', cause });
    });
    return vocabulary;
  };
}

function messageOf(event: BatchEvent<number>, prefixCache: PrefixCache): JobMessage {
  const { run: job, ...rest } = event;
  if (rest.type === 'done') {
    const { completionIds, finish, commitment } = rest.result;
    return { type: 'done', job, result: { completionIds, finish, digests: commitment.bytes() }, prefixCache: prefixCache.stats };
  }
  if (rest.type === 'failed') {
    return { type: 'failed', job, ...failedBy(rest.error) };
  }
  return { ...rest, job };
}

try {
  serve(await open());
} catch (error) {
  send({ type: 'refused', ...failure(error) });
}
