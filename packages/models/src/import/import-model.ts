import { stat } from 'node:fs/promises';
import { CommonweightError } from '@commonweight/protocol';
import { withFileErrors } from '../file-errors.ts';
import { importGguf, type ImportOptions } from './import-gguf.ts';
import { importSafetensors } from './import-safetensors.ts';
import type { ImportedPackage } from './write-package.ts';

/** Converts a GGUF file, or a folder with safetensors; see {@link importGguf} and {@link importSafetensors}. */
export async function importModel(options: Omit<ImportOptions, 'expectedSha256'>): Promise<ImportedPackage> {
  const found = await withFileErrors(`opening ${options.path}`, () => stat(options.path));
  if (found.isDirectory()) return await importSafetensors(options);
  if (options.path.endsWith('.safetensors')) {
    throw new CommonweightError(
      `${options.path}: expected the folder that also holds config.json and tokenizer.json, got one of its files; give the folder`,
      { code: 'model_unsupported', field: 'path' },
    );
  }
  return await importGguf(options);
}
