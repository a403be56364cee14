import type { Command } from 'commander';
import type { ExitCode } from './exit-code.ts';
import { type Output, type Streams, createOutput } from './output.ts';

/** What every command gets from `main`. */
export interface Context {
  readonly streams: Streams;
  /** Set by the command that ran. */
  exit: ExitCode;
  verbose: boolean;
  /** Whether errors leave as JSON too. */
  json: boolean;
  /** Where the command writes, for messages about the disk. */
  folder: string;
  /** Where an internal error's stack trace is written, once a command knows. */
  logFile: string | undefined;
}

/** Options that most commands have. */
export interface CommonOptions {
  readonly json?: true;
  readonly verbose?: true;
}

export const withCommonOptions = (command: Command): Command =>
  command.option('--json', 'one JSON object a line on stdout').option('--verbose', 'show stack traces');

export function begin(context: Context, options: CommonOptions): Output {
  context.json = options.json === true;
  context.verbose = options.verbose === true;
  return createOutput(context.streams, context.json);
}
