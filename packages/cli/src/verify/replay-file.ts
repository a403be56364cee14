import { CommonweightError } from '@commonweight/protocol';
import { replay } from '@commonweight/verifier';
import type { Context } from '../context.ts';
import { layout } from '../dev/layout.ts';
import { exitCode } from '../exit-code.ts';
import { defaultDataFolder } from '../platform/data-folder.ts';
import { readInput } from './input.ts';
import { type EngineOptions, loadModel, packageFolder } from './load-model.ts';
import { modelOf } from './look-up.ts';

export interface ReplayOptions extends EngineOptions {
  readonly modelDir?: string;
  readonly data?: string;
}

/** Generates a saved answer again and prints its text. */
export async function replayFile(file: string, options: ReplayOptions, context: Context): Promise<Context['exit']> {
  const saved = readInput(file);
  const { answerText } = saved;
  const bundle = 'partial' in saved ? saved.partial : saved.bundle;
  const modelId = modelOf(bundle);
  const model = await loadModel(
    packageFolder(modelId, layout(options.data ?? defaultDataFolder()).models, options.modelDir),
    modelId,
    options,
  );
  try {
    const { text = '' } = replay({ bundle, model });
    const { shown, remark, differs } =
      'partial' in saved
        ? compareCovered(text, answerText)
        : compareShown(text, answerText, saved.bundle.end?.end.reason === 'stop_string');
    if (remark !== undefined) context.streams.err(`${remark}\n`);
    if (context.json) context.streams.out(`${JSON.stringify({ event: 'replay', text: shown, tokens: bundle.completionIds.length })}\n`);
    else context.streams.out(shown);
    if (!differs) return exitCode.ok;
    context.streams.err('The model gives another text than the file shows; run verify for the whole report.\n');
    return exitCode.failed;
  } catch (error) {
    if (!(error instanceof CommonweightError && error.code === 'replay-differs')) throw error;
    context.streams.err(`${error.message}\n`);
    return exitCode.failed;
  }
}

export interface Shown {
  /** To print. */
  readonly shown: string;
  readonly remark?: string;
  /** The file shows another text than the model gives. */
  readonly differs: boolean;
}

/** The text to print of an answer that broke off: what the covered tokens say. What the file shows beyond them is nobody's word. */
export function compareCovered(text: string, answerText: string | undefined): Shown {
  const covered = text.replace(/\uFFFD+$/, '');
  if (answerText === undefined) return { shown: covered, differs: false };
  const beyond = answerText.length - covered.length;
  if (answerText.startsWith(covered)) {
    const remark = `note: the answer broke off; what the file shows after these (${beyond} UTF-16 units) is not covered by the node's signature.`;
    return { shown: covered, differs: false, ...(beyond > 0 && { remark }) };
  }
  return { shown: covered, differs: !covered.startsWith(answerText) };
}

/**
 * The text to print: what was shown, where it is the beginning of what the model gives. A stop string ends the text inside a token, and one that
 * came too late for the node leaves the receipt at `length` or `stop_id`: then the payer's signed end says so, in a bundle that holds it.
 *
 * @param stopString - the payer's signed end says that a stop string ended the text
 */
export function compareShown(text: string, answerText: string | undefined, stopString: boolean): Shown {
  if (answerText === undefined || answerText === text) return { shown: text, differs: false };
  if (!text.startsWith(answerText)) return { shown: text, differs: true };
  if (stopString) return { shown: answerText, differs: false };
  return {
    shown: answerText,
    differs: false,
    remark: `note: the file shows the first ${answerText.length} of ${text.length} characters: a stop string ended the text, or somebody cut it.`,
  };
}
