import type { Command } from 'commander';
import { withEngineOptions } from '../engine-options.ts';
import type { EngineOptions } from '../verify/load-model.ts';
import { type CommonOptions, type Context, begin, withCommonOptions } from '../context.ts';
import { runRole } from './role.ts';

interface Options extends CommonOptions, EngineOptions {
  readonly config: string;
}

export function addWorkerCommand(program: Command, context: Context): void {
  const command = program
    .command('worker')
    .description('Run one node: takes token ids, runs the model, signs receipts and posts them on chain.')
    .requiredOption('--config <file>', 'JSON configuration of the worker')
    .addHelpText(
      'after',
      `
Example:
  $ commonweight worker --config node.json

Logs are JSON lines on stderr. Ends cleanly on SIGTERM and Ctrl-C. Exit codes: 0 ended as asked, 2 could not start.`,
    );
  withCommonOptions(withEngineOptions(command)).action(async (options: Options) => {
    begin(context, options);
    const { readWorkerConfig, startWorker } = await import('@commonweight/node/worker');
    context.exit = await runRole(context, async (signal) => {
      const config = await readWorkerConfig(options.config);
      const { backend = config.backend, threads = config.threads } = options;
      return startWorker({ ...config, backend, threads }, {}, signal);
    });
  });
}
