// `npm run bench:engine [-- options]`: the engine side by side with llama.cpp. See options.ts.
import { mkdirSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { capture } from '../../scripts/lib/run.mjs';
import { installLlama } from './llama/install.ts';
import { measureLarge, measureModel } from './measure.ts';
import { ensureDefault, ensureSynthetic } from './models/ensure-models.ts';
import { HELP, type Options, parseOptions } from './options.ts';
import { createProgress } from './progress.ts';
import { report } from './report.ts';
import { Results } from './results.ts';
import { summarise } from './summary.ts';

/** Load average from which a measurement is not a quiet one. */
const BUSY = 0.5;
const root = join(import.meta.dirname, '../..');

async function main({ json, only, models, rounds, threads, clock }: Options, signal: AbortSignal): Promise<void> {
  const progress = createProgress();
  const cache = join(root, '.cache/bench');
  mkdirSync(cache, { recursive: true });
  const compiled = join(cache, 'js');
  await compileChildren();
  const folder = join(cache, 'models');
  const results = new Results();
  const [before] = loadavg() as [number];
  if (before > BUSY)
    progress.line(
      `other work runs here (load average ${before.toFixed(1)}): figures of two threads will mean nothing, ratios of one are rough`,
    );
  const llama = await installLlama(join(cache, 'llama'), progress);
  const run = { only, rounds, mostThreads: Math.max(...threads), compiled, clock, llama, results, progress, signal };
  for (const name of models) {
    if (name === '8B') continue;
    const model = await (name === '135M'
      ? ensureDefault(folder, join(root, '.cache'), progress, signal)
      : ensureSynthetic(folder, progress, signal));
    for (const count of threads) await measureModel(run, model, count);
  }
  if (models.includes('8B')) await measureLarge(run, folder);
  const machine = `${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores, Node ${process.version}, ${rounds} rounds${clock === 'cpu' ? ', processor time' : ''}, load average ${before.toFixed(1)} before`;
  process.stdout.write(`${machine}\n\n${report(results)}\n`);
  if (json) process.stdout.write(`${JSON.stringify(summarise(results))}\n`);
}

/** The children run as plain JavaScript: a TypeScript loader would count as their memory and start. */
async function compileChildren(): Promise<void> {
  const tsc = join(root, 'node_modules/@typescript/native/bin/tsc');
  const { code, tail } = await capture(process.execPath, [tsc, '-p', join(import.meta.dirname, 'subjects/tsconfig.json')]);
  if (code !== 0) throw new Error(`the children do not compile:\n${tail}`);
}

async function command(): Promise<number> {
  let options: Options | 'help';
  try {
    options = parseOptions(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return 2;
  }
  if (options === 'help') {
    process.stdout.write(HELP);
    return 0;
  }
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort(new Error(`stopped by ${name}`)));
  try {
    await main(options, stop.signal);
    return 0;
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    process.stderr.write('stopped\n');
    return 130;
  }
}

process.exitCode = await command();
