import type { Manifest } from '@commonweight/protocol';
import type { WeightsExecutor, WeightsSource } from '../executor.ts';
import { selfTest } from '../self-test.ts';
import { loadEngineWasm } from '../wasm/load-engine-wasm.node.ts';
import { createWasmExecutor } from '../wasm/wasm-executor.ts';
import type { NativeAddon } from './addon.ts';
import { loadNativeAddon } from './load-native-addon.node.ts';
import { createNativeExecutor } from './native-executor.node.ts';

/** A back end that has passed its self-test on this machine. */
export interface Backend {
  readonly name: 'native' | 'wasm';
  /** Why it is not the native one, for one line of a log; absent when it is. */
  readonly reason?: string;
  readonly create: (manifest: Manifest, weights: WeightsSource) => WeightsExecutor;
}

/**
 * The fastest back end that computes right here: the native addon if it is built and passes the self-test, WASM otherwise, with the reason.
 * Throws only when WASM fails its own test.
 * @param load - the addon or undefined, by default the one of `npm run build:native`
 */
export function openBestBackend(load: () => NativeAddon | undefined = loadNativeAddon): Backend {
  const native = openNative(load);
  if (native.name === 'native') return native;
  const module = loadEngineWasm();
  const create = (manifest: Manifest, weights: WeightsSource): WeightsExecutor => createWasmExecutor(manifest, weights, module);
  selfTest(create);
  return { name: 'wasm', reason: native.reason, create };
}

function openNative(load: () => NativeAddon | undefined): (Backend & { name: 'native' }) | { name: 'none'; reason: string } {
  try {
    const addon = load();
    if (addon === undefined)
      return { name: 'none', reason: 'the native engine is not built (npm run build:native); WASM runs the same bits' };
    const create = (manifest: Manifest, weights: WeightsSource): WeightsExecutor => createNativeExecutor(manifest, weights, addon);
    selfTest(create);
    return { name: 'native', create };
  } catch (error) {
    return { name: 'none', reason: error instanceof Error ? error.message : String(error) };
  }
}
