import { type Executor, createWasmExecutor } from '@commonweight/engine';
import { createNativeExecutor, loadEngineWasm, loadNativeAddon, nodeSha256 } from '@commonweight/engine/node';
import { openPackage } from '@commonweight/models';
import { CommonweightError, MerkleTag, MerkleTree, packageFiles, toHex } from '@commonweight/protocol';
import type { Contender } from './messages.ts';

/** Opens a package for an engine and checks its weights as they are handed out, as a worker does. */
export async function openExecutor({ engine, packageDir, threads }: Contender & { readonly engine: 'wasm' | 'native' }): Promise<Executor> {
  if (threads !== 1) throw new CommonweightError(`${engine}: this engine runs on one thread, not on ${threads}`, { code: 'threads' });
  const model = await openPackage(packageDir);
  const tree = new MerkleTree(MerkleTag.file, nodeSha256);
  const source = {
    read(offset: number, target: Uint8Array): void {
      model.weights().read(offset, target);
      for (let at = 0; at < target.length; at += 1024) tree.append(target.subarray(at, at + 1024));
    },
  };
  try {
    const executor = engine === 'wasm' ? createWasmExecutor(model.manifest, source, loadEngineWasm()) : openNative(model.manifest, source);
    const { root } = model.manifest.files.find(({ name }) => name === packageFiles.weights)!;
    if (toHex(tree.root()) !== root) throw new Error(`${packageDir}: expected weights of root ${root}`);
    return executor;
  } finally {
    await model.close();
  }
}

function openNative(manifest: Executor['manifest'], source: Parameters<typeof createNativeExecutor>[1]): Executor {
  const addon = loadNativeAddon();
  if (addon === undefined) throw new Error('the native engine is not built: npm run build:native');
  return createNativeExecutor(manifest, source, addon);
}
