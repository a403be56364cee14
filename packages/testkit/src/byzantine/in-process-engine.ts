import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Executor, type WeightsSource, createWasmExecutor, generateSteps, noPrefixes } from '@commonweight/engine';
import { loadEngineWasm, nodeSha256 } from '@commonweight/engine/node';
import { openPackage } from '@commonweight/models';
import type { EngineEvents, EngineHost, EngineJob, EngineResult, EngineStatus } from '@commonweight/node';
import type { Manifest } from '@commonweight/protocol';

/** An engine in this thread, over whatever weights `change` makes of the package's. Nobody checks them: that is the point. */
export async function openInProcess(
  packageDir: string,
  change: (manifest: Manifest, source: WeightsSource) => WeightsSource = (_, source) => source,
): Promise<EngineHost> {
  const model = await openPackage(packageDir);
  try {
    const { manifest, modelId } = model;
    const executor = createWasmExecutor(manifest, change(manifest, model.weights()), loadEngineWasm());
    const status: EngineStatus = { backend: executor.backend, prefixCache: noPrefixes };
    return {
      manifest,
      modelId,
      status: () => status,
      run: (job, events, signal) => runJob(executor, job, events, signal),
      close: async () => executor.close(),
    };
  } finally {
    await model.close();
  }
}

async function runJob(executor: Executor, job: EngineJob, events: EngineEvents, signal: AbortSignal): Promise<EngineResult> {
  const steps = generateSteps({ executor, ...job, sha256: nodeSha256, shouldStop: () => signal.aborted });
  for (;;) {
    const { done, value } = steps.next();
    if (done) return { completionIds: value.completionIds, finish: value.finish, digests: value.commitment.bytes() };
    if (value.type === 'token') events.onToken(value.index, value.id, value.logprobs);
    else events.onPrefill(value.done, value.total, 0);
    // one step a turn of the event loop: requests, aborts and the payer's end are heard in between
    await nextTurn();
  }
}
