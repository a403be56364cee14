import type { Command } from 'commander';
import { withEngineOptions } from '../engine-options.ts';
import { type CommonOptions, type Context, begin, withCommonOptions } from '../context.ts';
import type { VerifyOptions } from '../verify/verify-file.ts';

type Options = CommonOptions & VerifyOptions;

export function addVerifyCommand(program: Command, context: Context): void {
  const command = program
    .command('verify')
    .description('Re-execute a saved answer on this machine, bit for bit, and say what was checked and what was not.')
    .argument('<file>', 'a saved response body, stream (also one that died) or bundle; - reads standard input')
    .option('--model-dir <dir>', 'folder of the model package (default: found by its id in the data folder)')
    .option('--data <dir>', "data folder of the network (default: the user's)")
    .option('--rpc <url>', 'chain to ask about the receipt (default: the running network of the data folder)')
    .addHelpText(
      'after',
      `
Examples:
  $ curl ... > answer.json && commonweight verify answer.json
  $ commonweight verify --json answer.json | jq .verdict

Of an answer that broke off, it checks the tokens that the node had signed until then, and says how many those are.
Works with the network stopped, and then names the chain facts that it could not check.
Exit codes: 0 verified, 1 refuted, 2 could not check.`,
    );
  withCommonOptions(withEngineOptions(command)).action(async (file: string, options: Options) => {
    const output = begin(context, options);
    const [{ verify }, { exitCodes }] = await Promise.all([import('../verify/verify-file.ts'), import('@commonweight/verifier')]);
    context.exit = exitCodes[await verify(file, options, output, context)];
  });
}
