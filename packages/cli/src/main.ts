import { CommanderError } from 'commander';
import { appendFileSync } from 'node:fs';
import type { Context } from './context.ts';
import { type ExitCode, exitCode } from './exit-code.ts';
import { explain } from './fault.ts';
import { type Streams, createOutput, processStreams } from './output.ts';
import { createProgram } from './program.ts';

/** Runs one command line (without `node` and the script's name) and resolves with its exit code. Never throws. */
export async function main(argv: readonly string[], streams: Streams = processStreams()): Promise<ExitCode> {
  const context: Context = { streams, exit: exitCode.ok, verbose: false, json: false, folder: 'the data folder', logFile: undefined };
  try {
    await createProgram(context).parseAsync(argv, { from: 'user' });
    return context.exit;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCode.ok : exitCode.unchecked;
    tell(error, context);
    return exitCode.unchecked;
  }
}

function tell(error: unknown, context: Context): void {
  const { message, code, expected } = explain(error, context.folder);
  createOutput(context.streams, context.json).event('error', { code, message });
  context.streams.err(`${message}\n`);
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  if (context.verbose) context.streams.err(`${stack}\n`);
  if (expected || context.logFile === undefined) return;
  try {
    appendFileSync(context.logFile, `${stack}\n`);
  } catch (cause) {
    // the disk of the log may be the very thing that is broken
    context.streams.err(`${explain(cause, context.folder).message}\n${stack}\n`);
  }
}
