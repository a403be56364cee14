import { type EngineModule, createWasmExecutor, generate } from '@commonweight/engine';
import { buildTinyModel } from '@commonweight/engine/testing';
import { CommonweightError, toHex } from '@commonweight/protocol';
import { nativeSha256 } from '../platform/sha256.ts';

/** Seeded sampling on a small random model. The reference executor gives this answer (self-test.test.ts); every engine has to. */
export const selfTestJob = {
  promptIds: [1, 7, 42, 95, 3, 3, 60, 11, 28],
  sampler: { temperature: 800_000, topK: 40, topP: 950_000 },
  prfKey: Uint8Array.from({ length: 32 }, (_, i) => i),
  stopIds: [],
  maxTokens: 12,
} as const;

export const selfTestModel = { seed: 20_261_121 } as const;

interface SelfTestAnswer {
  readonly completionIds: string;
  readonly thinRoot: string;
}

export const selfTestAnswer: SelfTestAnswer = {
  completionIds: '22,13,16,16,16,56,56,86,86,86,86,86',
  thinRoot: '0x77f5d5953c0d8cb1084cd9304c27aef817f4cb8086f69c9baf9fe756a5bf18a0',
};

/** Throws CommonweightError `engine_self_test` when this machine does not compute what the specification says. */
export function selfTest(module: EngineModule, expected: SelfTestAnswer = selfTestAnswer): void {
  const model = buildTinyModel(selfTestModel);
  const executor = createWasmExecutor(model.manifest, model.source, module);
  const { completionIds, commitment } = generate({ ...selfTestJob, executor, sha256: nativeSha256 });
  if (completionIds.join() !== expected.completionIds || toHex(commitment.root()) !== expected.thinRoot) {
    throw new CommonweightError(
      'the engine does not compute on this machine what its specification says; it must not serve. Report the processor and the Node version',
      {
        code: 'engine_self_test',
        action: 'stop',
      },
    );
  }
}
