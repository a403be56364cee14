import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { isPacked } from '../../packages/cli/bin/program.js';
import { bundleViem } from './bundle-viem.mjs';
import { packPrograms } from './pack.mjs';
import { explain } from './problems.mjs';
import { Stop } from './report.mjs';
import { capture } from './run.mjs';

const STAMP = '.cache/build-stamp';

function* sourceFiles(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* sourceFiles(path);
    else if (entry.name.endsWith('.ts') && !entry.name.endsWith('.test.ts')) yield path;
  }
}

/** A digest of names, sizes and times of everything that the compiler reads, or undefined when an output is missing. */
function fingerprint(root) {
  const hash = createHash('sha256');
  const add = (path) => {
    const { size, mtimeMs } = statSync(path);
    hash.update(`${path}\0${size}\0${mtimeMs}\n`);
  };
  ['tsconfig.json', 'tsconfig.base.json', 'package-lock.json'].forEach((name) => add(join(root, name)));
  let complete = true;
  for (const name of readdirSync(join(root, 'packages'))) {
    const folder = join(root, 'packages', name);
    if (!existsSync(join(folder, 'tsconfig.json'))) continue;
    add(join(folder, 'tsconfig.json'));
    add(join(folder, 'package.json'));
    for (const path of sourceFiles(join(folder, 'src'))) add(path);
    if (!existsSync(join(folder, 'dist', 'index.js'))) complete = false;
  }
  return { digest: hash.digest('hex'), complete };
}

/** Compiles when a source changed since the last build that went through; looking costs some ten milliseconds. */
export async function build(root, report) {
  const stampFile = join(root, STAMP);
  const before = fingerprint(root);
  if (before.complete && isPacked() && existsSync(stampFile) && readFileSync(stampFile, 'utf8') === before.digest) return false;
  report.line('building (tsc -b)');
  report.event('build', { state: 'started' });
  const compiler = join(root, 'node_modules', '@typescript', 'native', 'bin', 'tsc');
  const result = await capture(process.execPath, [compiler, '-b'], { cwd: root });
  if (result.code !== 0) throw new Stop(explain('building', result.tail, root));
  await bundleViem(root);
  await packPrograms(root);
  mkdirSync(join(root, '.cache'), { recursive: true });
  writeFileSync(stampFile, before.digest);
  report.event('build', { state: 'done' });
  return true;
}
