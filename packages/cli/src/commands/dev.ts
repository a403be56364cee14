import type { Command } from 'commander';
import { mkdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { withEngineOptions } from '../engine-options.ts';
import type { EngineOptions } from '../verify/load-model.ts';
import { type CommonOptions, type Context, begin, withCommonOptions } from '../context.ts';
import { integer } from '../integer-option.ts';
import { limits } from '../limits.ts';
import { defaultDataFolder } from '../platform/data-folder.ts';

interface Options extends CommonOptions, EngineOptions {
  readonly port: number;
  readonly data?: string;
  readonly nodes: number;
  readonly model?: string;
  readonly liar?: true;
  readonly withParent?: true;
}

export function addDevCommand(program: Command, context: Context): void {
  const command = program
    .command('dev')
    .description('Run a whole network on this machine: chain, contracts, model, worker nodes and a gateway. Ends with Ctrl-C.')
    .option('--port <n>', 'port of the gateway; 0 takes any free one', integer(0, 65_535), 8000)
    .option('--data <dir>', "folder for everything that is kept (default: a folder of the user's data directory)")
    .option('--nodes <n>', 'number of worker nodes', integer(1, limits.nodes), 3)
    .option('--model <path>', "a copy of the default model's GGUF file, instead of fetching it (or COMMONWEIGHT_MODEL_PATH)")
    .option('--liar', 'let the last node serve a tampered copy of the model, for the demo')
    .addHelpText(
      'after',
      `
Examples:
  $ commonweight dev                       the default: port 8000, three nodes
  $ commonweight dev --port 0 --json       any free port, one event a line: wait for {"event":"ready","url":...}
  $ commonweight dev --liar                one node lies: ask it, then run commonweight verify
  $ npm start -- --data /tmp/net           the same in a clone of the repository

Exit codes: 0 ended as asked, 1 the network broke down, 2 could not start.`,
    );
  withCommonOptions(withEngineOptions(command))
    .addOption(command.createOption('--with-parent', 'end when the process that started this one ends').hideHelp())
    .action(async (options: Options) => {
      const output = begin(context, options);
      const data = resolve(options.data ?? defaultDataFolder());
      context.folder = data;
      mkdirSync(data, { recursive: true, mode: 0o700 });
      const { runDev } = await import('../dev/run-dev.ts');
      context.exit = await runDev({
        data,
        otherData: options.data !== undefined,
        port: options.port,
        nodes: options.nodes,
        modelPath: options.model,
        liar: options.liar === true,
        backend: options.backend ?? 'auto',
        // the nodes share the processors
        threads: options.threads ?? Math.max(1, Math.floor(availableParallelism() / options.nodes)),
        withParent: options.withParent === true,
        output,
        context,
      });
    });
}
