import { readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CommonweightError } from '@commonweight/protocol';
import { expect, it } from 'vitest';
import { openPackage } from '../package/open-package.ts';
import { JsonFields } from '../safetensors/fields.ts';
import { graphFromConfig } from '../safetensors/graph-from-config.ts';
import { neighbourRow } from './neighbour-rows.ts';
import { temporaryTestFolder } from '../testing/temporary-folder.ts';
import { tinyCheckpoint, type TinyCheckpoint, writeCheckpoint } from '../testing/tiny-checkpoint.ts';
import { importGguf } from './import-gguf.ts';
import { importModel } from './import-model.ts';
import { importSafetensors } from './import-safetensors.ts';

it.each([
  ['one file', 1, {}],
  ['three shards', 3, {}],
  ['other heads', 1, { heads: 4, kvHeads: 2, layers: 2, seed: 7 }],
])('%s: the same package as from GGUF, bit for bit', async (_, shards, options) => {
  const folder = await temporaryTestFolder();
  const checkpoint = tinyCheckpoint(options);
  await writeFile(join(folder, 'tiny.gguf'), checkpoint.gguf);
  await writeCheckpoint(join(folder, 'Tiny Llama'), checkpoint, shards);
  const fromGguf = await importModel({ path: join(folder, 'tiny.gguf'), outDir: join(folder, 'one') });
  const steps: string[] = [];
  const made = await importModel({
    path: join(folder, 'Tiny Llama'),
    outDir: join(folder, 'two'),
    onProgress: (phase, done, total) => steps.push(`${phase} ${done === total}`),
  });
  expect(made.manifest).toEqual(fromGguf.manifest);
  expect(made.modelId).toBe(fromGguf.modelId);
  expect(made.card).toMatchObject({ name: 'tiny-llama', converter: 'commonweight-safetensors/1', source: { uri: 'file:Tiny Llama' } });
  expect(steps).toContain('verify true');
  expect(steps.at(-1)).toBe('import true');
  const model = await openPackage(made.dir, fromGguf.modelId);
  model.verifyWeights();
  await model.close();
});

it('rows of Q and K: reshape(heads, 2, half).swapaxes(1, 2), head by head', () => {
  expect([0, 1, 2, 3, 4, 5, 6, 7].map((row) => neighbourRow(row, 4))).toEqual([0, 2, 1, 3, 4, 6, 5, 7]);
  expect([0, 1, 2, 3, 4, 5].map((row) => neighbourRow(row, 6))).toEqual([0, 3, 1, 4, 2, 5]);
});

it('real numbers of config.json count as float32, which is what GGUF files hold', () => {
  const config = { ...tinyCheckpoint({ layers: 1 }).json['config.json'], hidden_size: 3_904 };
  const bytes = new TextEncoder().encode(JSON.stringify({ ...config, head_dim: 64, num_attention_heads: 61 }));
  // R(1e-5 * 3904 * 2^24) is 654,983 in float64.
  expect(graphFromConfig(JsonFields.ofFile({ name: 'config.json', bytes })).graph.normEpsilon).toBe(654_982);
});

it('newer spellings give the same package: merges as pairs, rope_parameters, a template file, a token as an object, links to blobs', async () => {
  const folder = await temporaryTestFolder();
  const checkpoint = tinyCheckpoint({ layers: 1 });
  await writeCheckpoint(join(folder, 'old'), checkpoint);
  const { json, tensors } = checkpoint;
  const { rope_theta: theta, rope_scaling: _, ...config } = json['config.json'];
  const { chat_template: template, ...tokenizerConfig } = json['tokenizer_config.json'];
  const model = json['tokenizer.json']['model'] as { merges: string[] };
  await writeCheckpoint(join(folder, 'new'), {
    tensors,
    json: {
      'config.json': { ...config, rope_parameters: { rope_type: 'default', rope_theta: theta } },
      'tokenizer.json': { ...json['tokenizer.json'], model: { ...model, merges: model.merges.map((merge) => merge.split(' ')) } },
      'tokenizer_config.json': { ...tokenizerConfig, eos_token: { content: '<|im_end|>' } },
    },
  });
  await writeFile(join(folder, 'new', 'chat_template.jinja'), template as string);
  await rm(join(folder, 'new', 'model.safetensors'));
  await symlink(join(folder, 'old', 'model.safetensors'), join(folder, 'new', 'model.safetensors'));
  const [one, two] = [await importSafetensors(at(folder, 'old')), await importSafetensors(at(folder, 'new'))];
  expect(two.modelId).toBe(one.modelId);
  expect(two.card.source.sha256).not.toBe(one.card.source.sha256);
});

const words = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+";
const rest = ' ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+';

it.each([
  ['llama-bpe', '\\p{N}{1,3}', { ignore_merges: true }, null],
  ['qwen2', '\\p{N}', {}, { type: 'NFC' }],
])('the split of %s, written as its model does, gives the package of the GGUF file', async (pre, digits, change, normalizer) => {
  const folder = await temporaryTestFolder();
  const { gguf, tensors, json } = tinyCheckpoint({ layers: 1, preTokenizer: pre });
  const model = { ...(json['tokenizer.json']['model'] as object), ...change };
  const pretokenizers = [
    { type: 'Split', pattern: { Regex: `${words}|${digits}|${rest}` }, behavior: 'Isolated', invert: false },
    { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false },
  ];
  const tokenizer = { ...json['tokenizer.json'], model, normalizer, pre_tokenizer: { type: 'Sequence', pretokenizers } };
  await writeCheckpoint(join(folder, 'checkpoint'), { tensors, json: { ...json, 'tokenizer.json': tokenizer } });
  await writeFile(join(folder, 'model.gguf'), gguf);
  const [one, two] = [await importSafetensors(at(folder, 'checkpoint')), await importGguf(at(folder, 'model.gguf'))];
  expect(one.modelId).toBe(two.modelId);
});

