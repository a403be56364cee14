import { CommonweightError, type FinishReason } from '@commonweight/protocol';
import { replay } from '@commonweight/verifier';
import type { Context } from '../context.ts';
import { layout } from '../dev/layout.ts';
import { exitCode } from '../exit-code.ts';
import { defaultDataFolder } from '../platform/data-folder.ts';
import { readInput } from './input.ts';
import { type EngineOptions, loadModel, packageFolder } from './load-model.ts';

export interface ReplayOptions extends EngineOptions {
  readonly modelDir?: string;
  readonly data?: string;
}

/** Generates a saved answer again and prints its text. */
export async function replayFile(file: string, options: ReplayOptions, context: Context): Promise<Context['exit']> {
  const { bundle, answerText } = readInput(file);
  const { modelId } = bundle.receipt;
  const model = await loadModel(
    packageFolder(modelId, layout(options.data ?? defaultDataFolder()).models, options.modelDir),
    modelId,
    options,
  );
  try {
    const { text = '' } = replay({ bundle, model });
    const { shown, remark } = compareShown(text, answerText, bundle.receipt.finishReason);
    if (remark !== undefined) context.streams.err(`${remark}\n`);
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

/**
 * The text to print: what was shown, where it is the beginning of what the model gives. A stop string ends the text inside a token, and one that
 * is complete with the last token of an answer leaves the receipt at `length` or `stop_id`.
 */
export function compareShown(
  text: string,
  answerText: string | undefined,
  finishReason: FinishReason,
): { readonly shown: string; readonly remark?: string } {
  if (answerText === undefined || answerText === text || !text.startsWith(answerText)) return { shown: text };
  if (finishReason === 'stop_string') return { shown: answerText };
  return {
    shown: answerText,
    remark: `note: the file shows the first ${answerText.length} of ${text.length} characters: a stop string ended the text, or somebody cut it.`,
  };
}
