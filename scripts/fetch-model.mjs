// Fetches the default model and converts it, into <repository>/.cache/models, through the code that `commonweight dev` uses. Needs a build.
// Prints the package's folder on stdout.
import { join } from 'node:path';
import process from 'node:process';
import { createReport } from './lib/report.mjs';
import { fetchDefaultModel } from './lib/model.mjs';
import { root } from './lib/workspace.mjs';

const report = createReport(false);
const model = await fetchDefaultModel(join(root, '.cache'), report);
report.done();
process.stdout.write(`${model.dir}\n`);