const at = (folder: string, name: string) => ({ path: join(folder, name), outDir: join(folder, 'models') });

/** Changes one file's value; `undefined` takes the file away. */
const changed =
  (file: keyof TinyCheckpoint['json'], change: Record<string, unknown>) =>
  ({ tensors, json }: TinyCheckpoint): Omit<TinyCheckpoint, 'gguf'> => ({
    tensors,
    json: { ...json, [file]: { ...json[file], ...change } },
  });
const retensored =
  (change: (tensors: TinyCheckpoint['tensors']) => TinyCheckpoint['tensors']) =>
  ({ tensors, json }: TinyCheckpoint): Omit<TinyCheckpoint, 'gguf'> => ({ tensors: change(tensors), json });
const bpe = (change: Record<string, unknown>) => (checkpoint: TinyCheckpoint) =>
  changed('tokenizer.json', { model: { ...(checkpoint.json['tokenizer.json']['model'] as object), ...change } })(checkpoint);
const { tensors } = tinyCheckpoint({ layers: 1 });
const bias = { name: 'model.layers.0.self_attn.q_proj.bias', type: 'F32', shape: [1], data: new Uint8Array(4) };
const head = { ...tensors.find(({ name }) => name === 'model.embed_tokens.weight')!, name: 'lm_head.weight' };

it.each<readonly [string, string, (checkpoint: TinyCheckpoint) => Omit<TinyCheckpoint, 'gguf'>]>([
  ['another architecture', 'config.json architectures', changed('config.json', { architectures: ['MistralForCausalLM'] })],
  ['another type', 'config.json model_type', changed('config.json', { model_type: 'gemma3' })],
  ['RoPE scaling', 'config.json rope_scaling rope_type', changed('config.json', { rope_scaling: { type: 'dynamic', factor: 8 } })],
  ['a factor below 1', 'config.json rope_scaling factor', changed('config.json', { rope_scaling: { type: 'linear', factor: 0.5 } })],
  ['RoPE parameters', 'config.json rope_parameters rope_type', changed('config.json', { rope_parameters: { rope_type: 'longrope' } })],
  ['a window of attention', 'config.json sliding_window', changed('config.json', { sliding_window: 100 })],
  ['another activation', 'config.json hidden_act', changed('config.json', { hidden_act: 'gelu' })],
  ['biases', 'config.json attention_bias', changed('config.json', { attention_bias: true })],
  ['a quantised checkpoint', 'config.json quantization_config', changed('config.json', { quantization_config: { bits: 4 } })],
  ['a RoPE base that is no integer', 'config.json rope_theta', changed('config.json', { rope_theta: 10_000.5 })],
  ['no end token', 'config.json eos_token_id', changed('config.json', { eos_token_id: 100_000 })],
  ['a vocabulary of another size', 'tensor token_embd.weight', changed('config.json', { vocab_size: 300_000 })],
  ['a bias tensor', 'tensor "model.layers.0.self_attn.q_proj.bias"', retensored((all) => [...all, bias])],
  ['a head that would be ignored', 'tensor "lm_head.weight"', retensored((all) => [...all, head])],
  ['no head', 'tensor output.weight', changed('config.json', { tie_word_embeddings: false })],
  ['a missing tensor', 'tensor blk.0.ffn_down.weight', retensored((all) => all.filter(({ name }) => !name.includes('down_proj')))],
  ['another tokenizer', 'tokenizer.json model type', bpe({ type: 'Unigram' })],
  ['byte fallback behind another split', 'tokenizer.json pre_tokenizer type', bpe({ byte_fallback: true })],
  ['a normaliser', 'tokenizer.json normalizer', changed('tokenizer.json', { normalizer: { type: 'NFC' } })],
  ['another split', 'tokenizer.json pre_tokenizer', changed('tokenizer.json', { pre_tokenizer: { type: 'Metaspace' } })],
  ['a merge that makes no token', 'tokenizer.json merges[0]', bpe({ merges: ['z q'] })],
  ['no template', 'tokenizer_config.json chat_template', changed('tokenizer_config.json', { chat_template: undefined })],
])('%s: refused by name, nothing written', async (_, field, change) => {
  const folder = await temporaryTestFolder();
  await writeCheckpoint(join(folder, 'model'), change(tinyCheckpoint({ layers: 1 })));
  const error = await importSafetensors(at(folder, 'model')).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(CommonweightError);
  expect((error as CommonweightError).field).toBe(field);
  expect((error as CommonweightError).message).not.toContain('\n');
  expect(await readdir(folder)).toEqual(['model']);
});

it('numbers that are not finite are refused, and a lone file is answered with what to give', async () => {
  const folder = await temporaryTestFolder();
  const checkpoint = tinyCheckpoint({ layers: 1 });
  const nan = checkpoint.tensors.map((tensor) => (tensor.type === 'BF16' ? { ...tensor, data: tensor.data.map(() => 0xff) } : tensor));
  await writeCheckpoint(join(folder, 'model'), { ...checkpoint, tensors: nan });
  await expect(importSafetensors(at(folder, 'model'))).rejects.toMatchObject({ code: 'tensor_number' });
  await expect(importModel(at(folder, 'model/model.safetensors'))).rejects.toThrow('give the folder');
  await expect(importGguf(at(folder, 'model/model.safetensors'))).rejects.toMatchObject({ code: 'gguf_magic' });
});
