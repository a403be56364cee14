import type { Command } from 'commander';
import { type SignerOptions, withSignerOptions } from '../chain/signer.ts';
import type { StakeCommands } from '../chain/stake-commands.ts';
import { withTargetOptions } from '../chain/target.ts';
import { type CommonOptions, type Context, begin, withCommonOptions } from '../context.ts';

const OPERATOR = "the operator's address (default: the signing key's own)";
const exitCodes = '\nExit codes: 0 done, 2 could not: the message says why, and when to try again.';
type Options = CommonOptions & SignerOptions & { readonly operator?: string };

/** `stake`: what operators and their delegators stand to lose, and how they leave. */
export function addStakeCommand(program: Command, context: Context): void {
  const stake = program
    .command('stake')
    .description('Stake for a node, delegate to one, leave, and see what is reserved, free and on its way out.')
    .addHelpText(
      'after',
      `
Examples:
  $ commonweight stake add 1000 --key-file operator.key
  $ commonweight stake delegate 250.5 --operator 0x70997970c51812dc3a010c7d01b50e0d17dc79c8
  $ commonweight stake show --operator 0x70997970c51812dc3a010c7d01b50e0d17dc79c8

Stake can be slashed until it is withdrawn: while it thaws, too.
${exitCodes}`,
    );
  const run = async (options: Options): Promise<StakeCommands> => {
    const output = begin(context, options);
    const { stakeCommands } = await import('../chain/stake-commands.ts');
    return stakeCommands(options, output);
  };
  const add = (name: string, description: string, example: string): Command =>
    withCommonOptions(withSignerOptions(withTargetOptions(stake.command(name).description(description))))
      .option('--operator <address>', OPERATOR)
      .addHelpText('after', `\nExample:\n  $ commonweight stake ${example}\n${exitCodes}`);
  add('show', 'What an operator has at stake, and your part of it.', 'show --operator 0x70997970c51812dc3a010c7d01b50e0d17dc79c8').action(
    async (options: Options) => (await run(options)).show(),
  );
  add('add', "Add tokens to an operator's own stake; they belong to the operator from then on.", 'add 1000 --key-file operator.key')
    .argument('<amount>', 'tokens, such as 1000')
    .action(async (amount: string, options: Options) => (await run(options)).add(amount));
  add(
    'delegate',
    'Stake with somebody else, who must have own stake.',
    'delegate 250 --operator 0x70997970c51812dc3a010c7d01b50e0d17dc79c8',
  )
    .argument('<amount>', 'tokens')
    .action(async (amount: string, options: Options) => (await run(options)).delegate(amount));
  add('thaw', 'Begin to leave with own stake or a delegation.', 'thaw 100')
    .argument('<amount>', 'tokens, or all')
    .action(async (amount: string, options: Options) => (await run(options)).thaw(amount));
  add('withdraw', 'Fetch every thaw that is due.', 'withdraw').action(async (options: Options) => (await run(options)).withdraw());
}
