// Installs and builds what is missing; for the other commands of package.json.
import process from 'node:process';
import { Stop, createReport } from './lib/report.mjs';
import { prepareWorkspace } from './lib/workspace.mjs';

prepareWorkspace(createReport(false)).catch((error) => {
  if (!(error instanceof Stop)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
});
