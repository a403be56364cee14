import { type Command, Option } from 'commander';
import type { EngineOptions } from './verify/load-model.ts';

const backends = ['auto', 'wasm', 'native'] as const satisfies readonly EngineOptions['backend'][];

/** How models are run, for every command that runs one. */
export const withEngineOptions = (command: Command): Command =>
  command.addOption(
    new Option('--backend <name>', 'what computes: auto takes the native engine where it is built (the same bits, sooner)').choices(
      backends,
    ),
  );
