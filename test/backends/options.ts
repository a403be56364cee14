import { parseArgs } from 'node:util';
import { backEnds } from './backends/registry.ts';
import type { PlanSize } from './workload/plan.ts';

/** About two minutes on two cores; and what a night has time for. */
const SLICE: PlanSize = { tokens: 2000, realTokens: 32, cases: 20_000 };
const NIGHTLY: PlanSize = { tokens: 100_000, realTokens: 320, cases: 1_000_000 };

export interface Options {
  readonly json: boolean;
  readonly size: PlanSize;
  /** Names of {@link backEnds}. */
  readonly only: readonly string[];
  /** Named on the command line, so that their absence is a failure. */
  readonly asked: { readonly backEnds: boolean; readonly realModel: boolean };
  readonly breakBackEnd: string | undefined;
}

export const HELP = `npm run -s test:backends -- [options]

Runs the same requests and the same random cases of single operations on every back end, and compares the bits.

  --json            one JSON line at the end on stdout
  --nightly         ${NIGHTLY.tokens} tokens and ${NIGHTLY.cases} cases instead of ${SLICE.tokens} and ${SLICE.cases}
  --tokens N        sampled tokens
  --real-tokens N   of them, by the real model (${SLICE.realTokens})
  --cases N         random cases
  --only a,b        of ${backEnds.map(({ name }) => name).join(', ')}
  --break NAME      flip a bit of this back end now and then, to see that the comparison notices
`;

/** Throws an Error whose message is for the user. */
export function parseOptions(args: readonly string[]): Options | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      json: { type: 'boolean', default: false },
      nightly: { type: 'boolean', default: false },
      tokens: { type: 'string' },
      'real-tokens': { type: 'string' },
      cases: { type: 'string' },
      only: { type: 'string' },
      break: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  const base = values.nightly ? NIGHTLY : SLICE;
  const tokens = count('--tokens', values.tokens, base.tokens);
  const realTokens = count('--real-tokens', values['real-tokens'], Math.min(base.realTokens, tokens));
  if (realTokens > tokens) throw new Error(`--real-tokens: expected at most the ${tokens} of --tokens, got ${realTokens}`);
  const only = values.only?.split(',') ?? backEnds.map(({ name }) => name);
  for (const name of [...only, ...(values.break === undefined ? [] : [values.break])]) checkName(name);
  if (values.break !== undefined && !only.includes(values.break))
    throw new Error(`--break ${values.break}: it is not among those of --only`);
  if (new Set(only).size < 2) throw new Error('--only: expected two or more different back ends; one has nothing to be compared with');
  return {
    json: values.json,
    size: { tokens, realTokens, cases: count('--cases', values.cases, base.cases) },
    only,
    asked: { backEnds: values.only !== undefined, realModel: values['real-tokens'] !== undefined },
    breakBackEnd: values.break,
  };
}

function count(name: string, value: string | undefined, otherwise: number): number {
  if (value === undefined) return otherwise;
  const number = Number(value);
  if (!/^\d+$/u.test(value) || !Number.isSafeInteger(number)) throw new Error(`${name}: expected a whole number, got "${value}"`);
  return number;
}

function checkName(name: string): void {
  if (backEnds.some((backEnd) => backEnd.name === name)) return;
  throw new Error(`expected a back end of ${backEnds.map((backEnd) => backEnd.name).join(', ')}, got "${name}"`);
}
