import { CommonweightError, type Manifest } from '@commonweight/protocol';
import { availableParallelism } from 'node:os';
import type { WeightsExecutor, WeightsSource } from '../executor.ts';
import { createKernelExecutor } from '../kernels/kernel-executor.ts';
import { limits } from '../limits.ts';
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
  threads = Math.min(availableParallelism(), limits.threads),
): WeightsExecutor {
  if (!Number.isInteger(threads) || threads < 1 || threads > limits.threads) {
    throw new CommonweightError(`threads: expected 1 to ${limits.threads}, got ${threads}`, { code: 'executor', field: 'threads' });
  }
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
