import { createWasmExecutor } from '@commonweight/engine';
import { loadEngineWasm } from '@commonweight/engine/node';
import { openPackage } from '@commonweight/models';
import { type ModelId, packageFiles } from '@commonweight/protocol';
import type { VerifierModel } from '@commonweight/verifier';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../fault.ts';

/** The folder of a model package: the one that was named, or DATA/models/<id>. */
export function packageFolder(modelId: ModelId, modelsFolder: string, named: string | undefined): string {
  const folder = named ?? join(modelsFolder, modelId);
  if (existsSync(join(folder, 'manifest.json'))) return folder;
  throw new UsageError(
    `The model ${modelId} is not in ${folder}: start the network once (npm start), import it (commonweight model import), or name its folder with --model-dir.`,
  );
}

/** Opens a package, checks every byte of it against the model id, and makes it ready to run on one thread. */
export async function loadModel(folder: string, modelId: ModelId): Promise<VerifierModel & { readonly name: string }> {
  const model = await openPackage(folder, modelId);
  try {
    const source = model.weights();
    const bytes = new Uint8Array(source.size);
    source.read(0, bytes);
    // the bytes that were checked are the bytes that are run
    model.checkRoot(packageFiles.weights, bytes);
    const read = (offset: number, target: Uint8Array): void => target.set(bytes.subarray(offset, offset + target.length));
    const tokenizer = model.tokenizer();
    return {
      name: model.card.name,
      manifest: model.manifest,
      executor: createWasmExecutor(model.manifest, { read }, loadEngineWasm()),
      decode: (ids) => tokenizer.decode(ids),
    };
  } finally {
    await model.close();
  }
}
