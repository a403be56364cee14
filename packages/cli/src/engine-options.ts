import { type Command, Option } from 'commander';
import { integer } from './integer-option.ts';
import { limits } from './limits.ts';
import type { EngineOptions } from './verify/load-model.ts';

const backends = ['auto', 'wasm', 'native'] as const satisfies readonly EngineOptions['backend'][];

/** How models are run, for every command that runs one. The bits are the same. */
export const withEngineOptions = (command: Command): Command =>
  command
    .addOption(new Option('--backend <name>', 'what computes; auto takes the native engine where it is built').choices(backends))
    .option('--threads <n>', 'threads of an engine (default: one a processor)', integer(1, limits.threads));
