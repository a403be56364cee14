import { type Executor, checkWeights, createWasmExecutor, generateSteps, selfTest } from '@commonweight/engine';
import { loadEngineWasm } from '@commonweight/engine/node';
import { openPackage } from '@commonweight/models';
import { CommonweightError } from '@commonweight/protocol';
import { parentPort, workerData } from 'node:worker_threads';
import { nativeSha256 } from '../platform/sha256.ts';
import type { EngineResult } from './engine-host.ts';
import type { EngineCommand, EngineFailure, EngineMessage, EngineThreadData } from './engine-messages.ts';

/** The program of an engine thread: opens one package, checks engine and weights, then runs jobs one after the other. */
const port = parentPort!;
const { packageDir, stopFlag } = workerData as EngineThreadData;
const stopJob = new Int32Array(stopFlag);

const send = (message: EngineMessage): void => port.postMessage(message);
// a failure whose message might quote input goes to the log of the process that owns the thread as a crash, not to a client
const failure = (error: unknown): EngineFailure => {
  if (!(error instanceof CommonweightError)) throw error;
  return { code: error.code, message: error.message, action: error.action };
};

async function open(): Promise<Executor> {
  const module = loadEngineWasm();
  selfTest((manifest, weights) => createWasmExecutor(manifest, weights, module), nativeSha256);
  const model = await openPackage(packageDir);
  try {
    const executor = createWasmExecutor(model.manifest, model.weights(), module);
    checkWeights(executor);
    send({ type: 'ready', manifest: model.manifest, modelId: model.modelId });
    return executor;
  } finally {
    await model.close();
  }
}

function run(executor: Executor, { job, input }: EngineCommand): EngineResult {
  const steps = generateSteps({ ...input, executor, sha256: nativeSha256, shouldStop: () => Atomics.load(stopJob, 0) === job });
  for (;;) {
    const { done, value } = steps.next();
    if (done) return { completionIds: value.completionIds, finish: value.finish, digests: value.commitment.bytes() };
    send({ ...value, job });
  }
}

try {
  const executor = await open();
  port.on('message', (command: EngineCommand) => {
    try {
      send({ type: 'done', job: command.job, result: run(executor, command) });
    } catch (error) {
      send({ type: 'failed', job: command.job, ...failure(error) });
    }
  });
} catch (error) {
  send({ type: 'refused', ...failure(error) });
}
