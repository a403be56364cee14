import { cp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { canonicalize, MerkleTag, merkleRootOfBytes, packageFiles, parseManifest, toHex, utf8 } from '@commonweight/protocol';
import { expect, it, onTestFinished } from 'vitest';
import { importGguf } from '../import/import-gguf.ts';
import { temporaryTestFolder } from '../testing/temporary-folder.ts';
import { tinyModel } from '../testing/tiny-model.ts';
import { type ModelPackage, openPackage } from './open-package.ts';

const bytes = tinyModel({ layers: 1 });
async function tinyPackage(): Promise<string> {
  const folder = await temporaryTestFolder();
  await writeFile(join(folder, 'tiny.gguf'), bytes);
  return (await importGguf({ path: join(folder, 'tiny.gguf'), outDir: folder })).dir;
}

async function opened(dir: string): Promise<ModelPackage> {
  const model = await openPackage(dir);
  onTestFinished(model.close);
  return model;
}

async function flipByte(path: string, at: number): Promise<void> {
  const content = await readFile(path);
  content[at] = content[at]! ^ 1;
  await writeFile(path, content);
}

it('opens, reads weights, checks roots over what was handed out', async () => {
  const model = await opened(await tinyPackage());
  const { size } = model.manifest.files.find(({ name }) => name === packageFiles.weights)!;
  const weights = new Uint8Array(size);
  model.weights().read(0, weights);
  model.checkRoot(packageFiles.weights, weights);
  model.verifyWeights();
  model.verifyWeights((offset, target) => target.set(weights.subarray(offset, offset + target.length)));
  weights[size - 1]! ^= 1;
  expect(() => model.checkRoot(packageFiles.weights, weights)).toThrow(expect.objectContaining({ code: 'digest_mismatch' }));
  expect(() => model.verifyWeights((offset, target) => target.set(weights.subarray(offset, offset + target.length)))).toThrow(
    /weights\.bin: expected 0x/,
  );
  expect(() => model.checkRoot(packageFiles.weights, weights.subarray(1))).toThrow(expect.objectContaining({ code: 'digest_mismatch' }));
  expect(() => model.weights().read(size - 4, new Uint8Array(8))).toThrow(expect.objectContaining({ code: 'file_truncated' }));
  expect(model.chatTemplate()).toContain('<|im_start|>');
});

it.each([packageFiles.tokenizer, packageFiles.chatTemplate])('a changed %s is found when the package is opened', async (name) => {
  const dir = await tinyPackage();
  await flipByte(join(dir, name), 100);
  await expect(openPackage(dir)).rejects.toMatchObject({ code: 'digest_mismatch', field: name, action: 'stop' });
});

it('changed weights are found by verifyWeights, shortened ones at once', async () => {
  const dir = await tinyPackage();
  await flipByte(join(dir, packageFiles.weights), 12_345);
  const model = await opened(dir);
  expect(() => model.verifyWeights()).toThrow(expect.objectContaining({ code: 'digest_mismatch', field: packageFiles.weights }));
  await truncate(join(dir, packageFiles.weights), 20_000);
  await expect(openPackage(dir)).rejects.toMatchObject({ code: 'digest_mismatch', field: packageFiles.weights });
});

it('a changed manifest has another id, or is no manifest', async () => {
  const dir = await tinyPackage();
  const path = join(dir, 'manifest.json');
  const manifest = await readFile(path, 'utf8');
  const { modelId, close } = await openPackage(dir);
  await close();
  await writeFile(path, manifest.replace('"temperature":1000000', '"temperature":1000001'));
  await expect(openPackage(dir, modelId)).rejects.toMatchObject({ code: 'digest_mismatch', field: 'manifest.json' });
  await writeFile(path, manifest.replace(',', ', '));
  await expect(openPackage(dir)).rejects.toMatchObject({ code: 'decode' });
  await writeFile(path, manifest.slice(1));
  await expect(openPackage(dir)).rejects.toMatchObject({ code: 'decode', field: 'manifest.json' });
});

it.each([
  ['more', (vocab: Record<string, number>, count: number) => ({ ...vocab, extra: count }), 1],
  [
    'fewer',
    (vocab: Record<string, number>, count: number) => Object.fromEntries(Object.entries(vocab).filter(([, id]) => id < count - 1)),
    -1,
  ],
])('a tokenizer of %s ids than the model is refused, also when the manifest names it', async (_, change, difference) => {
  const dir = await tinyPackage();
  const manifest = parseManifest(JSON.parse(await readFile(join(dir, 'manifest.json'), 'utf8')));
  const tokenizer = JSON.parse(await readFile(join(dir, packageFiles.tokenizer), 'utf8')) as { model: { vocab: Record<string, number> } };
  const { vocabulary } = manifest.graph;
  const vocab = change(tokenizer.model.vocab, vocabulary);
  const bytes = utf8(canonicalize({ ...tokenizer, model: { ...tokenizer.model, vocab } }));
  const root = toHex(merkleRootOfBytes(MerkleTag.file, bytes));
  const files = manifest.files.map((file) => (file.name === packageFiles.tokenizer ? { ...file, size: bytes.length, root } : file));
  await writeFile(join(dir, packageFiles.tokenizer), bytes);
  await writeFile(join(dir, 'manifest.json'), canonicalize({ ...manifest, files }));
  const model = await opened(dir);
  expect(() => model.tokenizer()).toThrow(
    expect.objectContaining({
      code: 'decode',
      field: packageFiles.tokenizer,
      message: expect.stringContaining(`expected ${vocabulary} tokens, one an id of the model, got ${vocabulary + difference}`),
    }),
  );
});

it('the card is apart from the id', async () => {
  const dir = await tinyPackage();
  const path = join(dir, 'card.json');
  await writeFile(path, (await readFile(path, 'utf8')).replace('apache-2.0', 'mit'));
  const model = await opened(dir);
  expect(model.card.licence).toBe('mit');
  expect(dir.endsWith(model.modelId)).toBe(true);
});

it('a missing file is named', async () => {
  const dir = await tinyPackage();
  const copy = `${dir}-copy`;
  await cp(dir, copy, { recursive: true });
  await rm(join(copy, packageFiles.weights));
  await expect(openPackage(copy)).rejects.toThrow(/weights\.bin: there is no such file/);
});
