import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CommonweightError } from '@commonweight/protocol';
import { defaultModel } from '../default-model.ts';
import { importGguf } from '../import/import-gguf.ts';
import { openPackage } from '../package/open-package.ts';
import { fetchDefaultModel, type FetchOptions } from './fetch-default-model.ts';

export const packageFolder = (dataDir: string): string => join(dataDir, 'models', defaultModel.modelId);

/**
 * Folder of the default model's package, fetched and converted if it is not there yet: `dataDir/models/<model id>`. Its small files are
 * checked on every call (tens of milliseconds), the weights by whoever runs them. A user's `path` is checked on every call too.
 */
export async function ensureDefaultModel(options: Omit<FetchOptions, 'plan'>): Promise<string> {
  const dir = packageFolder(options.dataDir);
  if (options.path !== undefined) await fetchDefaultModel(options);
  if (await opens(dir)) return dir;
  const { onProgress, signal } = options;
  const made = await importGguf({
    path: await fetchDefaultModel(options),
    outDir: join(options.dataDir, 'models'),
    expectedSha256: defaultModel.sha256,
    ...(onProgress ? { onProgress } : {}),
    ...(signal ? { signal } : {}),
  });
  if (made.modelId !== defaultModel.modelId) {
    throw new CommonweightError(
      `the default model was converted to ${made.modelId}, expected ${defaultModel.modelId}: this is a bug of the converter`,
      {
        code: 'model_id',
        action: 'stop',
      },
    );
  }
  return made.dir;
}

/** Whether a sound package is there; a broken one is made again. */
async function opens(dir: string): Promise<boolean> {
  const present = await stat(dir).then(
    () => true,
    () => false,
  );
  if (!present) return false;
  try {
    await (await openPackage(dir, defaultModel.modelId)).close();
    return true;
  } catch (error) {
    if (error instanceof CommonweightError) return false;
    throw error;
  }
}
