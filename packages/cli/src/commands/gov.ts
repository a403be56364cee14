import { type Command, Option } from 'commander';
import type { GovCommands, ProposeOptions } from '../chain/gov-commands.ts';
import { type SignerOptions, withSignerOptions } from '../chain/signer.ts';
import { type TargetOptions, withTargetOptions } from '../chain/target.ts';
import { type CommonOptions, type Context, begin, withCommonOptions } from '../context.ts';

const VOTES = ['for', 'against', 'abstain'] as const;

const exitCodes = '\nExit codes: 0 done, 2 could not: the message says why, and when to try again.';
const append = (text: string, list: readonly string[]): readonly string[] => [...list, text];
const ID = "the proposal's number, or 0x and its first hexadecimal digits";

/** `gov`: everything that holders of votes do, and what anybody can read about it. */
export function addGovCommand(program: Command, context: Context): void {
  const gov = program
    .command('gov')
    .description('Govern a network: list and make proposals, vote, queue and execute what was voted.')
    .addHelpText(
      'after',
      `
Examples:
  $ commonweight gov list
  $ commonweight gov propose --set auditRate=200 --title "Audit twice as much" --dev
  $ commonweight gov vote 0x3f2a for --dev
${exitCodes}`,
    );
  const run = async (options: CommonOptions & SignerOptions): Promise<GovCommands> => {
    const output = begin(context, options);
    const { govCommands } = await import('../chain/gov-commands.ts');
    return govCommands(options, output);
  };
  const reading = (name: string, description: string, examples: string): Command =>
    withCommonOptions(withTargetOptions(gov.command(name).description(description))).addHelpText('after', `\n${examples}\n${exitCodes}`);
  const signing = (name: string, description: string, examples: string): Command =>
    withCommonOptions(withSignerOptions(withTargetOptions(gov.command(name).description(description)))).addHelpText(
      'after',
      `\n${examples}\n${exitCodes}`,
    );

  reading('list', 'List proposals: what they change, how they stand.', 'Example:\n  $ commonweight gov list --json | jq .state').action(
    async (options: CommonOptions & TargetOptions) => (await run(options)).list(),
  );
  reading(
    'show',
    'Show one proposal, or without a number the parameters as they are.',
    'Examples:\n  $ commonweight gov show\n  $ commonweight gov show 0x3f2a',
  )
    .argument('[proposal]', ID)
    .action(async (id: string | undefined, options: CommonOptions & TargetOptions) => (await run(options)).show(id));
  signing(
    'propose',
    'Propose changes. Needs votes above the threshold.',
    'Examples:\n  $ commonweight gov propose --set auditRate=200 --set challengeBond=25.5 --title "More audits"\n  $ commonweight gov propose --split 6500,2000,500,700,300 --title "More for models"',
  )
    .option('--set <name=value>', "a parameter's new value, in the unit that gov show names; may be given several times", append, [])
    .option('--split <five numbers>', 'node,model,parents,auditors,treasury in basis points')
    .option('--call <address:data>', 'any other call of the timelock, as hexadecimal calldata; may be given several times', append, [])
    .requiredOption('--title <text>', 'what the proposal is about')
    .action(async (options: ProposeOptions) => (await run(options)).propose(options));
  signing('vote', 'Vote on a proposal while it is active.', 'Example:\n  $ commonweight gov vote 0x3f2a for --reason "cheaper"')
    .argument('<proposal>', ID)
    .argument('<vote>', VOTES.join(', '))
    .addOption(new Option('--reason <text>', 'stored on the chain').default(''))
    .action(async (id: string, vote: string, options: CommonOptions & SignerOptions & { reason: string }) =>
      (await run(options)).vote(id, vote, options.reason),
    );
  signing(
    'delegate',
    'Let somebody vote with your tokens; without an address, yourself. Tokens count only once delegated.',
    'Example:\n  $ commonweight gov delegate',
  )
    .argument('[address]', 'who votes')
    .action(async (to: string | undefined, options: CommonOptions & SignerOptions) => (await run(options)).delegate(to));
  signing('queue', 'Put what was voted into the timelock. Anybody may.', 'Example:\n  $ commonweight gov queue 0x3f2a')
    .argument('<proposal>', ID)
    .action(async (id: string, options: CommonOptions & SignerOptions) => (await run(options)).queue(id));
  signing('execute', 'Execute what has waited long enough in the timelock. Anybody may.', 'Example:\n  $ commonweight gov execute 0x3f2a')
    .argument('<proposal>', ID)
    .action(async (id: string, options: CommonOptions & SignerOptions) => (await run(options)).execute(id));
}
