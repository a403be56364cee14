import { replay } from '@commonweight/verifier';
import { CommonweightError } from '@commonweight/protocol';
import type { Command } from 'commander';
import { type CommonOptions, type Context, begin, withCommonOptions } from '../context.ts';
import { layout } from '../dev/layout.ts';
import { exitCode } from '../exit-code.ts';
import { defaultDataFolder } from '../platform/data-folder.ts';
import { readInput } from '../verify/input.ts';
import { loadModel, packageFolder } from '../verify/load-model.ts';

interface Options extends CommonOptions {
  readonly modelDir?: string;
  readonly data?: string;
}

export function addReplayCommand(program: Command, context: Context): void {
  const command = program
    .command('replay')
    .description('Generate a saved answer again from its prompt and print the same bytes of text, nothing else.')
    .argument('<file>', 'a saved response body, stream or bundle; - reads standard input')
    .option('--model-dir <dir>', 'folder of the model package (default: found by its id in the data folder)')
    .option('--data <dir>', "data folder of the network (default: the user's)")
    .addHelpText(
      'after',
      `
Example:
  $ commonweight replay answer.json | cmp - <(jq -j .choices[0].message.content answer.json)

Exit codes: 0 the same text, 1 the model says something else, 2 could not check.`,
    );
  withCommonOptions(command).action(async (file: string, options: Options) => {
    begin(context, options);
    context.exit = await replayFile(file, options, context);
  });
}

async function replayFile(file: string, options: Options, context: Context): Promise<Context['exit']> {
  const { bundle, answerText } = readInput(file);
  const { modelId } = bundle.receipt;
  const model = await loadModel(packageFolder(modelId, layout(options.data ?? defaultDataFolder()).models, options.modelDir), modelId);
  try {
    const { text = '' } = replay({ bundle, model });
    // a stop string ends the text inside a token: what follows was never shown
    const shown =
      answerText !== undefined && text.startsWith(answerText) && bundle.receipt.finishReason === 'stop_string' ? answerText : text;
    if (context.json) context.streams.out(`${JSON.stringify({ event: 'replay', text: shown, tokens: bundle.completionIds.length })}\n`);
    else context.streams.out(shown);
    if (answerText === undefined || shown === answerText) return exitCode.ok;
    context.streams.err('The model gives another text than the file shows; run verify for the whole report.\n');
    return exitCode.failed;
  } catch (error) {
    if (!(error instanceof CommonweightError && error.code === 'replay-differs')) throw error;
    context.streams.err(`${error.message}\n`);
    return exitCode.failed;
  }
}
