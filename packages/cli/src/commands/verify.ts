import { nodeSha256 } from '@commonweight/engine/node';
import { type Verdict, exitCodes, formatReport, verifyBundle } from '@commonweight/verifier';
import type { Command } from 'commander';
import { type CommonOptions, type Context, begin, withCommonOptions } from '../context.ts';
import { layout } from '../dev/layout.ts';
import { explain } from '../fault.ts';
import { type Output, bar } from '../output.ts';
import { defaultDataFolder } from '../platform/data-folder.ts';
import { readInput } from '../verify/input.ts';
import { loadModel, packageFolder } from '../verify/load-model.ts';
import { lookUp } from '../verify/look-up.ts';

interface Options extends CommonOptions {
  readonly modelDir?: string;
  readonly data?: string;
  readonly rpc?: string;
}

export function addVerifyCommand(program: Command, context: Context): void {
  const command = program
    .command('verify')
    .description('Re-execute a saved answer on this machine, bit for bit, and say what was checked and what was not.')
    .argument('<file>', 'a saved response body, stream or bundle; - reads standard input')
    .option('--model-dir <dir>', 'folder of the model package (default: found by its id in the data folder)')
    .option('--data <dir>', "data folder of the network (default: the user's)")
    .option('--rpc <url>', 'chain to ask about the receipt (default: the running network of the data folder)')
    .addHelpText(
      'after',
      `
Examples:
  $ curl ... > answer.json && commonweight verify answer.json
  $ commonweight verify --json answer.json | jq .verdict

Works with the network stopped, and then names the chain facts that it could not check.
Exit codes: 0 verified, 1 refuted, 2 could not check.`,
    );
  withCommonOptions(command).action(async (file: string, options: Options) => {
    const output = begin(context, options);
    const verdict = await verify(file, options, output, context);
    context.exit = exitCodes[verdict];
  });
}

async function verify(file: string, options: Options, output: Output, context: Context): Promise<Verdict> {
  const { bundle, answerText } = readInput(file);
  const folders = layout(options.data ?? defaultDataFolder());
  const { facts, remarks } = await lookUp(bundle, folders, options.rpc);
  remarks.forEach((remark) => output.note(`note: ${remark}`));

  const { modelId } = bundle.receipt;
  const model = await orReason(async () => loadModel(packageFolder(modelId, folders.models, options.modelDir), modelId));
  if ('reason' in model) output.note(`note: ${model.reason}`);
  const report = verifyBundle({
    bundle,
    ...(answerText !== undefined && { answerText }),
    ...('value' in model && { model: model.value }),
    ...(facts && { chain: facts }),
    sha256: nodeSha256,
    onProgress: (done, total) =>
      output.progress('progress', `re-executing ${bar(done, total)} ${done}/${total} positions`, { done, total }),
  });
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
