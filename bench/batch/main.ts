/** See {@link HELP}. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { openPackage } from '@commonweight/models';
import { requireRealModel, startTestNetwork } from '@commonweight/testkit';
import { median, medianRatio } from '../engine/statistics.ts';
import { Client } from './client.ts';
import { processorSeconds } from './processor-time.ts';
import { HELP, type Options, parseOptions } from './options.ts';

/** Of the prompt that comes again, and of what a question adds to it. */
const SYSTEM = 500;
const QUESTION = 10;
const cliScript = fileURLToPath(new URL('../../packages/cli/bin/commonweight.js', import.meta.url));

interface Round {
  /** Tokens a second of one stream, and of all streams together. */
  readonly one: number;
  readonly many: number;
  /** The same for a second of the worker's processor time: on a busy machine the fairer figure (several threads that wait for each other spend some of it). */
  readonly oneCpu: number;
  readonly manyCpu: number;
  /** Milliseconds to the first token. */
  readonly cold: number;
  readonly again: number;
}

async function measure(options: Options, packageDir: string): Promise<{ rounds: Round[]; health: unknown }> {
  const model = await openPackage(packageDir);
  const { vocabulary } = model.manifest.graph;
  await model.close();
  const ids = (count: number, seed: number): number[] => Array.from({ length: count }, (_, i) => (i * 7919 + seed * 104_729) % vocabulary);
  const folder = await mkdtemp(join(tmpdir(), 'commonweight-bench-'));
  try {
    await using network = await startTestNetwork({ dataDir: folder, packageDir, cliScript });
    const { backend, threads, streams, tokens } = options;
    const worker = await network.startWorker('bench', { backend, slots: streams, ...(threads !== undefined && { threads }) });
    const client = new Client(network, worker);
    let payer = 1;
    const speed = async (count: number): Promise<{ wall: number; cpu: number }> => {
      const runs = Array.from({ length: count }, () => client.prepare(payer++, ids(4, payer), tokens));
      const before = processorSeconds(worker.pid);
      const times = await Promise.all(runs.map((run) => client.stream(run)));
      const made = times.reduce((sum, one) => sum + one.tokens, 0);
      return { wall: (1000 * made) / Math.max(...times.map(({ last }) => last)), cpu: made / (processorSeconds(worker.pid) - before) };
    };
    const first = async (asking: number, question: number): Promise<number> =>
      (await client.stream(client.prepare(asking, [...ids(SYSTEM, 1), ...ids(QUESTION, question)], 1))).first;
    const rounds: Round[] = [];
    await speed(1);
    for (let i = 0; i < options.rounds; i++) {
      const asking = payer++;
      const one = await speed(1);
      const many = await speed(streams);
      const speeds = { one: one.wall, many: many.wall, oneCpu: one.cpu, manyCpu: many.cpu };
      rounds.push({ ...speeds, cold: await first(asking, 2 * i + 2), again: await first(asking, 2 * i + 3) });
      process.stderr.write(`round ${i + 1} of ${options.rounds}\n`);
    }
    return { rounds, health: await (await fetch(`${worker.url}/health`)).json() };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function report(options: Options, rounds: readonly Round[], backend: string): void {
  const of = (key: keyof Round): number[] => rounds.map((round) => round[key]);
  const [one, many, oneCpu, manyCpu, cold, again] = [of('one'), of('many'), of('oneCpu'), of('manyCpu'), of('cold'), of('again')];
  const lines = [
    `engine ${backend}; medians of ${rounds.length} rounds`,
    `1 stream              ${median(one).toFixed(1)} tokens/s`,
    `${options.streams} streams             ${median(many).toFixed(1)} tokens/s together, ${medianRatio(many, one).toFixed(2)}x`,
    `for a second of processor time  ${median(oneCpu).toFixed(1)} and ${median(manyCpu).toFixed(1)} tokens, ${medianRatio(manyCpu, oneCpu).toFixed(2)}x`,
    `first token of ${SYSTEM} + ${QUESTION} prompt tokens, first time  ${median(cold).toFixed(0)} ms`,
    `the same payer again with another question       ${median(again).toFixed(0)} ms, ${medianRatio(again, cold).toFixed(3)}x`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  if (!options.json) return;
  const result = {
    backend,
    oneTokensPerSecond: median(one),
    streams: options.streams,
    manyTokensPerSecond: median(many),
    ratio: medianRatio(many, one),
    ratioOfProcessorTime: medianRatio(manyCpu, oneCpu),
    firstTokenMs: { cold: median(cold), again: median(again), ratio: medianRatio(again, cold) },
  };
  process.stdout.write(`${JSON.stringify(result)}\n`);
}

async function packageOf({ packageDir }: Options): Promise<string> {
  if (packageDir !== undefined) return packageDir;
  const found = await requireRealModel();
  if ('reason' in found) throw new Error(found.reason);
  return found.dir;
}

const options = parseOptions(process.argv.slice(2));
if (options === 'help') process.stdout.write(HELP);
else {
  const { rounds, health } = await measure(options, await packageOf(options));
  report(options, rounds, (health as { engines: { backend: string }[] }).engines[0]!.backend);
}
