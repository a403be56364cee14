import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ImportedPackage, importGguf } from '@commonweight/models';
import { tinyModel, type TinyModelOptions } from '@commonweight/models/testing';

export { tinyModel, type TinyModelOptions };

/** Writes a tiny GGUF file into `folder` and converts it there. Well under a second. */
export async function importTinyModel(
  folder: string,
  options: TinyModelOptions = {},
): Promise<ImportedPackage & { readonly gguf: string }> {
  const gguf = join(folder, 'tiny.gguf');
  await writeFile(gguf, tinyModel(options));
  return { ...(await importGguf({ path: gguf, outDir: join(folder, 'models') })), gguf };
}
