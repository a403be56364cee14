// Writes conformance/answers/*.json from the default model: `npx tsx packages/testkit/scripts/make-answers.ts`, then read the diff.
import { writeFileSync } from 'node:fs';
import { createWasmExecutor, generate } from '@commonweight/engine';
import { loadEngineWasm, nodeSha256 } from '@commonweight/engine/node';
import { openPackage } from '@commonweight/models';
import { prfKey, toHex, samplerSettings } from '@commonweight/protocol';
import { requireRealModel } from '../src/real-model.ts';

const found = await requireRealModel();
if ('reason' in found) throw new Error(found.reason);
const model = await openPackage(found.dir);
const executor = createWasmExecutor(model.manifest, model.weights(), loadEngineWasm());
const chat = (question: string): string =>
  `<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n<|im_start|>user\n${question}<|im_end|>\n<|im_start|>assistant\n`;
const cases = [
  { question: 'What is the capital of Japan?', sampler: samplerSettings() },
  { question: 'Write one sentence about the sea.', sampler: samplerSettings({ temperature: 800_000, topK: 40, topP: 950_000 }) },
  { question: 'Ein kurzer Satz über Öl & 猫 🐈, please.', sampler: samplerSettings({ temperature: 1_300_000 }) },
];
const seed = '0x000102030405060708090a0b0c0d0e0f';
const answers = cases.map(({ question, sampler }) => {
  const promptText = chat(question);
  const promptIds = model.tokenizer().encode(promptText, { allowSpecial: true });
  const maxTokens = 40;
  const { stopIds } = model.manifest.generation;
  const result = generate({
    executor,
    promptIds,
    sampler,
    prfKey: prfKey(model.modelId, sampler, seed, 0),
    stopIds,
    maxTokens,
    sha256: nodeSha256,
  });
  return {
    modelId: model.modelId,
    promptText,
    promptIds,
    sampler,
    seed,
    maxTokens,
    completionIds: result.completionIds,
    completionText: model.tokenizer().decode(result.completionIds),
    thinRoot: toHex(result.commitment.root()),
  };
});
writeFileSync(new URL(`../../../conformance/answers/${model.card.name}.json`, import.meta.url), `${JSON.stringify(answers, null, 2)}\n`);
