import { join } from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { root } from './workspace.mjs';

const mebibytes = (bytes) => (bytes / 2 ** 20).toFixed(0);

/** Fetches the default model and converts it into `dataDir`, through the code that `commonweight dev` uses. Resolves with the package's folder. */
export async function fetchDefaultModel(dataDir, report) {
  const { ensureDefaultModel, fetchDefaultModel: fetchFile } = await import(
    pathToFileURL(join(root, 'packages/models/dist/index.js')).href
  );
  const options = {
    dataDir,
    path: process.env.COMMONWEIGHT_MODEL_PATH || undefined,
    onProgress: (phase, done, total) =>
      report.progress('model', `model: ${phase} ${mebibytes(done)}${total === undefined ? '' : `/${mebibytes(total)}`} MiB`, {
        phase,
        done,
        total,
      }),
    log: (line) => report.line(line),
  };
  const dir = await ensureDefaultModel(options);
  // the tests compare with the file that the package was made from
  const gguf = await fetchFile(options);
  return { dir, gguf };
}
