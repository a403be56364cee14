import { dirname } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { build } from './build.mjs';
import { install } from './install.mjs';
import { nodeVersionProblem } from './node-version.mjs';
import { Stop } from './report.mjs';

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Installs and builds what is missing. Throws a Stop with a sentence that says what to do. */
export async function prepareWorkspace(report) {
  const problem = nodeVersionProblem(process.versions.node);
  if (problem !== undefined) throw new Stop(problem);
  await install(root, report);
  await build(root, report);
}
