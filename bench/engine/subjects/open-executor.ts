import { type Executor, type WeightsExecutor, checkWeights, selfTest } from '@commonweight/engine';
import { createNativeExecutor, createThreadedWasmExecutor, loadEngineWasm, loadNativeAddon, nodeSha256 } from '@commonweight/engine/node';
import { openPackage } from '@commonweight/models';
import type { Contender } from './messages.ts';

type Ours = Contender & { readonly engine: 'wasm' | 'native' };

/** Opens a package as a worker does: known answers, then the weights, checked in the memory that they are run from. */
export async function openExecutor({ engine, packageDir, threads }: Ours): Promise<Executor> {
  const create = engine === 'wasm' ? wasm(threads) : native(threads);
  selfTest(create, nodeSha256);
  const model = await openPackage(packageDir);
  try {
    const executor = create(model.manifest, model.weights());
    checkWeights(executor);
    return executor;
  } finally {
    await model.close();
  }
}

type Create = (...model: Parameters<Parameters<typeof selfTest>[0]>) => WeightsExecutor;

function wasm(threads: number): Create {
  const module = loadEngineWasm();
  return (manifest, weights) => createThreadedWasmExecutor(manifest, weights, module, threads);
}

function native(threads: number): Create {
  const addon = loadNativeAddon();
  if (addon === undefined) throw new Error('the native engine is not built: npm run build:native');
  return (manifest, weights) => createNativeExecutor(manifest, weights, addon, addon.levels[0], threads);
}
