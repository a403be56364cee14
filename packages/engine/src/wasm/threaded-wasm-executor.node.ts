import type { Manifest } from '@commonweight/protocol';
import type { WeightsExecutor, WeightsSource } from '../executor.ts';
import { checkThreads } from '../kernels/check-threads.ts';
import { defaultThreads } from '../kernels/default-threads.node.ts';
import { createKernelExecutor } from '../kernels/kernel-executor.ts';
import { HelperThreads } from './helper-threads.node.ts';
import { instantiate } from './kernels.ts';
import { wasmHost } from './wasm-host.ts';
import type { EngineModule } from './web-assembly.ts';

/**
 * `createWasmExecutor` with threads: the caller's and `threads - 1` helpers, which share every step. The same bits for any number.
 * Every helper passes the known-answer test before the first step. When one dies, a step throws a retryable {@link CommonweightError} (`engine-thread`) instead of waiting for it,
 * and the executor is of no more use. `close` ends the helpers.
 * @param module - what `loadEngineWasm` gives
 * @param threads - one a processor by default; more of them than free processors make it slower
 */
export function createThreadedWasmExecutor(
  manifest: Manifest,
  weights: WeightsSource,
  module: EngineModule,
  threads = defaultThreads(),
): WeightsExecutor {
  checkThreads(threads);
  const engine = instantiate(module);
  const host = wasmHost(manifest, weights, engine, threads);
  if (threads === 1) return createKernelExecutor(manifest, host);
  const helpers = new HelperThreads(engine, module, host.workers);
  try {
    helpers.test();
  } catch (error) {
    helpers.close();
    throw error;
  }
  return createKernelExecutor(manifest, { ...host, close: () => helpers.close() });
}
