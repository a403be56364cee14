import { basename, join, resolve } from 'node:path';
import type { ImportOptions } from '../import/import-gguf.ts';
import { type PreparedImport, prepareParts } from '../import/prepare.ts';
import { limits } from '../limits.ts';
import { JsonFields } from './fields.ts';
import { graphFromConfig } from './graph-from-config.ts';
import { chatTemplateFromConfig, tokenizerFromHuggingFace } from './hf-tokenizer.ts';
import { ggufTensors } from './gguf-tensors.ts';
import { readSmallFile, type SmallFile } from './read-small-file.ts';
import { SafetensorsError } from './safetensors-error.ts';
import type { Shards } from './shards.ts';

export interface PreparedFolder {
  readonly prepared: PreparedImport;
  /** The files beside the weights that went into it. */
  readonly files: readonly SmallFile[];
}

/** Everything of an import that can be refused without reading a weight. */
export async function prepareSafetensors(
  folder: string,
  shards: Shards,
  { context, profile }: Pick<ImportOptions, 'context' | 'profile'> = {},
): Promise<PreparedFolder> {
  const configFile = await required(folder, 'config.json', limits.configBytes);
  const tokenizerFile = await required(folder, 'tokenizer.json', limits.tokenizerBytes);
  const tokenizerConfigFile = await required(folder, 'tokenizer_config.json', limits.configBytes);
  const templateFile = await readSmallFile(join(folder, 'chat_template.jinja'), limits.chatTemplateBytes);
  const config = JsonFields.ofFile(configFile);
  const tokenizerConfig = JsonFields.ofFile(tokenizerConfigFile);
  const { graph, rope } = graphFromConfig(config, context);
  const chatTemplate = templateFile ? checkedText(templateFile) : chatTemplateFromConfig(tokenizerConfig);
  const template = new TextDecoder().decode(chatTemplate);
  const prepared = prepareParts({
    graph,
    rope,
    tensors: ggufTensors(shards.tensors, graph),
    tokenizer: () => {
      const tokenizer = JsonFields.ofFile(tokenizerFile, limits.tokenizerValues);
      return tokenizerFromHuggingFace({ tokenizer, config, tokenizerConfig, template }, graph.vocabulary);
    },
    chatTemplate,
    name: basename(resolve(folder)),
    licence: 'unknown',
    profile,
  });
  const files = [configFile, tokenizerFile, tokenizerConfigFile, templateFile, shards.index];
  return { prepared, files: files.filter((file) => file !== undefined) };
}

async function required(folder: string, name: string, maximum: number): Promise<SmallFile> {
  const file = await readSmallFile(join(folder, name), maximum);
  if (!file) throw new SafetensorsError('safetensors_config', name, undefined, `this file in ${folder}`, 'none');
  return file;
}

function checkedText({ name, bytes }: SmallFile): Uint8Array {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new SafetensorsError('safetensors_config', name, undefined, 'UTF-8 text', `${bytes.length} bytes that are not`);
  }
  return bytes;
}
