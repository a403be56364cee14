import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { createChatRenderer } from './chat/create-chat-renderer.ts';
import { defaultModel } from './default-model.ts';
import { ensureDefaultModel } from './fetch/ensure-default-model.ts';
import { locateRealModel } from './fetch/locate-real-model.ts';
import { importGguf } from './import/import-gguf.ts';
import { openPackage } from './package/open-package.ts';
import { temporaryTestFolder } from './testing/temporary-folder.ts';

const cache = fileURLToPath(new URL('../../../.cache', import.meta.url));
const real = await locateRealModel(cache, process.env);
const reason = 'reason' in real ? `: ${real.reason}` : '';
const { dir, gguf } = 'reason' in real ? { dir: '', gguf: undefined } : real;

interface Vector {
  readonly text: string;
  readonly special: boolean;
  readonly ids: readonly number[];
}

it.skipIf(!gguf)(`its GGUF file converts to the model id that is written down${reason}`, { timeout: 120_000 }, async () => {
  const outDir = await temporaryTestFolder();
  const made = await importGguf({ path: gguf!, outDir, expectedSha256: defaultModel.sha256 });
  expect(made.modelId).toBe(defaultModel.modelId);
  expect(made.card.name).toBe(defaultModel.name);
});

it.skipIf(!dir)(`its package opens, and the weights are the manifest's${reason}`, { timeout: 60_000 }, async () => {
  const model = await openPackage(dir, defaultModel.modelId);
  model.verifyWeights();
  expect(model.manifest.graph).toMatchObject({
    layers: 30,
    width: 576,
    heads: 9,
    kvHeads: 3,
    context: 8_192,
    normEpsilon: 96_637,
    commitPoints: [5, 11, 17, 23, 29],
  });
  expect(model.manifest.generation.stopIds).toEqual([0, 2]);
  await model.close();
});

it.skipIf(!dir)(`is ready at once when it is there already${reason}`, async () => {
  const lines: string[] = [];
  expect(await ensureDefaultModel({ dataDir: cache, log: (line) => lines.push(line), onProgress: () => lines.push('progress') })).toBe(dir);
  expect(lines).toEqual([]);
});

it.skipIf(!dir)(`its token ids are llama.cpp's, and decode to the text${reason}`, async () => {
  const path = new URL('../../../conformance/tokenizer/smollm2.json', import.meta.url);
  const { vectors } = JSON.parse(readFileSync(path, 'utf8')) as { vectors: readonly Vector[] };
  expect(vectors.length).toBeGreaterThanOrEqual(200);
  const model = await openPackage(dir);
  const tokenizer = model.tokenizer();
  for (const { text, special, ids } of vectors) {
    expect({ text, ids: tokenizer.encode(text, { allowSpecial: special }) }).toEqual({ text, ids });
    expect(tokenizer.decode(ids, { special: true })).toBe(text);
    const stream = tokenizer.stream({ special: true });
    expect(ids.map((id) => stream.push(id)).join('') + stream.end()).toBe(text);
  }
  await model.close();
});

it.skipIf(!dir)(`renders a chat with its system prompt${reason}`, async () => {
  const model = await openPackage(dir);
  const renderer = createChatRenderer(model);
  const ids = await renderer.renderChat([{ role: 'user', content: 'What is the capital of Japan?' }], { addGenerationPrompt: true });
  const text =
    '<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n' +
    '<|im_start|>user\nWhat is the capital of Japan?<|im_end|>\n<|im_start|>assistant\n';
  expect(model.tokenizer().decode(ids, { special: true })).toBe(text);
  expect(ids).toEqual(model.tokenizer().encode(text, { allowSpecial: true }));
  await renderer.close();
  await model.close();
});
