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

function run(program, args, cwd = root, capture = false) {
  const result = spawnSync(program, args, {
    cwd,
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
  if (run(forge, ['fmt', '--check'], contracts).status !== 0) fail('contracts: not formatted; run forge fmt in contracts/');
  process.exit(0);
}

if (run(forge, ['build'], contracts).status !== 0) fail('contracts: the build failed');
const tested = run(forge, ['test', '--json'], contracts, true);
let passed = 0;
let failed = 0;
let suites;
try {
  suites = JSON.parse(tested.stdout);
} catch {
  fail(`contracts: forge test printed no result\n${tested.stdout}`);
}
for (const [suite, { test_results: results }] of Object.entries(suites)) {
  for (const [name, { status, reason, counterexample }] of Object.entries(results)) {
    if (status === 'Success') passed++;
    else {
      failed++;
      console.error(`FAIL ${suite} ${name}: ${reason ?? status} ${counterexample ? JSON.stringify(counterexample) : ''}`);
    }
  }
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
