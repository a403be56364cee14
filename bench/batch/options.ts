import { parseArgs } from 'node:util';

export interface Options {
  readonly json: boolean;
  /** Folder of a model package; the default model without one. */
  readonly packageDir: string | undefined;
  readonly backend: 'auto' | 'wasm' | 'native';
  readonly threads: number | undefined;
  readonly streams: number;
  readonly tokens: number;
  readonly rounds: number;
}

export const HELP = `npm run bench:batch -- [options] [PACKAGE_FOLDER]

One stream and several at once through a real worker process (commitment, receipts and HTTP included), in turns; and the time to the first token of a prompt
that begins with 500 tokens, when the payer asks for the first time and when it has asked before.

  --json           one JSON line at the end
  --backend NAME   auto, wasm or native (auto)
  --threads N      of the worker's engine (1)
  --streams N      at once, 2 to 32 (8)
  --tokens N       of each stream, 1 to 1024 (96)
  --rounds N       1 to 100 (5)
`;

const integer = (name: string, text: string, minimum: number, maximum: number): number => {
  const value = Number(text);
  if (!/^\d+$/u.test(text) || value < minimum || value > maximum)
    throw new Error(`--${name}: expected a whole number from ${minimum} to ${maximum}, got ${text}`);
  return value;
};

/** Throws an Error whose message is for the user. */
export function parseOptions(args: readonly string[]): Options | 'help' {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
      backend: { type: 'string', default: 'auto' },
      threads: { type: 'string' },
      streams: { type: 'string', default: '8' },
      tokens: { type: 'string', default: '96' },
      rounds: { type: 'string', default: '5' },
    },
  });
  if (values.help) return 'help';
  const { backend } = values;
  if (backend !== 'auto' && backend !== 'wasm' && backend !== 'native')
    throw new Error(`--backend: expected auto, wasm or native, got ${backend}`);
  return {
    json: values.json,
    packageDir: positionals[0],
    backend,
    threads: values.threads === undefined ? undefined : integer('threads', values.threads, 1, 64),
    streams: integer('streams', values.streams, 2, 32),
    tokens: integer('tokens', values.tokens, 1, 1024),
    rounds: integer('rounds', values.rounds, 1, 100),
  };
}
