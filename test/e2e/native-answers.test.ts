import { readFileSync } from 'node:fs';
import { generate, reexecute } from '@commonweight/engine';
import { createNativeExecutor, nodeSha256 } from '@commonweight/engine/node';
import { type ModelPackage, openPackage } from '@commonweight/models';
import { type Hex, type SamplerSettings, prfKey, toHex } from '@commonweight/protocol';
import { requireRealModel } from '@commonweight/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { builtAddon, noCompiler } from '../../packages/engine/src/testing/built-addon.node.ts';

interface Answer {
  readonly promptIds: number[];
  readonly sampler: SamplerSettings;
  readonly seed: Hex;
  readonly maxTokens: number;
  readonly completionIds: number[];
  readonly thinRoot: Hex;
}
const answers = JSON.parse(
  readFileSync(new URL('../../conformance/answers/smollm2-135m-instruct.json', import.meta.url), 'utf8'),
) as Answer[];
const found = await requireRealModel();
const skipped = noCompiler ?? ('reason' in found ? `skipped: ${found.reason}` : undefined);

describe.skipIf(skipped !== undefined)(`the default model in the native engine${skipped === undefined ? '' : ` (${skipped})`}`, () => {
  const addon = skipped === undefined ? builtAddon() : undefined!;
  let model: ModelPackage;
  beforeAll(async () => {
    if ('dir' in found) model = await openPackage(found.dir);
  });
  afterAll(async () => await model.close());

  it.each(skipped === undefined ? addon.levels : ['plain' as const])(
    '%s gives the committed tokens and roots, by decoding and by one prefill',
    (level) => {
      const executor = createNativeExecutor(model.manifest, model.weights(), addon, level);
      for (const { promptIds, sampler, seed, maxTokens, completionIds, thinRoot } of answers) {
        const { stopIds } = model.manifest.generation;
        const options = { executor, promptIds, sampler, prfKey: prfKey(model.modelId, sampler, seed, 0), sha256: nodeSha256 };
        const generated = generate({ ...options, stopIds, maxTokens });
        expect(generated.completionIds).toEqual(completionIds);
        expect(toHex(generated.commitment.root())).toBe(thinRoot);
        const again = reexecute({ ...options, completionIds });
        expect(again.sampledIds).toEqual(completionIds);
        expect(toHex(again.commitment.root())).toBe(thinRoot);
      }
    },
  );
});
