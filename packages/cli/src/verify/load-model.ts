import { checkWeights, tokenVocabulary } from '@commonweight/engine';
import { type BackendChoice, openBestBackend } from '@commonweight/engine/node';
import { openPackage, tokenBytes, tokenText } from '@commonweight/models';
import type { ModelId } from '@commonweight/protocol';
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

/** How a model is run on this machine. */
export interface EngineOptions {
  readonly backend?: BackendChoice;
  readonly threads?: number;
}

export interface LoadedModel extends VerifierModel {
  readonly name: string;
  /** Why `auto` did not find the native engine. */
  readonly remark?: string;
}

/** Opens a package, checks every byte of it against the model id, and makes it ready to run. */
export async function loadModel(folder: string, modelId: ModelId, { backend = 'auto', threads }: EngineOptions = {}): Promise<LoadedModel> {
  const { create, reason } = openBestBackend({ choice: backend, threads });
  const model = await openPackage(folder, modelId);
  try {
    const executor = create(model.manifest, model.weights());
    checkWeights(executor);
    const tokenizer = model.tokenizer();
    return {
      name: model.card.name,
      manifest: model.manifest,
      executor,
      decode: (ids) => tokenizer.decode(ids),
      tokenText: (id) => tokenText(tokenizer, id),
      vocabulary: () => tokenVocabulary(model.manifest.graph.vocabulary, (id) => tokenBytes(tokenizer, id)),
      ...(reason !== undefined && { remark: reason }),
    };
  } finally {
    await model.close();
  }
}
