import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { explain } from './problems.mjs';
import { Stop } from './report.mjs';
import { capture, npmCommand } from './run.mjs';

const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'));

const mustBeThere = ([path, entry]) =>
  path.startsWith('node_modules/') && !entry.link && !entry.optional && !entry.devOptional && !entry.peer && !entry.extraneous;

/**
 * Whether what npm says it installed is what the lockfile asks for. npm writes its own list last, so an interrupted install has none.
 * Optional packages (other platforms' binaries) may be missing.
 */
export function isInstalled(root) {
  const listFile = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(listFile)) return false;
  const installed = readJson(listFile).packages ?? {};
  const locked = Object.entries(readJson(join(root, 'package-lock.json')).packages);
  return locked.every((item) => !mustBeThere(item) || installed[item[0]]?.version === item[1].version);
}

/** Runs `npm ci` when the installed packages are not the locked ones, and shows how many are there. */
export async function install(root, report) {
  if (isInstalled(root)) return false;
  const wanted = Object.entries(readJson(join(root, 'package-lock.json')).packages)
    .filter(mustBeThere)
    .map(([path]) => join(root, path, 'package.json'));
  report.line(`installing ${wanted.length} packages (npm ci)`);
  report.event('install', { state: 'started', packages: wanted.length });
  const timer = setInterval(() => {
    const done = wanted.filter((path) => existsSync(path)).length;
    report.progress('install', `installing packages ${done}/${wanted.length}`, { state: 'running', done, packages: wanted.length });
  }, 500);
  // two quick retries: npm's own defaults wait more than a minute before they say that there is no network
  const retry = ['--fetch-retries=2', '--fetch-retry-mintimeout=1000', '--fetch-retry-maxtimeout=4000'];
  const npm = npmCommand(['ci', '--no-audit', '--no-fund', ...retry]);
  try {
    const result = await capture(npm.command, npm.args, { cwd: root, ...npm.options });
    if (result.code !== 0) throw new Stop(explain('installing packages', result.tail, root));
  } finally {
    clearInterval(timer);
    report.done();
  }
  report.event('install', { state: 'done', packages: wanted.length });
  return true;
}
