import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CommonweightError } from '@commonweight/protocol';
import { defaultModel } from '../default-model.ts';
import { ensureDefaultModel, packageFolder } from './ensure-default-model.ts';

export interface RealModel {
  /** Package folder. */
  readonly dir: string;
  /** The GGUF file, when it is there too. */
  readonly gguf: string | undefined;
}

export interface MissingModel {
  readonly reason: string;
}

/**
 * The default model for tests, without any network: from `cacheDir/models`, else converted from `COMMONWEIGHT_MODEL_PATH` or
 * `cacheDir/downloads`. Where `CI` is set its absence is an error, elsewhere the reason for a skip.
 */
export async function locateRealModel(cacheDir: string, env: NodeJS.ProcessEnv): Promise<RealModel | MissingModel> {
  const named = env['COMMONWEIGHT_MODEL_PATH'] || undefined;
  const downloaded = join(cacheDir, 'downloads', defaultModel.fileName);
  const gguf = named ?? ((await isThere(downloaded)) ? downloaded : undefined);
  const dir = packageFolder(cacheDir);
  if (await isThere(dir)) return { dir, gguf };
  if (gguf !== undefined) return { dir: await ensureDefaultModel({ dataDir: cacheDir, path: gguf }), gguf };
  const reason = `no model in ${cacheDir}: run npm test once, or set COMMONWEIGHT_MODEL_PATH to ${defaultModel.fileName}`;
  if (env['CI']) throw new CommonweightError(reason, { code: 'model_unavailable', field: 'COMMONWEIGHT_MODEL_PATH' });
  return { reason };
}

const isThere = async (path: string): Promise<boolean> =>
  await stat(path).then(
    () => true,
    () => false,
  );
