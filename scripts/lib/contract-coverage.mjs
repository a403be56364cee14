// Branch coverage of the contracts. forge maps coverage of a project whose libraries lie outside of it to nothing (OpenZeppelin's files import each other through ../node_modules),
// so that the sources, the tests and OpenZeppelin are copied into one project first.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Every branch of these is run by some test. */
const whole = ['src/settlement/', 'src/staking/', 'src/faults/', 'src/registry/'];

/** The cases of a property that coverage needs: all branches are reached long before 512. */
const cases = { FOUNDRY_FUZZ_RUNS: '64', FOUNDRY_INVARIANT_RUNS: '8', FOUNDRY_INVARIANT_DEPTH: '64' };

function copyProject(root) {
  const place = join(root, '.cache/coverage');
  const project = join(place, 'contracts');
  rmSync(place, { recursive: true, force: true });
  mkdirSync(project, { recursive: true });
  for (const folder of ['src', 'test', 'bin']) cpSync(join(root, 'contracts', folder), join(project, folder), { recursive: true });
  cpSync(join(root, 'node_modules/@openzeppelin/contracts'), join(project, 'node_modules/@openzeppelin/contracts'), { recursive: true });
  for (const folder of ['merkle', 'eip712', 'drand', 'manifest-heads'])
    cpSync(join(root, 'conformance', folder), join(place, 'conformance', folder), { recursive: true });
  const settings = readFileSync(join(root, 'contracts/foundry.toml'), 'utf8').replaceAll('../node_modules', 'node_modules');
  writeFileSync(join(project, 'foundry.toml'), settings);
  return project;
}

/** Branches of each file of src/ by an lcov report: how many, and the lines of those that no test takes. */
function branchesOf(lcov) {
  const files = new Map();
  let file;
  for (const line of lcov.split('\n')) {
    const [kind, rest = ''] = [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)];
    if (kind === 'SF' && rest.startsWith('src/')) files.set(rest, (file = { total: 0, missed: [] }));
    else if (kind === 'SF') file = undefined;
    else if (kind === 'BRDA' && file) {
      const [at, , , taken] = rest.split(',');
      file.total++;
      if (taken === '-' || taken === '0') file.missed.push(Number(at));
    }
  }
  return files;
}

/** Prints what is covered. Returns whether every branch that has to be is. */
export function contractCoverage(root, forge) {
  const project = copyProject(root);
  const report = join(project, 'lcov.info');
  const args = ['coverage', '--report', 'lcov', '--report-file', report];
  const run = spawnSync(forge, args, { cwd: project, encoding: 'utf8', maxBuffer: 1 << 28, env: { ...process.env, ...cases } });
  if (run.error) throw run.error;
  if (run.status !== 0) {
    process.stderr.write(`${run.stdout.slice(-4000)}\n${run.stderr.slice(-4000)}\n`);
    return false;
  }
  const files = [...branchesOf(readFileSync(report, 'utf8'))].filter(([, { total }]) => total > 0).sort(([a], [b]) => (a < b ? -1 : 1));
  let [taken, all] = [0, 0];
  for (const [path, { total, missed }] of files) {
    const required = whole.some((folder) => path.startsWith(folder));
    if (required) [taken, all] = [taken + total - missed.length, all + total];
    const lines = missed.length > 0 ? `  not taken: line ${[...new Set(missed)].join(', ')}` : '';
    console.log(
      `${required ? '*' : ' '} ${path.padEnd(44)} ${String(total - missed.length).padStart(3)} of ${String(total).padStart(3)}${lines}`,
    );
  }
  console.log(`coverage: ${taken} of ${all} branches of ${whole.join(', ')}`);
  return all > 0 && taken === all;
}
