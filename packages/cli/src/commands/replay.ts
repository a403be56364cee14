import type { Command } from 'commander';
import { withEngineOptions } from '../engine-options.ts';
import { type CommonOptions, type Context, begin, withCommonOptions } from '../context.ts';
import type { ReplayOptions } from '../verify/replay-file.ts';

type Options = CommonOptions & ReplayOptions;

export function addReplayCommand(program: Command, context: Context): void {
  const command = program
    .command('replay')
    .description('Generate a saved answer again from its prompt and print the same bytes of text, nothing else.')
    .argument('<file>', 'a saved response body, stream (also one that died) or bundle; - reads standard input')
    .option('--model-dir <dir>', 'folder of the model package (default: found by its id in the data folder)')
    .option('--data <dir>', "data folder of the network (default: the user's)")
    .addHelpText(
      'after',
      `
Example:
  $ commonweight replay answer.json | cmp - <(jq -j .choices[0].message.content answer.json)

Exit codes: 0 the same text, 1 the model says something else, 2 could not check.`,
    );
  withCommonOptions(withEngineOptions(command)).action(async (file: string, options: Options) => {
    begin(context, options);
    const { replayFile } = await import('../verify/replay-file.ts');
    context.exit = await replayFile(file, options, context);
  });
}
