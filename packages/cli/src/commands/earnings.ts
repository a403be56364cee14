import type { Command } from 'commander';
import type { TargetOptions } from '../chain/target.ts';
import { withTargetOptions } from '../chain/target.ts';
import { type CommonOptions, type Context, begin, withCommonOptions } from '../context.ts';

interface Options extends CommonOptions, TargetOptions {
  readonly nodeData?: string;
  readonly why?: true;
}

/** `earnings`: what a node was paid, what is on its way, and what will not come. */
export function addEarningsCommand(program: Command, context: Context): void {
  const command = program
    .command('earnings')
    .description("What a node earned: paid, pending and unpaid, from the node's own journals and the chain. The node may be running.")
    .option('--node-data <dir>', 'data directory of the worker (default: the first node of the data folder)')
    .option('--why', 'every run on a line of its own, with the reason')
    .addHelpText(
      'after',
      `
Examples:
  $ commonweight earnings
  $ commonweight earnings --why --node-data /var/lib/commonweight/node --rpc-url http://127.0.0.1:8545 --deployments deployments.json

Exit codes: 0 done, 2 could not: the message says why.`,
    );
  withCommonOptions(withTargetOptions(command)).action(async (options: Options) => {
    const output = begin(context, options);
    const { showEarnings } = await import('../chain/earnings-command.ts');
    await showEarnings(options, output);
  });
}
