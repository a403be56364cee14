import { CommonweightError } from '@commonweight/protocol';
import { replay } from '@commonweight/verifier';
import type { Context } from '../context.ts';
import { layout } from '../dev/layout.ts';
import { exitCode } from '../exit-code.ts';
import { defaultDataFolder } from '../platform/data-folder.ts';
import { readInput } from './input.ts';
import { loadModel, packageFolder } from './load-model.ts';

export interface ReplayOptions {
  readonly modelDir?: string;
  readonly data?: string;
}

/** Generates a saved answer again and prints its text. */
export async function replayFile(file: string, options: ReplayOptions, context: Context): Promise<Context['exit']> {
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
