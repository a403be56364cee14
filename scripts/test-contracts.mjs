// Builds and tests the contracts offline, and checks that what is generated from them is up to date.
// `--lint` only checks the formatting; `--coverage` adds the branch coverage, which takes minutes.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { contractCoverage } from './lib/contract-coverage.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const contracts = join(root, 'contracts');
const architecture = { x64: 'amd64', arm64: 'arm64' }[process.arch] ?? process.arch;
const platformPackage = `@foundry-rs/forge-${process.platform}-${architecture}`;

function forgeBinary() {
  // the platform package is a dependency of the launcher, not of ours
  const launcher = createRequire(createRequire(import.meta.url).resolve('@foundry-rs/forge/package.json'));
  return join(dirname(launcher.resolve(`${platformPackage}/package.json`)), 'bin', process.platform === 'win32' ? 'forge.exe' : 'forge');
}

function run(program, args, { cwd = root, capture = false, env = {} } = {}) {
  const result = spawnSync(program, args, {
    cwd,
    env: { ...process.env, ...env },
    encoding: 'utf8',
    stdio: ['ignore', capture ? 'pipe' : 'inherit', 'inherit'],
    maxBuffer: 1 << 28,
  });
  if (result.error) throw result.error;
  return result;
}

const fail = (message) => {
  console.error(message);
  process.exit(1);
};
const forge = forgeBinary();

if (process.argv.includes('--lint')) {
  if (run(forge, ['fmt', '--check'], { cwd: contracts }).status !== 0) fail('contracts: not formatted; run forge fmt in contracts/');
  process.exit(0);
}

if (run(forge, ['build'], { cwd: contracts }).status !== 0) fail('contracts: the build failed');
// forge compares gas with snapshots/ only when it prints text; `forge test` in contracts/ writes them anew
const tested = run(forge, ['test', '--color', 'never'], { cwd: contracts, capture: true, env: { FORGE_SNAPSHOT_CHECK: 'true' } });
const lines = tested.stdout.split('\n');
let passed = lines.filter((line) => line.startsWith('[PASS]')).length;
let failed = new Set(lines.filter((line) => line.startsWith('[FAIL'))).size;
if (tested.status !== 0) {
  // what is said about each failure stands around its line; the rest is passed tests
  console.error(lines.filter((line) => !/^(?:\[PASS\]|Suite result: ok|Compiling|No files changed|\s*$)/.test(line)).join('\n'));
  failed = Math.max(failed, 1);
}
for (const script of ['packages/chain/scripts/generate.mjs', 'packages/chain/scripts/vectors.mjs', 'scripts/contract-access.mjs']) {
  if (run(process.execPath, [join(root, script), '--check']).status === 0) passed++;
  else failed++;
}
if (process.argv.includes('--coverage')) {
  if (contractCoverage(root, forge)) passed++;
  else failed++;
}
console.log(`contracts: ${passed} passed, ${failed} failed`);
// forge's own status too: an error outside of a test must not pass
if (failed > 0 || passed === 0 || tested.status !== 0) process.exit(1);
