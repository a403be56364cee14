import type { Command } from 'commander';
import type { PublishOptions } from '../chain/record-commands.ts';
import type { ModelContext } from '../chain/model-client.ts';
import { type SignerOptions, withSignerOptions } from '../chain/signer.ts';
import { type TargetOptions, withTargetOptions } from '../chain/target.ts';
import { type CommonOptions, type Context, begin, withCommonOptions } from '../context.ts';
import { integer } from '../integer-option.ts';

const exitCodes = '\nExit codes: 0 done, 2 could not: the message says why.';
const append = (text: string, list: readonly string[]): readonly string[] => [...list, text];
const MODEL = 'folder of a model package, or the id of one in the data folder';
const ID = 'id of a published model';

type Options = CommonOptions & SignerOptions;

/** What the owner of a model does on the chain, and what anybody can see and contest there. */
export function addModelChainCommands(model: Command, context: Context): void {
  const begun = async (options: CommonOptions & TargetOptions): Promise<ModelContext> => {
    const output = begin(context, options);
    const { modelContext } = await import('../chain/model-client.ts');
    return modelContext(options, output);
  };
  const records = () => import('../chain/record-commands.ts');
  const lines = () => import('../chain/line-commands.ts');
  const sharing = () => import('../chain/share-commands.ts');
  const reading = (parent: Command, name: string, description: string, example: string): Command =>
    withCommonOptions(withTargetOptions(parent.command(name).description(description))).addHelpText(
      'after',
      `\nExample:\n  $ commonweight ${example}\n${exitCodes}`,
    );
  const signing = (parent: Command, name: string, description: string, example: string): Command =>
    withSignerOptions(reading(parent, name, description, example));

  signing(
    model,
    'publish',
    'Publish a model on the chain. Leaves the deposit that gov show names as modelDeposit.',
    'model publish ./my-model --prove --key-file owner.key',
  )
    .argument('<model>', MODEL)
    .option('--manifest-url <url>', 'where others can fetch the manifest', '')
    .option('--card-url <url>', 'where others can fetch the card', '')
    .option('--prove', 'show the manifest too, which makes the ownership of the weights final')
    .action(async (path: string, options: Options & PublishOptions) => (await records()).publish(await begun(options), path, options));
  signing(
    model,
    'prove',
    'Show the manifest of a published model: its weights keep their owner for ever. Once.',
    'model prove ./my-model --dev',
  )
    .argument('<model>', MODEL)
    .action(async (path: string, options: Options) => (await records()).prove(await begun(options), path));
  signing(
    model,
    'challenge',
    'Have a record removed that names other weights than its manifest, for half of its deposit.',
    'model challenge 0x3f... manifest.json --key-file my.key',
  )
    .argument('<id>', ID)
    .argument('<manifest>', 'file with the very bytes of the manifest')
    .action(async (id: string, file: string, options: Options) => (await records()).challenge(await begun(options), id, file));
  signing(model, 'deposit', 'Fetch deposits whose window is over, and rewards.', 'model deposit 0x3f... --key-file owner.key')
    .argument('[id]', `${ID}; without one, what is credited already`)
    .option('--to <address>', 'who is paid (default: the signer)')
    .action(async (id: string | undefined, options: Options & { to?: string }) =>
      (await records()).deposit(await begun(options), id, options.to),
    );
  reading(model, 'show', 'Show what the chain says of a model: owner, weights, deposit, shares.', 'model show 0x3f... --json')
    .argument('<id>', ID)
    .action(async (id: string, options: CommonOptions & TargetOptions) => (await records()).show(await begun(options), id));
  signing(
    model,
    'transfer',
    'Offer the weights of a model, with every model over them; without an address take the offer back.',
    'model transfer 0x3f... 0x7a... --key-file owner.key',
  )
    .argument('<id>', ID)
    .argument('[address]', 'who may accept')
    .action(async (id: string, to: string | undefined, options: Options) => (await records()).transfer(await begun(options), id, to));
  signing(model, 'accept', 'Take over the weights of a model that its owner has offered.', 'model accept 0x3f... --key-file new.key')
    .argument('<id>', ID)
    .action(async (id: string, options: Options) => (await records()).accept(await begun(options), id));

  signing(
    model,
    'tag',
    'Make a model the newest version of a line of yours, and point a tag at it; without a model remove the tag.',
    'model tag smollm latest 0x3f... --key-file owner.key',
  )
    .argument('<line>', 'name of a line of yours, opened when it is new; or its id')
    .argument('<tag>', 'such as latest or stable; at most 31 bytes')
    .argument('[id]', ID)
    .action(async (line: string, name: string, id: string | undefined, options: Options) =>
      (await lines()).tag(await begun(options), line, name, id),
    );
  reading(model, 'versions', 'List the versions of a line with their tags, or all lines.', 'model versions smollm --owner 0x7a...')
    .argument('[line]', 'id of a line, or a name with --owner')
    .option('--owner <address>', 'who opened the line under this name')
    .action(async (line: string | undefined, options: CommonOptions & TargetOptions & { owner?: string }) =>
      (await lines()).versions(await begun(options), line, options.owner),
    );

  const shares = model.command('shares').description('Shares in what a model earns: found, show, send them, collect.');
  signing(
    shares,
    'found',
    'Mint the 1,000,000 shares of a proven model to its owner. Once; parents never change.',
    'model shares found 0x3f... --parent 0x9c...:10000 --key-file owner.key',
  )
    .argument('<id>', ID)
    .option('--parent <root:part>', 'weights that it was made from, and their basis points of what goes to parents; at most 4', append, [])
    .option('--royalty <basis points>', 'hint for sales of shares', integer(0, 1000), 0)
    .action(async (id: string, options: Options & { parent: readonly string[]; royalty: number }) =>
      (await sharing()).found(await begun(options), id, options.parent, options.royalty),
    );
  signing(shares, 'show', 'Show the shares of an address and what they have earned.', 'model shares show 0x3f... --holder 0x7a...')
    .argument('<id>', ID)
    .option('--holder <address>', 'whose (default: the signer)')
    .action(async (id: string, options: Options & { holder?: string }) => (await sharing()).show(await begun(options), id, options.holder));
  signing(shares, 'send', 'Send shares to somebody; what they earned until then stays yours.', 'model shares send 0x3f... 0x7a... 250000')
    .argument('<id>', ID)
    .argument('<address>', 'who gets them')
    .argument('<amount>', 'shares, of 1,000,000')
    .action(async (id: string, to: string, amount: string, options: Options) =>
      (await sharing()).send(await begun(options), id, to, amount),
    );
  signing(
    shares,
    'collect',
    'Collect what your shares of a model have earned, in every asset.',
    'model shares collect 0x3f... --key-file owner.key',
  )
    .argument('<id>', ID)
    .action(async (id: string, options: Options) => (await sharing()).collect(await begun(options), id));
}
