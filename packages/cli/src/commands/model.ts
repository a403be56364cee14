import type { Command } from 'commander';
import { mkdirSync } from 'node:fs';
import { type CommonOptions, type Context, begin, withCommonOptions } from '../context.ts';
import { type Layout, layout } from '../dev/layout.ts';
import { defaultDataFolder } from '../platform/data-folder.ts';

interface Options extends CommonOptions {
  readonly data?: string;
}

export function addModelCommand(program: Command, context: Context): void {
  const model = program.command('model').description('Import models and list those that are here.');
  const importCommand = model
    .command('import')
    .description('Convert a model into an integer package, or fetch the default model.')
    .argument('<path>', 'a GGUF file, a folder with safetensors, or "default"')
    .option('--data <dir>', "data folder (default: the user's)")
    .addHelpText(
      'after',
      '\nExamples:\n  $ commonweight model import default\n  $ commonweight model import SmolLM2-135M-Instruct.Q4_1.gguf\n  $ commonweight model import ./SmolLM2-135M-Instruct',
    );
  withCommonOptions(importCommand).action(async (path: string, options: Options) => {
    const output = begin(context, options);
    const folders = foldersOf(options);
    context.folder = folders.data;
    mkdirSync(folders.data, { recursive: true, mode: 0o700 });
    const { importModel, prepareModel } = await import('../dev/prepare-model.ts');
    const { id, name, dir } = await (path === 'default'
      ? prepareModel({ layout: folders, output })
      : importModel({ path, layout: folders, output }));
    output.event('imported', { id, name, dir });
    output.print(`${name}  ${id}  ${dir}`);
  });

  const listCommand = model
    .command('list')
    .description('List the model packages of the data folder.')
    .option('--data <dir>', "data folder (default: the user's)")
    .addHelpText('after', '\nExample:\n  $ commonweight model list --json');
  withCommonOptions(listCommand).action(async (options: Options) => {
    const output = begin(context, options);
    const { listModels } = await import('../dev/list-models.ts');
    await listModels(foldersOf(options), output);
  });
}

const foldersOf = (options: Options): Layout => layout(options.data ?? defaultDataFolder());
