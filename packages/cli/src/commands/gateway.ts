import type { Command } from 'commander';
import { type CommonOptions, type Context, begin, withCommonOptions } from '../context.ts';
import { runRole } from './role.ts';

interface Options extends CommonOptions {
  readonly config: string;
}

export function addGatewayCommand(program: Command, context: Context): void {
  const command = program
    .command('gateway')
    .description('Run one gateway: an OpenAI-compatible URL in front of the nodes that the chain lists.')
    .requiredOption('--config <file>', 'JSON configuration of the gateway')
    .addHelpText(
      'after',
      `
Example:
  $ commonweight gateway --config gateway.json

Logs are JSON lines on stderr. Ends cleanly on SIGTERM and Ctrl-C. Exit codes: 0 ended as asked, 2 could not start.`,
    );
  withCommonOptions(command).action(async (options: Options) => {
    begin(context, options);
    const { readGatewayConfig, startGateway } = await import('@commonweight/node/gateway');
    context.exit = await runRole(context, async (signal) => startGateway(await readGatewayConfig(options.config), {}, signal));
  });
}
