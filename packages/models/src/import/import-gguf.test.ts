import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CommonweightError } from '@commonweight/protocol';
import { expect, it } from 'vitest';
import { openPackage } from '../package/open-package.ts';
import { temporaryTestFolder } from '../testing/temporary-folder.ts';
import { tinyModel } from '../testing/tiny-model.ts';
import { importGguf } from './import-gguf.ts';

/** Identity of `tinyModel()`: changes only when the conversion rules do. */
const TINY_MODEL_ID = '0x531682656f41f5fd3768b50b3ed17d5100bf882e23a13ad1cec4f8d5bb49d1a5';

/** The same with the profile `int8`. */
const TINY_INT8_ID = '0xdf59cb5249f0aef8f5ad50b21c7d64ee886c856d5f650971bfb7686369bca36a';

async function tinyFile(folder: string, bytes: Uint8Array = tinyModel()): Promise<string> {
  const path = join(folder, 'tiny.gguf');
  await writeFile(path, bytes);
  return path;
}

it('another profile is another model: rotated in float64, the same bits everywhere', async () => {
  const folder = await temporaryTestFolder();
  const { modelId, manifest } = await importGguf({ path: await tinyFile(folder), outDir: join(folder, 'models'), profile: 'int8' });
  expect(modelId).toBe(TINY_INT8_ID);
  const bits = new Map(manifest.tensors.flatMap((tensor) => (tensor.kind === 'matrix' ? [[tensor.name, tensor.activationBits]] : [])));
  expect([bits.get('blk.3.attn_q'), bits.get('blk.3.attn_output'), bits.get('blk.3.ffn_down'), bits.get('output')]).toEqual([8, 8, 14, 14]);
  expect(manifest.graph.head).toBe('untied');
});

it('converts to the same model id everywhere, under a name that appears only when it is whole', async () => {
  const folder = await temporaryTestFolder();
  const outDir = join(folder, 'models');
  const steps: string[] = [];
  const made = await importGguf({
    path: await tinyFile(folder),
    outDir,
    onProgress: (phase, done, total) => steps.push(`${phase} ${done === total}`),
  });
  expect(made.modelId).toBe(TINY_MODEL_ID);
  expect(made.dir).toBe(join(outDir, TINY_MODEL_ID));
  expect(await readdir(outDir)).toEqual([TINY_MODEL_ID]);
  expect((await readdir(made.dir)).sort()).toEqual(['card.json', 'chat_template.jinja', 'manifest.json', 'tokenizer.json', 'weights.bin']);
  expect(steps).toContain('verify true');
  expect(steps.at(-1)).toBe('import true');
  expect(made.manifest.graph.commitPoints).toEqual([5, 6]);
  expect(made.manifest.generation).toEqual({ stopIds: [0, 2], temperature: 1_000_000, topP: 1_000_000, topK: 0 });
  expect(made.card).toMatchObject({ name: 'tiny-test', licence: 'apache-2.0', source: { uri: 'file:tiny.gguf' } });
});

it('keeps a sound package and replaces a broken one', async () => {
  const folder = await temporaryTestFolder();
  const options = { path: await tinyFile(folder), outDir: join(folder, 'models') };
  const { dir } = await importGguf(options);
  const weights = join(dir, 'weights.bin');
  const bytes = await readFile(weights);
  await writeFile(
    weights,
    bytes.map((byte, i) => (i === 5_000 ? byte ^ 1 : byte)),
  );
  await importGguf(options);
  expect(Buffer.compare(await readFile(weights), bytes)).toBe(0);
  expect((await importGguf(options)).dir).toBe(dir);
});

it('two imports at the same time end with one sound package', async () => {
  const folder = await temporaryTestFolder();
  const options = { path: await tinyFile(folder), outDir: join(folder, 'models') };
  const [one, two] = await Promise.all([importGguf(options), importGguf(options)]);
  expect(one.dir).toBe(two.dir);
  expect(await readdir(options.outDir)).toEqual([one.modelId]);
  const model = await openPackage(one.dir);
  model.verifyWeights();
  await model.close();
});

it('an aborted import leaves nothing, a dead one is cleared away', async () => {
  const folder = await temporaryTestFolder();
  const outDir = join(folder, 'models');
  const dead = join(outDir, '.import-999999999-abcdef');
  await mkdir(dead, { recursive: true });
  const abort = new AbortController();
  const onProgress = (phase: string): void => {
    if (phase === 'import') abort.abort(new Error('stop now'));
  };
  await expect(importGguf({ path: await tinyFile(folder), outDir, onProgress, signal: abort.signal })).rejects.toThrow('stop now');
  expect(await readdir(outDir)).toEqual([]);
});

it.each([
  ['a wrong digest', { expectedSha256: '00'.repeat(32) }, 'digest_mismatch'],
  ['no file', { path: '/nowhere/model.gguf' }, 'file'],
  ['a data folder that is a file', { outDir: '/dev/null/models' }, 'file'],
])('%s: one clear sentence and nothing written', async (_, changes, code) => {
  const folder = await temporaryTestFolder();
  const error = await importGguf({ path: await tinyFile(folder), outDir: join(folder, 'models'), ...changes }).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(CommonweightError);
  expect((error as CommonweightError).code).toBe(code);
  expect((error as CommonweightError).message).not.toContain('\n');
  expect(await readdir(folder)).toEqual(['tiny.gguf']);
});
