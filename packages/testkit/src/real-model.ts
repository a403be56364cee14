import { fileURLToPath } from 'node:url';
import { locateRealModel, type MissingModel, type RealModel } from '@commonweight/models';

/** The repository's cache folder, from `src` and from `dist` alike. */
export const cacheFolder = fileURLToPath(new URL('../../../.cache', import.meta.url));

/** The real model for a test. `{ reason }` says why the test skips; where `CI` is set a missing model throws. */
export async function requireRealModel(): Promise<RealModel | MissingModel> {
  return await locateRealModel(cacheFolder, process.env);
}
