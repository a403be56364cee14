import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TinyModel, type TinyModelOptions, buildTinyModel } from '@commonweight/engine/testing';
import { canonicalize } from '@commonweight/protocol';

/** Writes a small random model as a package folder. */
export async function writeTinyPackage(folder: string, options: TinyModelOptions = {}): Promise<TinyModel> {
  const model = buildTinyModel(options);
  await mkdir(folder, { recursive: true });
  for (const [name, bytes] of Object.entries(model.files)) await writeFile(join(folder, name), bytes);
  await writeFile(join(folder, 'manifest.json'), canonicalize(model.manifest));
  const source = { uri: 'tiny-model', sha256: '00'.repeat(32), bytes: model.weights.length };
  await writeFile(
    join(folder, 'card.json'),
    canonicalize({ name: 'tiny', source, converter: 'tiny-model/1', licence: 'Apache-2.0', parents: [] }),
  );
  return model;
}

/** Slow enough (some 1,000 tokens a second) that whoever stops a run of thousands of tokens comes long before its end. */
export const unhurried: TinyModelOptions = { context: 8192, layers: 4, width: 256, ffnWidth: 1024, vocabulary: 2048 };
