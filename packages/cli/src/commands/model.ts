import { openPackage } from '@commonweight/models';
import type { Command } from 'commander';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type CommonOptions, type Context, begin, withCommonOptions } from '../context.ts';
import { type Layout, layout } from '../dev/layout.ts';
import { importModel, prepareModel } from '../dev/prepare-model.ts';
import type { Output } from '../output.ts';
import { defaultDataFolder } from '../platform/data-folder.ts';

interface Options extends CommonOptions {
  readonly data?: string;
}

export function addModelCommand(program: Command, context: Context): void {
  const model = program.command('model').description('Import models and list those that are here.');
  const importCommand = model
    .command('import')
    .description('Convert a GGUF file into an integer package, or fetch the default model.')
    .argument('<path>', 'a GGUF file, or "default"')
    .option('--data <dir>', "data folder (default: the user's)")
    .addHelpText(
      'after',
      '\nExamples:\n  $ commonweight model import default\n  $ commonweight model import SmolLM2-135M-Instruct.Q4_1.gguf',
    );
  withCommonOptions(importCommand).action(async (path: string, options: Options) => {
    const output = begin(context, options);
    const folders = foldersOf(options);
    mkdirSync(folders.data, { recursive: true, mode: 0o700 });
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
    await list(foldersOf(options), begin(context, options));
  });
}

const foldersOf = (options: Options): Layout => layout(options.data ?? defaultDataFolder());

async function list(folders: Layout, output: Output): Promise<void> {
  const ids = existsSync(folders.models) ? readdirSync(folders.models).filter((name) => /^0x[0-9a-f]{64}$/u.test(name)) : [];
  for (const id of ids) {
    const model = await openPackage(join(folders.models, id), id as `0x${string}`);
    const bytes = model.manifest.files.reduce((sum, { size }) => sum + size, 0);
    output.event('model', { id, name: model.card.name, bytes, dir: model.dir });
    output.print(`${model.card.name}  ${id}  ${(bytes / 2 ** 20).toFixed(0)} MiB  ${model.dir}`);
    await model.close();
  }
  if (ids.length === 0) output.note(`no model in ${folders.models}: commonweight model import default`);
}
