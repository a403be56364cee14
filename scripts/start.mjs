// `npm start`: installs and builds what is missing, then becomes `commonweight dev`. Plain Node, no dependency: nothing is installed yet.
import { join } from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { explain } from './lib/problems.mjs';
import { Stop, createReport } from './lib/report.mjs';
import { prepareWorkspace, root } from './lib/workspace.mjs';

const args = process.argv.slice(2);
const report = createReport(args.includes('--json'));

function fail(message) {
  report.done();
  report.event('error', { message });
  process.stderr.write(`${message}\n`);
  process.exitCode = 2;
}

async function start() {
  await prepareWorkspace(report);
  const { programUrl } = await import(pathToFileURL(join(root, 'packages/cli/bin/program.js')).href);
  const { main } = await import(programUrl());
  // Inside npm a SIGKILL of npm must not leave the network behind: `dev` then watches its parent.
  const watch = process.env.npm_lifecycle_event === undefined ? [] : ['--with-parent'];
  process.exitCode = await main(['dev', ...watch, ...args]);
}

start().catch((error) => {
  if (error instanceof Stop) fail(error.message);
  else if (['ENOSPC', 'EDQUOT', 'EACCES', 'EROFS'].includes(error && error.code)) fail(explain('starting', String(error.message), root));
  else throw error;
});
