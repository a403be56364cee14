// The rules of the house that no linter of ours expresses: who may import whom, where node:* and float functions may stand. Prints every violation.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

// Imports point to a lower level only, siblings never import each other.
const levels = { protocol: 0, engine: 1, models: 1, chain: 1, verifier: 2, sdk: 3, node: 3, cli: 4, testkit: 5 };
const packageName = (folder) => (folder === 'cli' ? 'commonweight' : `@commonweight/${folder}`);
// The verifier runs on models and the engine, and needs no chain client: that it stays small is a promise.
const forbidden = { verifier: ['chain'] };
const webOnly = ['protocol', 'engine', 'verifier', 'sdk'];
const transcendental =
  /\bMath\.(?:sin|cos|tan|asin|acos|atan|atan2|sinh|cosh|tanh|asinh|acosh|atanh|exp|expm1|log|log2|log10|log1p|pow|sqrt|cbrt|hypot|random)\b/u;

const problems = [];
const isTest = (path) => /\.test\.ts$|\/testing\/|\/test\//u.test(path);

function* files(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* files(path);
    else if (entry.name.endsWith('.ts') && !entry.name.endsWith('.gen.ts')) yield path;
  }
}

const withoutComments = (text) =>
  text.replace(/\/\*[\s\S]*?\*\//gu, (comment) => comment.replace(/[^\n]/gu, ' ')).replace(/(^|\s)\/\/.*$/gmu, '$1');

function checkFile(folder, path) {
  const source = withoutComments(readFileSync(path, 'utf8'));
  const name = relative(root, path);
  source.split('\n').forEach((line, index) => {
    const complain = (why) => problems.push(`${name}:${index + 1}: ${why}`);
    const specifier = /(?:\bfrom|\bimport)\s*\(?\s*['"]([^'"]+)['"]/u.exec(line)?.[1];
    if (specifier !== undefined) checkImport(folder, specifier, path, complain);
    if (folder === 'engine' && !isTest(path) && transcendental.test(line))
      complain('no Math transcendentals in the engine: they differ between machines');
  });
}

function checkImport(folder, specifier, path, complain) {
  const target = Object.keys(levels).find((other) => specifier === packageName(other) || specifier.startsWith(`${packageName(other)}/`));
  if (target !== undefined && target !== folder && !isTest(path)) {
    if (levels[target] >= levels[folder])
      complain(`${folder} (level ${levels[folder]}) may not import ${target} (level ${levels[target]})`);
    if (forbidden[folder]?.includes(target)) complain(`${folder} may not import ${target}`);
  }
  if (specifier.startsWith('.') && relative(join(root, 'packages', folder), join(dirname(path), specifier)).startsWith('..')) {
    complain(`${specifier} leaves the package: import it by its name`);
  }
  if (specifier.startsWith('node:') && webOnly.includes(folder) && !isTest(path) && !path.endsWith('.node.ts')) {
    complain(`${specifier} only in files named *.node.ts: ${folder} runs in browsers`);
  }
}

for (const folder of Object.keys(levels)) {
  const source = join(root, 'packages', folder, 'src');
  if (!existsSync(source)) continue;
  for (const path of files(source)) checkFile(folder, path);
  const { dependencies = {} } = JSON.parse(readFileSync(join(root, 'packages', folder, 'package.json'), 'utf8'));
  for (const other of Object.keys(levels)) {
    if (packageName(other) in dependencies && levels[other] >= levels[folder])
      problems.push(`packages/${folder}/package.json: depends on ${other} of the same or a higher level`);
  }
}

problems.forEach((problem) => console.error(problem));
console.log(problems.length === 0 ? 'levels: ok' : `levels: ${problems.length} violations`);
process.exitCode = problems.length === 0 ? 0 : 1;
