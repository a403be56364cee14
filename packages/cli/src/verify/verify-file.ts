import { nodeSha256 } from '@commonweight/engine/node';
import { type Verdict, formatReport, verifyBundle, verifyPartial } from '@commonweight/verifier';
import type { Context } from '../context.ts';
import { layout } from '../dev/layout.ts';
import { explain } from '../fault.ts';
import { type Output, bar } from '../output.ts';
import { defaultDataFolder } from '../platform/data-folder.ts';
import { readInput } from './input.ts';
import { type EngineOptions, loadModel, packageFolder } from './load-model.ts';
import { lookUp, modelOf } from './look-up.ts';

export interface VerifyOptions extends EngineOptions {
  readonly modelDir?: string;
  readonly data?: string;
  readonly rpc?: string;
}

/** Checks a saved answer with everything that can be had on this machine, prints the report. */
export async function verify(file: string, options: VerifyOptions, output: Output, context: Context): Promise<Verdict> {
  const saved = readInput(file);
  const signed = 'partial' in saved ? saved.partial : saved.bundle;
  const folders = layout(options.data ?? defaultDataFolder());
  const { facts, remarks } = await lookUp(signed, folders, options.rpc);
  remarks.forEach((remark) => output.note(`note: ${remark}`));

  const modelId = modelOf(signed);
  const model = await orReason(async () => loadModel(packageFolder(modelId, folders.models, options.modelDir), modelId, options));
  const remark = 'reason' in model ? model.reason : model.value.remark;
  if (remark !== undefined) output.note(`note: ${remark}`);
  const given = {
    ...(saved.answerText !== undefined && { answerText: saved.answerText }),
    ...(saved.answerLogprobs && { answerLogprobs: saved.answerLogprobs }),
    ...('value' in model && { model: model.value }),
    ...(facts && { chain: facts }),
    sha256: nodeSha256,
    onProgress: (done: number, total: number) =>
      output.progress('progress', `re-executing ${bar(done, total)} ${done}/${total} positions`, { done, total }),
  };
  const report =
    'partial' in saved ? verifyPartial({ partial: saved.partial, ...given }) : verifyBundle({ bundle: saved.bundle, ...given });
  if ('value' in model) model.value.executor.close();
  output.print(formatReport(report).trimEnd());
  if (output.json)
    context.streams.out(
      `${JSON.stringify({ event: 'report', ...report, remarks: 'reason' in model ? [...remarks, model.reason] : remarks })}\n`,
    );
  return report.verdict;
}

/** A model that is missing or damaged leaves the other checks to be done; the reason is told. */
async function orReason<T>(get: () => Promise<T>): Promise<{ readonly value: T } | { readonly reason: string }> {
  try {
    return { value: await get() };
  } catch (error) {
    const { message, expected } = explain(error);
    if (!expected) throw error;
    return { reason: message };
  }
}
