import { CommonweightError, type Manifest, type Sha256 } from '@commonweight/protocol';
import type { WeightsExecutor, WeightsSource } from '../executor.ts';
import { defaultThreads } from '../kernels/default-threads.node.ts';
import { selfTest } from '../self-test.ts';
import { nodeSha256 } from '../sha256.node.ts';
import { loadEngineWasm } from '../wasm/load-engine-wasm.node.ts';
import { createThreadedWasmExecutor } from '../wasm/threaded-wasm-executor.node.ts';
import { createWasmExecutor } from '../wasm/wasm-executor.ts';
import type { NativeAddon } from './addon.ts';
import { loadNativeAddon } from './load-native-addon.node.ts';
import { createNativeExecutor } from './native-executor.node.ts';

/** Back ends that can be asked for; `auto` takes the native one where it works. */
export const backendChoices = ['auto', 'wasm', 'native'] as const;
export type BackendChoice = (typeof backendChoices)[number];

/** A back end that has passed its self-test on this machine. */
export interface Backend {
  readonly name: 'native' | 'wasm';
  /** Why it is not the native one, for one line of a log; absent when it is, or when WASM was asked for. */
  readonly reason?: string;
  readonly create: (manifest: Manifest, weights: WeightsSource) => WeightsExecutor;
}

export interface BackendOptions {
  readonly choice?: BackendChoice;
  /** Gives the addon, or undefined when there is none; by default the one of `npm run build:native`. */
  readonly load?: () => NativeAddon | undefined;
  readonly sha256?: Sha256;
  /** Of an executor; one a processor by default. */
  readonly threads?: number | undefined;
}

/**
 * The fastest back end that computes right here: the native addon if it is built and passes the self-test, WASM otherwise, with the reason.
 * Throws a {@link CommonweightError} when WASM fails its own test, or `native-addon` when nothing but the addon was asked for and it cannot be used.
 */
export function openBestBackend({ choice = 'auto', load = loadNativeAddon, sha256 = nodeSha256, threads }: BackendOptions = {}): Backend {
  const native = choice === 'wasm' ? undefined : openNative(load, sha256, threads);
  if (native?.name === 'native') return native;
  if (choice === 'native')
    throw new CommonweightError(`the native engine was asked for: ${native?.reason}`, { code: 'native-addon', action: 'stop' });
  const module = loadEngineWasm();
  // helper threads are tested one by one when an executor is made
  selfTest((manifest, weights) => createWasmExecutor(manifest, weights, module), sha256);
  const create = (manifest: Manifest, weights: WeightsSource): WeightsExecutor =>
    createThreadedWasmExecutor(manifest, weights, module, threads);
  return { name: 'wasm', ...(native && { reason: native.reason }), create };
}

function openNative(
  load: () => NativeAddon | undefined,
  sha256: Sha256,
  threads = defaultThreads(),
): (Backend & { name: 'native' }) | { name: 'none'; reason: string } {
  try {
    const addon = load();
    if (addon === undefined)
      return { name: 'none', reason: 'the native engine is not built (npm run build:native); WASM gives the same bits more slowly' };
    selfTest((manifest, weights) => createNativeExecutor(manifest, weights, addon), sha256);
    const create = (manifest: Manifest, weights: WeightsSource): WeightsExecutor =>
      createNativeExecutor(manifest, weights, addon, undefined, threads);
    return { name: 'native', create };
  } catch (error) {
    return { name: 'none', reason: error instanceof Error ? error.message : String(error) };
  }
}
