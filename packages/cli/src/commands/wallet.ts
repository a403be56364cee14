import type { Command } from 'commander';
import type { WalletCommands } from '../chain/wallet-commands.ts';
import { type SignerOptions, withSignerOptions } from '../chain/signer.ts';
import { withTargetOptions } from '../chain/target.ts';
import { type CommonOptions, type Context, begin, withCommonOptions } from '../context.ts';

const ASSET = 'ether, token (the votes token), dollar (of a development chain), or the address of an ERC-20';
const exitCodes = '\nExit codes: 0 done, 2 could not: the message says why.';
type Options = CommonOptions & SignerOptions;

/** `wallet`: a key of one's own, and what it holds. */
export function addWalletCommand(program: Command, context: Context): void {
  const wallet = program
    .command('wallet')
    .description('Make a key, see what it holds, send, and let Permit2 move a token for x402 payments.')
    .addHelpText(
      'after',
      `
Examples:
  $ commonweight wallet create
  $ commonweight wallet send 0x70997970c51812dc3a010c7d01b50e0d17dc79c8 12.5 --asset dollar --dev
  $ commonweight wallet balance

The key lies in a file that you alone can read (mode 0600): no password protects it, the permissions of your disk do. Back it up.
${exitCodes}`,
    );
  const run = async (options: Options): Promise<WalletCommands> => {
    const output = begin(context, options);
    const { walletCommands } = await import('../chain/wallet-commands.ts');
    return walletCommands(options, output);
  };
  const add = (name: string, description: string, example: string): Command =>
    withCommonOptions(withTargetOptions(wallet.command(name).description(description))).addHelpText(
      'after',
      `\nExample:\n  $ commonweight wallet ${example}\n${exitCodes}`,
    );
  add('create', 'Make a new key; never overwrites one.', 'create --key-file voter.key')
    .option('--key-file <file>', "where it goes (default: the data folder's wallet.key)")
    .action(async (options: Options) => (await run(options)).create());
  withSignerOptions(add('show', "Print the wallet's address.", 'show')).action(async (options: Options) => (await run(options)).show());
  withSignerOptions(add('balance', 'What an address holds: ether, votes tokens, and the dollars of a development chain.', 'balance'))
    .argument('[address]', "whose (default: the wallet's)")
    .option('--asset <asset>', ASSET)
    .action(async (holder: string | undefined, options: Options & { asset?: string }) =>
      (await run(options)).balance(holder, options.asset),
    );
  withSignerOptions(add('send', 'Send ether or a token.', 'send 0x70997970c51812dc3a010c7d01b50e0d17dc79c8 0.5 --asset ether'))
    .argument('<to>', 'address')
    .argument('<amount>', 'in whole units, such as 12.5')
    .requiredOption('--asset <asset>', ASSET)
    .action(async (to: string, amount: string, options: Options & { asset: string }) =>
      (await run(options)).send(to, amount, options.asset),
    );
  withSignerOptions(add('approve', 'Let Permit2 move up to an amount of a token; 0 takes it back.', 'approve 100 --asset dollar'))
    .argument('<amount>', 'in whole units, or all')
    .requiredOption('--asset <asset>', ASSET)
    .action(async (amount: string, options: Options & { asset: string }) => (await run(options)).approve(amount, options.asset));
}
