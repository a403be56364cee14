// `npm test [-- vitest arguments]`: install, build, the real model, vitest, the contracts, one summary. Exit code 0 only when all of it ran and passed.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { fetchDefaultModel } from './lib/model.mjs';
import { Stop, createReport } from './lib/report.mjs';
import { capture, show } from './lib/run.mjs';
import { countedResult, table, total, vitestResult } from './lib/summary.mjs';
import { prepareWorkspace, root } from './lib/workspace.mjs';

const report = createReport(false);
const cache = join(root, '.cache');

async function vitest(args, environment) {
  const file = join(cache, 'vitest.json');
  rmSync(file, { force: true });
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
  const command = [join(root, 'node_modules/vitest/vitest.mjs'), 'run', ...reporters, ...args];
  const code = await show(process.execPath, command, { cwd: root, env: { ...process.env, ...environment } });
  return vitestResult('vitest', JSON.parse(readFileSync(file, 'utf8')), code);
}

async function contracts(environment, args = []) {
  const { code, tail } = await capture(process.execPath, [join(root, 'scripts/test-contracts.mjs'), ...args], {
    cwd: root,
    env: { ...process.env, ...environment },
  });
  const result = countedResult('contracts', tail, code);
  if (result.failed > 0) process.stdout.write(tail);
  return result;
}

/** The real model, or the reason why there is none; in CI its absence is a failure. */
async function realModel() {
  try {
    await fetchDefaultModel(cache, report);
    return { name: 'default model', passed: 1, failed: 0, note: '' };
  } catch (error) {
    const ci = process.env.CI !== undefined && process.env.CI !== '' && process.env.CI !== 'false';
    process.stderr.write(
      `The default model cannot be had, so the tests that need it are ${ci ? 'missing, which fails in CI' : 'skipped'}: ${error.message}\n`,
    );
    return { name: 'default model', passed: 0, failed: ci ? 1 : 0, note: 'not there' };
  } finally {
    report.done();
  }
}

async function test() {
  await prepareWorkspace(report);
  mkdirSync(cache, { recursive: true });
  const args = process.argv.slice(2);
  const nightly = args.includes('--nightly');
  const environment = nightly ? { COMMONWEIGHT_TEST_RUNS: process.env.COMMONWEIGHT_TEST_RUNS ?? '20' } : {};
  const results = [await realModel()];
  results.push(
    await vitest(
      args.filter((argument) => argument !== '--nightly'),
      environment,
    ),
  );
  results.push(
    await contracts(nightly ? { FOUNDRY_FUZZ_RUNS: '20000', FOUNDRY_INVARIANT_RUNS: '512' } : {}, nightly ? ['--coverage'] : []),
  );
  const sum = total(results);
  writeFileSync(join(cache, 'test-summary.json'), JSON.stringify(sum));
  process.stdout.write(`\n${table(results)}\n${sum.passed} passed, ${sum.failed} failed\n`);
  process.exitCode = sum.failed === 0 ? 0 : 1;
}

test().catch((error) => {
  if (!(error instanceof Stop)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
});
