import { type Command, Option } from 'commander';
import type { ImportProfile } from '@commonweight/models';
import { mkdirSync } from 'node:fs';
import { type CommonOptions, type Context, begin, withCommonOptions } from '../context.ts';
import { addModelChainCommands } from './model-chain.ts';
import { type Layout, layout } from '../dev/layout.ts';
import { defaultDataFolder } from '../platform/data-folder.ts';

interface Options extends CommonOptions {
  readonly data?: string;
}

/** Of the converter, which is not loaded for a help text. */
const PROFILES: readonly ImportProfile[] = ['default', 'int8'];

interface ImportCommandOptions extends Options {
  readonly profile: ImportProfile;
}

export function addModelCommand(program: Command, context: Context): void {
  const model = program.command('model').description('Import models, list those that are here, publish and own them on a chain.');
  const importCommand = model
    .command('import')
    .description('Convert a model into an integer package, or fetch the default model.')
    .argument('<path>', 'a GGUF file, a folder with safetensors, or "default"')
    .addOption(
      new Option('--profile <name>', 'how numbers become integers; int8 is for hardware that multiplies bytes')
        .choices(PROFILES)
        .default('default'),
    )
    .option('--data <dir>', "data folder (default: the user's)")
    .addHelpText(
      'after',
      '\nExamples:\n  $ commonweight model import default\n  $ commonweight model import SmolLM2-135M-Instruct.Q4_1.gguf\n  $ commonweight model import ./SmolLM2-135M-Instruct\n  $ commonweight model import default --profile int8',
    );
  withCommonOptions(importCommand).action(async (path: string, options: ImportCommandOptions) => {
    const output = begin(context, options);
    const folders = foldersOf(options);
    context.folder = folders.data;
    mkdirSync(folders.data, { recursive: true, mode: 0o700 });
    const { importDefault, importModel, prepareModel } = await import('../dev/prepare-model.ts');
    const { id, name, dir } = await (path === 'default'
      ? options.profile === 'default'
        ? prepareModel({ layout: folders, output })
        : importDefault({ profile: options.profile, layout: folders, output })
      : importModel({ path, profile: options.profile, layout: folders, output }));
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
  addModelChainCommands(model, context);
}

const foldersOf = (options: Options): Layout => layout(options.data ?? defaultDataFolder());
