// `npm run -s test:backends [-- options]`: the same bits on every back end. See README.md.
import { requireRealModel } from '@commonweight/testkit';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { capture } from '../../scripts/lib/run.mjs';
import { HostFailed } from './backends/backend.ts';
import { backEnds } from './backends/registry.ts';
import { type Comparison, compareResults } from './compare.ts';
import { HELP, type Options, parseOptions } from './options.ts';
import { type MissingBackEnd, type Outcome, runAll } from './run-all.ts';
import { type Item, makePlan } from './workload/plan.ts';

const SHOWN_MISMATCHES = 10;
const PROGRESS_EVERY_MS = 5000;
const root = join(import.meta.dirname, '../..');
const inCi = !['', 'false', undefined].includes(process.env['CI']);
const log = (line: string): void => void process.stderr.write(`${line}\n`);

async function main(options: Options, signal: AbortSignal): Promise<number> {
  const cache = join(root, '.cache/backends');
  const compiled = join(cache, 'js');
  mkdirSync(cache, { recursive: true });
  await compileHosts();
  const realModel = await locateModel(options);
  const { tokens, realTokens, cases } = options.size;
  const items = makePlan(realModel === undefined ? { tokens: tokens - realTokens, realTokens: 0, cases } : options.size);

  const progress = createProgress();
  const outcome = await runAll(
    backEnds.filter(({ name }) => options.only.includes(name)),
    { items, realModel, breakBackEnd: options.breakBackEnd, context: { cache, compiled, log }, signal, onProgress: progress },
  );
  const comparison = compareResults(items, outcome.results);
  report(items, outcome, comparison, options);
  return exitCode(outcome, comparison, options);
}

/** The folder of the real model, if its tokens are wanted and it can be had. */
async function locateModel({ size, asked }: Options): Promise<string | undefined> {
  if (size.realTokens === 0) return undefined;
  const found = await requireRealModel();
  if ('dir' in found) return found.dir;
  if (asked.realModel) throw new HostFailed(`the real model: ${found.reason}`);
  log(`skipped: the real model (${found.reason})`);
  return undefined;
}

async function compileHosts(): Promise<void> {
  const tsc = join(root, 'node_modules/@typescript/native/bin/tsc');
  const { code, tail } = await capture(process.execPath, [tsc, '-p', join(import.meta.dirname, 'tsconfig.json')]);
  if (code !== 0) throw new Error(`the hosts do not compile:\n${tail}`);
}

function createProgress(): (name: string, done: number, total: number) => void {
  const state = new Map<string, string>();
  let last = performance.now();
  return (name, done, total) => {
    state.set(name, `${name} ${done}/${total}`);
    if (performance.now() - last < PROGRESS_EVERY_MS) return;
    last = performance.now();
    log(`items: ${[...state.values()].join(', ')}`);
  };
}

function report(items: readonly Item[], { results, missing }: Outcome, comparison: Comparison, { json, asked }: Options): void {
  for (const absent of missing) log(`${isFailure(absent, asked) ? 'MISSING' : 'skipped'}: ${absent.name} (${absent.reason})`);
  for (const { item, backEnd, expected, got } of comparison.mismatches.slice(0, SHOWN_MISMATCHES)) {
    log(`MISMATCH in ${item.id}: ${backEnd} gave ${got}, expected ${expected}; ${JSON.stringify(item)}`);
  }
  for (const [name, digests] of results) {
    const unable = items.filter(({ id }) => digests.get(id) === null).length;
    if (unable > 0) log(`${name} cannot run ${unable} of ${items.length} items (single operations)`);
  }
  const { tokens, kernelCases } = comparison;
  const line = { backends: [...results.keys()], tokens, kernelCases, mismatches: comparison.mismatches.length };
  if (json) process.stdout.write(`${JSON.stringify(line)}\n`);
  else process.stdout.write(`${line.backends.join(', ')}: ${tokens} tokens, ${kernelCases} cases, ${line.mismatches} mismatches\n`);
}

/** 0 only when something was compared, nothing differs, and nothing is missing that must be there. */
function exitCode({ results, missing }: Outcome, { mismatches, tokens, kernelCases }: Comparison, { asked }: Options): number {
  if (mismatches.length > 0 || results.size < 2 || tokens + kernelCases === 0) return 1;
  return missing.some((absent) => isFailure(absent, asked)) ? 1 : 0;
}

/** A back end that was named must be there; in CI every one that can be had. */
const isFailure = ({ installable }: MissingBackEnd, asked: Options['asked']): boolean => asked.backEnds || (inCi && installable);

async function command(): Promise<number> {
  let options: Options | 'help';
  try {
    options = parseOptions(process.argv.slice(2));
  } catch (error) {
    log(error instanceof Error ? error.message : String(error));
    return 2;
  }
  if (options === 'help') {
    process.stdout.write(HELP);
    return 0;
  }
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort(new Error(`stopped by ${name}`)));
  try {
    return await main(options, stop.signal);
  } catch (error) {
    if (stop.signal.aborted) {
      log('stopped');
      return 130;
    }
    if (!(error instanceof HostFailed)) throw error;
    log(error.message);
    return 1;
  }
}

process.exitCode = await command();
