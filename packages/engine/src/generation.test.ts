import { type SamplerSettings, committedPositions, toHex, samplerSettings } from '@commonweight/protocol';
import { describe, expect, it } from 'vitest';
import { type GenerationOptions, generate, generateSteps } from './generation.ts';
import { limits } from './limits.ts';
import { reexecute } from './reexecute.ts';
import { createReferenceExecutor } from './reference/executor.ts';
import { nodeSha256 } from './sha256.node.ts';
import { buildTinyModel, tinyShapes } from './testing/tiny-model.ts';
import { randomIds } from './testing/trace.ts';
import { loadEngineWasm } from './wasm/load-engine-wasm.node.ts';
import { createWasmExecutor } from './wasm/wasm-executor.ts';

const { manifest, source } = buildTinyModel(tinyShapes.odd);
const executor = createWasmExecutor(manifest, source, loadEngineWasm());
const reference = createReferenceExecutor(manifest, source);

const greedy: SamplerSettings = samplerSettings();
const seeded: SamplerSettings = samplerSettings({ temperature: 4_000_000, topK: 40, topP: 950_000 });
/** One full piece and a short one. */
const PROMPT = limits.prefillChunk + 5;
const promptIds = randomIds(manifest.graph.vocabulary, PROMPT);
const base: GenerationOptions = {
  executor,
  promptIds,
  sampler: seeded,
  prfKey: new Uint8Array(32).fill(3),
  stopIds: [],
  maxTokens: 16,
};

describe('generate', () => {
  it.each([
    ['greedy', greedy],
    ['seeded', seeded],
  ])('%s: both back ends give the same tokens and roots, and re-execution confirms them', (_, sampler) => {
    const heard: number[] = [];
    const run = generate({ ...base, sampler, onToken: (id, index) => void (heard[index] = id) });
    expect(run.finish).toBe('length');
    expect(run.completionIds).toHaveLength(16);
    expect(heard).toEqual(run.completionIds);
    expect(run.commitment.positions).toBe(committedPositions(PROMPT, 16));

    const slow = generate({ ...base, sampler, executor: reference, sha256: nodeSha256 });
    expect(slow.completionIds).toEqual(run.completionIds);
    expect(toHex(slow.commitment.root())).toBe(toHex(run.commitment.root()));

    for (const back of [executor, reference]) {
      const again = reexecute({ executor: back, promptIds, completionIds: run.completionIds, sampler, prfKey: base.prfKey });
      expect(again.sampledIds).toEqual(run.completionIds);
      expect(toHex(again.commitment.root())).toBe(toHex(run.commitment.root()));
    }
  });

  it('depends on the key, and an edited token shows at its place', () => {
    const { completionIds } = generate(base);
    expect(generate({ ...base, prfKey: new Uint8Array(32) }).completionIds).not.toEqual(completionIds);
    const edited = completionIds.with(5, (completionIds[5]! + 1) % manifest.graph.vocabulary);
    const { sampledIds } = reexecute({ executor, promptIds, completionIds: edited, sampler: seeded, prfKey: base.prfKey });
    expect(sampledIds.slice(0, 6)).toEqual(completionIds.slice(0, 6));
    expect(sampledIds[5]).not.toBe(edited[5]);
  });

  it('ends with the stop id, which is part of the answer, also as the last token allowed', () => {
    const { completionIds } = generate(base);
    const stopIds = [completionIds[4]!];
    const first = completionIds.indexOf(stopIds[0]!);
    const run = generate({ ...base, stopIds });
    expect(run).toMatchObject({ finish: 'stop_id', completionIds: completionIds.slice(0, first + 1) });
    expect(run.commitment.positions).toBe(committedPositions(PROMPT, first + 1));
    expect(generate({ ...base, stopIds, maxTokens: first + 1 }).finish).toBe('stop_id');
  });

  it('stops between tokens, right after the prompt and within it, with what was run committed', () => {
    const { completionIds } = generate(base);
    let tokens = 0;
    const some = generate({ ...base, onToken: () => void tokens++, shouldStop: () => tokens === 3 });
    expect(some).toMatchObject({ finish: 'stopped', completionIds: completionIds.slice(0, 3) });
    expect(some.commitment.positions).toBe(committedPositions(PROMPT, 3));

    const pieces = Math.ceil(PROMPT / limits.prefillChunk);
    let asked = 0;
    const none = generate({ ...base, shouldStop: () => asked++ === pieces });
    expect(none).toMatchObject({ finish: 'stopped', completionIds: [] });
    expect(none.commitment.positions).toBe(PROMPT);
    const again = reexecute({ executor, promptIds, completionIds: [], sampler: seeded, prfKey: base.prfKey });
    expect(again.sampledIds).toEqual([]);
    expect(toHex(again.commitment.root())).toBe(toHex(none.commitment.root()));

    asked = 0;
    const within = generate({ ...base, shouldStop: () => asked++ === 1 });
    expect(within).toMatchObject({ finish: 'stopped', completionIds: [] });
    expect(within.commitment.positions).toBe(limits.prefillChunk);
  });

  it('yields the pieces of the prompt, then every token, and gives memory back when closed', () => {
    const small = { ...base, executor: countingSequences() };
    const steps = [...generateSteps({ ...small, maxTokens: 2 })];
    expect(steps.filter((step) => step.type === 'prefill').at(-1)).toEqual({ type: 'prefill', done: PROMPT, total: PROMPT });
    expect(steps.filter((step) => step.type === 'token').map((step) => step.index)).toEqual([0, 1]);
    const open = generateSteps(small);
    open.next();
    expect(small.executor.open()).toBe(1);
    open.return({ completionIds: [], finish: 'stopped', commitment: generate({ ...base, maxTokens: 0 }).commitment });
    expect(small.executor.open()).toBe(0);
  });

  it('runs the prompt alone for maxTokens 0 and refuses an empty prompt, negative lengths and more than the context', () => {
    expect(generate({ ...base, maxTokens: 0 })).toMatchObject({ finish: 'length', completionIds: [] });
    expect(() => generate({ ...base, promptIds: [] })).toThrow('promptIds');
    expect(() => generate({ ...base, maxTokens: -1 })).toThrow('maxTokens');
    expect(() => generate({ ...base, maxTokens: 130 - PROMPT })).toThrow('1 to 128 positions, got 129');
    expect(() => reexecute({ ...base, promptIds: [], completionIds: [] })).toThrow('promptIds');
    expect(() => reexecute({ ...base, completionIds: [1], shouldStop: () => true })).toThrow('request to stop');
  });
});

function countingSequences() {
  let open = 0;
  return {
    ...executor,
    open: () => open,
    newSequence: (capacity: number) => {
      const sequence = executor.newSequence(capacity);
      open++;
      const release = sequence.release.bind(sequence);
      return Object.assign(sequence, {
        release: () => {
          open--;
          release();
        },
      });
    },
  };
}
