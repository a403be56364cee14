import { createReferenceExecutor, generate } from '@commonweight/engine';
import { loadEngineWasm } from '@commonweight/engine/node';
import { buildTinyModel } from '@commonweight/engine/testing';
import { toHex } from '@commonweight/protocol';
import { describe, expect, it } from 'vitest';
import { selfTest, selfTestAnswer, selfTestJob, selfTestModel } from './self-test.ts';

describe('engine self-test', () => {
  it('asks for what the reference executor answers', () => {
    const { manifest, source } = buildTinyModel(selfTestModel);
    const { completionIds, commitment } = generate({ ...selfTestJob, executor: createReferenceExecutor(manifest, source) });
    expect({ completionIds: completionIds.join(), thinRoot: toHex(commitment.root()) }).toEqual(selfTestAnswer);
  });

  it('passes on this machine, and fails when the engine answers anything else', () => {
    expect(() => selfTest(loadEngineWasm())).not.toThrow();
    expect(() => selfTest(loadEngineWasm(), { ...selfTestAnswer, thinRoot: `0x${'00'.repeat(32)}` })).toThrow(/must not serve/);
    expect(() => selfTest(loadEngineWasm(), { ...selfTestAnswer, completionIds: '1' })).toThrow(/must not serve/);
  });
});
