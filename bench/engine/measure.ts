import { rmSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { capture } from '../../scripts/lib/run.mjs';
import { Child, type ChildOptions, Unavailable } from './child.ts';
import type { BenchModel } from './models/ensure-models.ts';
import type { MeasureName } from './options.ts';
import type { Progress } from './progress.ts';
import type { Results } from './results.ts';
import type { Contender, Numbers, Task } from './subjects/messages.ts';

/** Lengths of all measurements. */
const DECODE = { prompt: 64, tokens: 64 };
const PREFILL = { prompt: 256 };
const BATCH = { prompt: 32, tokens: 24 };
const STREAMS = 8;
const REEXECUTION = { prompt: 64, tokens: 256 };
const MEMORY = { prompt: 256, tokens: 32 };
const LARGE = { prompt: 8, tokens: 8 };
const LONG_ROUNDS = 3;

export interface Run extends ChildOptions {
  readonly only: readonly MeasureName[];
  readonly rounds: number;
  /** Re-execution and batches are measured on so many. */
  readonly mostThreads: number;
  /** The file of node-llama-cpp. */
  readonly llama: string;
  readonly results: Results;
  readonly progress: Progress;
}

/** `prefix` goes before the names of the figures. */
interface Asked {
  readonly child: Child;
  readonly task: Task;
  readonly prefix?: string;
}

interface Place {
  readonly model: string;
  readonly threads: number;
}

/** Everything that is measured of one model on so many threads. */
export async function measureModel(run: Run, model: BenchModel, threads: number): Promise<void> {
  const children = new Children(run);
  try {
    await measureWith(children, run, model, threads);
  } finally {
    await children.close();
  }
}

async function measureWith(children: Children, run: Run, { name, packageDir, int8Dir, gguf }: BenchModel, threads: number): Promise<void> {
  const wants = (measure: MeasureName): boolean => run.only.includes(measure);
  const place = { model: name, threads };
  const wasm = await children.open({ engine: 'wasm', packageDir, threads });
  const native = await children.open({ engine: 'native', packageDir, threads });
  const ours = [wasm, native].filter((child) => child !== undefined);
  if (ours.length === 0) return;
  const rounds = (what: string, count: number, asked: readonly Asked[]): Promise<void> => inTurns(run, place, what, count, asked);

  // a task takes a second at 135M and up to ten at 1.1B
  const long = Math.min(run.rounds, LONG_ROUNDS);
  const some = name === '135M' ? run.rounds : long;
  if (wants('start')) for (const child of ours) await start(run, place, child);
  if (wants('commitment'))
    await rounds(
      'commitment',
      some,
      ours.map((child) => ({ child, task: { task: 'commitment', ...DECODE } })),
    );
  if (wants('decode') || wants('prefill')) {
    const llama = await children.open({ engine: 'llama', entry: run.llama, gguf, threads });
    const all = llama === undefined ? ours : [llama, ...ours];
    const loop: Asked[] = llama === undefined || name !== '135M' ? [] : [{ child: llama, task: { task: 'loop', ...DECODE } }];
    const decode = all.map((child): Asked => ({ child, task: { task: 'decode', ...DECODE } }));
    if (wants('decode')) await rounds('decode', run.rounds, [...loop, ...decode]);
    if (wants('prefill'))
      await rounds(
        'prefill',
        some,
        all.map((child) => ({ child, task: { task: 'prefill', ...PREFILL } })),
      );
  }
  if (threads !== run.mostThreads) return;
  if (wants('batch8')) {
    const ask = (child: Child): Asked[] => [1, STREAMS].map((streams) => ({ child, task: { task: 'batch', streams, ...BATCH } }));
    await rounds('batches', long, ours.flatMap(ask));
  }
  if (wants('reexecution')) {
    const task: Task = { task: 'reexecution', ...REEXECUTION };
    const int8 = int8Dir === undefined ? undefined : await children.open({ engine: 'native', packageDir: int8Dir, threads });
    const asked = ours.map((child): Asked => ({ child, task }));
    await rounds('re-execution', long, int8 === undefined ? asked : [...asked, { child: int8, task, prefix: 'int8.' }]);
  }
}

/** A few tokens of a model that 32 bits cannot address, made for this and deleted: that it runs, not how fast. */
export async function measureLarge(run: Run, folder: string): Promise<void> {
  const [packageDir, place] = [join(folder, '8B'), { model: '8B', threads: 1 }];
  const children = new Children(run);
  try {
    run.progress.line(`writing 8 GB to ${packageDir}`);
    const { code, tail } = await capture(process.execPath, [join(run.compiled, 'large-package-main.js'), packageDir], {
      signal: run.signal,
    });
    if (code !== 0) throw new Error(`the 8B package was not written: ${tail}`);
    const child = await children.open({ engine: 'native', packageDir, threads: 1 });
    if (child === undefined) return;
    record(run, place, child, child.opened);
    for (const task of ['decode', 'memory'] as const) record(run, place, child, await child.run({ task, ...LARGE }, run.signal));
  } finally {
    await children.close();
    rmSync(packageDir, { recursive: true, force: true });
  }
}

async function start(run: Run, place: Place, child: Child): Promise<void> {
  record(run, place, child, child.opened);
  record(run, place, child, await child.run({ task: 'memory', ...MEMORY }, run.signal));
}

/** One short round unmeasured, then `count` of them, every other one backwards. */
async function inTurns(run: Run, place: Place, what: string, count: number, asked: readonly Asked[]): Promise<void> {
  for (const { child, task } of asked) await child.run(shortened(task), run.signal);
  for (let round = 1; round <= count; round++) {
    const texts: string[] = [];
    for (const { child, task, prefix = '' } of round % 2 === 0 ? asked.toReversed() : asked) {
      const numbers = await child.run(task, run.signal);
      record(run, place, child, numbers, prefix);
      texts.push(`${child.contender.engine} ${show(numbers, prefix)}`);
    }
    run.progress.line(`${place.model}, ${place.threads} threads, ${what} ${round}/${count} (ms): ${texts.join('; ')}`);
  }
}

function record({ results }: Run, place: Place, { contender }: Child, numbers: Numbers, prefix = ''): void {
  for (const [name, value] of Object.entries(numbers)) results.add({ measure: `${prefix}${name}`, ...place }, contender.engine, value);
}

const show = (numbers: Numbers, prefix: string): string =>
  Object.entries(numbers)
    .map(([name, value]) => `${prefix}${name} ${value < 100 ? value.toFixed(2) : value.toFixed(0)}`)
    .join(', ');

/** Enough to touch all weights and to have every function compiled. */
const shortened = (task: Task): Task => ({
  ...task,
  prompt: Math.min(task.prompt, 40),
  ...('tokens' in task ? { tokens: Math.min(task.tokens, 8) } : {}),
});

class Children {
  readonly #run: Run;
  readonly #open: Child[] = [];

  constructor(run: Run) {
    this.#run = run;
  }

  /** Undefined, with the reason among the results, when the contender cannot run here. */
  async open(contender: Contender): Promise<Child | undefined> {
    try {
      const child = await Child.open(contender, this.#run);
      this.#open.push(child);
      return child;
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      this.#run.results.missing(`${contender.engine}, ${contender.threads} threads: ${error.message}`);
      return undefined;
    }
  }

  async close(): Promise<void> {
    for (const child of this.#open) await child.close();
  }
}
