import { readFileSync } from 'node:fs';
import { createWasmExecutor, createReferenceExecutor, generate, reexecute } from '@commonweight/engine';
import { loadEngineWasm, nodeSha256 } from '@commonweight/engine/node';
import { type ModelPackage, openPackage } from '@commonweight/models';
import { type Hex, type SamplerSettings, fromHex, packageFiles, prfKey, toHex } from '@commonweight/protocol';
import { requireRealModel } from '@commonweight/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/** A committed answer of the default model: any implementation on any machine must give these bytes. */
interface Answer {
  readonly modelId: Hex;
  readonly promptText: string;
  readonly promptIds: number[];
  readonly sampler: SamplerSettings;
  readonly seed: Hex;
  readonly maxTokens: number;
  readonly completionIds: number[];
  readonly completionText: string;
  readonly thinRoot: Hex;
}
const answers = JSON.parse(
  readFileSync(new URL('../../conformance/answers/smollm2-135m-instruct.json', import.meta.url), 'utf8'),
) as Answer[];
const found = await requireRealModel();

describe.skipIf('reason' in found)(`the default model${'reason' in found ? ` (skipped: ${found.reason})` : ''}`, () => {
  let model: ModelPackage;
  beforeAll(async () => {
    if ('dir' in found) model = await openPackage(found.dir);
  });
  afterAll(async () => await model.close());

  const optionsOf = (answer: Answer) => ({
    promptIds: answer.promptIds,
    sampler: answer.sampler,
    prfKey: prfKey(model.modelId, answer.sampler, answer.seed, 0),
    stopIds: model.manifest.generation.stopIds,
    maxTokens: answer.maxTokens,
    sha256: nodeSha256,
  });

  it('is the package that the committed answers are about, and its weights are whole', () => {
    for (const answer of answers) expect(answer.modelId).toBe(model.modelId);
    expect(() => model.verifyWeights()).not.toThrow();
    expect(() => model.checkRoot(packageFiles.weights, new Uint8Array(1024))).toThrow(/weights\.bin/);
  });

  it('tokenises the prompts to the committed ids', () => {
    for (const answer of answers) expect(model.tokenizer().encode(answer.promptText, { allowSpecial: true })).toEqual(answer.promptIds);
  });

  it('gives the committed tokens and roots in WASM, by decoding and by one prefill', () => {
    const executor = createWasmExecutor(model.manifest, model.weights(), loadEngineWasm());
    for (const answer of answers) {
      const generated = generate({ executor, ...optionsOf(answer) });
      expect(generated.completionIds).toEqual(answer.completionIds);
      expect(model.tokenizer().decode(generated.completionIds)).toBe(answer.completionText);
      expect(toHex(generated.commitment.root())).toBe(answer.thinRoot);
      const again = reexecute({ executor, completionIds: answer.completionIds, ...optionsOf(answer) });
      expect(again.sampledIds).toEqual(answer.completionIds);
      expect(toHex(again.commitment.root())).toBe(answer.thinRoot);
    }
  });

  it('gives the same in the plain-TypeScript reference: over 32 prompt and 32 generated positions', () => {
    const answer = answers.find(({ promptIds, completionIds }) => promptIds.length >= 32 && completionIds.length >= 32)!;
    const executor = createReferenceExecutor(model.manifest, model.weights());
    const generated = generate({ executor, ...optionsOf(answer) });
    expect(generated.completionIds).toEqual(answer.completionIds);
    expect(toHex(generated.commitment.root())).toBe(answer.thinRoot);
  });

  it('sees another seed, another temperature and another token', () => {
    const executor = createWasmExecutor(model.manifest, model.weights(), loadEngineWasm());
    const answer = answers.find(({ sampler }) => sampler.temperature > 0)!;
    const claim = { executor, completionIds: answer.completionIds, ...optionsOf(answer) };
    const seed = toHex(fromHex(answer.seed).map((byte) => byte ^ 1));
    expect(reexecute({ ...claim, prfKey: prfKey(model.modelId, answer.sampler, seed, 0) }).sampledIds).not.toEqual(answer.completionIds);
    expect(reexecute({ ...claim, sampler: { ...answer.sampler, temperature: 300_000 } }).sampledIds).not.toEqual(answer.completionIds);
    const edited = answer.completionIds.with(5, answer.completionIds[5]! + 1);
    const other = reexecute({ ...claim, completionIds: edited });
    expect(other.sampledIds[5]).toBe(answer.completionIds[5]);
    expect(toHex(other.commitment.root())).not.toBe(answer.thinRoot);
  });
});
