import { parseArgs } from 'node:util';
import { type ModelName, modelNames } from './models/shapes.ts';

export const measureNames = ['start', 'decode', 'prefill', 'commitment', 'batch8', 'reexecution'] as const;
export type MeasureName = (typeof measureNames)[number];

const clocks = ['wall', 'cpu'] as const;
export type Clock = (typeof clocks)[number];

export interface Options {
  readonly json: boolean;
  readonly only: readonly MeasureName[];
  readonly models: readonly ModelName[];
  readonly threads: readonly number[];
  /** Of every short measurement; long ones (batches, re-execution) take fewer. */
  readonly rounds: number;
  readonly clock: Clock;
}

const MOST_ROUNDS = 100;
const DEFAULT = { models: ['135M', '1.1B'] as const, rounds: 5 };

export const HELP = `npm run bench:engine -- [options]

Speed of the engine, commitment on, side by side with llama.cpp (node-llama-cpp) on the same weights as Q8_0 and as many threads.

Every contender is a process of its own; one works at a time, in turns, and ratios are medians over the rounds.
Needs npm's registry and the default model once, and 3.6 GB under .cache/bench for the synthetic 1.1B model (made from a seed, imported, kept).
About 12 minutes on two idle cores; other work on the machine makes it longer and the figures worse.

  --json         one JSON line at the end on stdout; what could not be measured is null
  --only a,b     of ${measureNames.join(', ')}
  --models a,b   of ${modelNames.join(', ')} (${DEFAULT.models.join(',')}); 8B: 8 GB of disk and 9 GB of memory for a few tokens, deleted afterwards
  --threads a,b  of 1, 2 (1,2); batches and re-execution take the most of them
  --clock cpu    processor time instead of the time that passes, on one thread: for a machine that is busy with other work
  --rounds N     1 to ${MOST_ROUNDS} (${DEFAULT.rounds})
`;

/** Throws an Error whose message is for the user. */
export function parseOptions(args: readonly string[]): Options | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      json: { type: 'boolean', default: false },
      only: { type: 'string' },
      models: { type: 'string' },
      threads: { type: 'string' },
      clock: { type: 'string', default: 'wall' },
      rounds: { type: 'string', default: String(DEFAULT.rounds) },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > MOST_ROUNDS)
    throw new Error(`--rounds: expected 1 to ${MOST_ROUNDS}, got "${values.rounds}"`);
  const [clock = 'wall'] = namesOf('--clock', values.clock, clocks, clocks);
  return {
    json: values.json,
    only: namesOf('--only', values.only, measureNames, measureNames),
    models: namesOf('--models', values.models, modelNames, DEFAULT.models),
    threads: clock === 'cpu' ? [1] : namesOf('--threads', values.threads, ['1', '2'], ['1', '2']).map(Number),
    clock,
    rounds,
  };
}

function namesOf<T extends string>(option: string, value: string | undefined, known: readonly T[], otherwise: readonly T[]): readonly T[] {
  if (value === undefined) return otherwise;
  const names = value.split(',');
  for (const name of names)
    if (!known.includes(name as T)) throw new Error(`${option}: expected some of ${known.join(', ')}, got "${name}"`);
  return known.filter((name) => names.includes(name));
}
