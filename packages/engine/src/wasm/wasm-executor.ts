import type { Manifest } from '@commonweight/protocol';
import type { WeightsExecutor, WeightsSource } from '../executor.ts';
import { createKernelExecutor } from '../kernels/kernel-executor.ts';
import { instantiate } from './kernels.ts';
import { wasmHost } from './wasm-host.ts';
import type { EngineModule } from './web-assembly.ts';

/**
 * The executor that runs `engine.wasm`, in Node and in browsers. Weights are read once, straight into its memory, and checked.
 * One thread; calls on one executor must not overlap (they are synchronous). A browser's main thread must compile `module` asynchronously.
 * Throws a {@link CommonweightError} that names the tensor at fault, or `memory` when the model does not fit into 4 GiB.
 * @param module - what `loadEngineWasm` gives, or the bytes of `engine.wasm`
 */
export const createWasmExecutor = (manifest: Manifest, weights: WeightsSource, module: EngineModule | Uint8Array): WeightsExecutor =>
  createKernelExecutor(manifest, wasmHost(manifest, weights, instantiate(module)));
