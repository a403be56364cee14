import type { Command } from 'commander';
import { type CommonOptions, type Context, begin, withCommonOptions } from '../context.ts';

interface Options extends CommonOptions {
  readonly config: string;
}

export function addWithdrawCommand(program: Command, context: Context): void {
  const command = program
    .command('withdraw')
    .description(
      'Take back what lies unused in the payment channels of a gateway that does not run: once to ask for it, and again after the delay to take it.',
    )
    .requiredOption('--config <file>', 'JSON configuration of the gateway')
    .addHelpText(
      'after',
      `
Example:
  $ commonweight withdraw --config gateway.json

The payer's account pays the gas. Until the money is taken a node can claim what it was promised, and takes no more payments by the channel.
A node that took more than it may is paid nothing more; when this has taken the money of its channel, it gets another chance on a new one.
Exit codes: 0 done, 2 could not: the message says why.`,
    );
  withCommonOptions(command).action(async (options: Options) => {
    const output = begin(context, options);
    const { readGatewayConfig, withdrawChannels } = await import('@commonweight/node/gateway');
    const withdrawals = await withdrawChannels(await readGatewayConfig(options.config));
    if (withdrawals.length === 0) output.print('this gateway has no payment channels');
    for (const { channel, node, modelId, state, amount, from } of withdrawals) {
      output.event('withdrawal', { channel, node, model: modelId, state, amount: String(amount), ...(from !== undefined && { from }) });
      const until = from === undefined ? '' : `  from ${new Date(from * 1000).toISOString()}`;
      output.print(`${channel}  ${state}  ${amount}${until}`);
    }
  });
}
