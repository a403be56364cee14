import { CommonweightError, type SamplerSettings, samplerSettings, utf8 } from '@commonweight/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Executor } from '../executor.ts';
import { generate } from '../generation.ts';
import { tokenVocabulary } from '../grammar/token-vocabulary.ts';
import { limits } from '../limits.ts';
import { createReferenceExecutor } from '../reference/executor.ts';
import { nodeSha256 } from '../sha256.node.ts';
import { buildTinyModel, tinyShapes } from '../testing/tiny-model.ts';
import { runs } from '../testing/arbitraries.ts';
import { randomIds } from '../testing/trace.ts';
import { loadEngineWasm } from '../wasm/load-engine-wasm.node.ts';
import { cacheBytes } from '../kernels/cache-layout.ts';
import { createWasmExecutor } from '../wasm/wasm-executor.ts';
import { BatchScheduler } from './batch-scheduler.ts';
import type { BatchRunOptions } from './batched-run.ts';
import { PrefixCache } from './prefix-cache.ts';
import { type Job, drive } from './testing/drive.ts';

const { manifest, source } = buildTinyModel(tinyShapes.odd);
const { vocabulary, context } = manifest.graph;
const wasm = createWasmExecutor(manifest, source, loadEngineWasm());
const reference = createReferenceExecutor(manifest, source);
const longest = cacheBytes(manifest.graph, context);

const greedy: SamplerSettings = samplerSettings();
const warm: SamplerSettings = samplerSettings({ temperature: 1_200_000, topK: 30, topP: 900_000 });
const base: BatchRunOptions = {
  promptIds: randomIds(vocabulary, 20),
  sampler: warm,
  prfKey: new Uint8Array(32).fill(3),
  stopIds: [],
  maxTokens: 8,
};

/** Prompts that begin alike now and then, as conversations do. */
const promptIds = fc
  .tuple(
    fc.constantFrom(1, 2),
    fc.integer({ min: 0, max: 60 }),
    fc.array(fc.integer({ min: 0, max: vocabulary - 1 }), { minLength: 1, maxLength: 30 }),
  )
  .map(([seed, shared, own]) => [...randomIds(vocabulary, shared, seed), ...own]);
const options = fc.record({
  promptIds,
  sampler: fc.constantFrom(greedy, warm),
  prfKey: fc.integer({ min: 0, max: 255 }).map((byte) => new Uint8Array(32).fill(byte)),
  stopIds: fc.constantFrom<number[]>(
    [],
    [5],
    Array.from({ length: 25 }, (_, i) => 4 * i),
  ),
  maxTokens: fc.integer({ min: 0, max: 20 }),
  scope: fc.constantFrom('one', 'other'),
});
const job = fc.record({
  options,
  arrives: fc.integer({ min: 0, max: 25 }),
  stops: fc.option(fc.integer({ min: 0, max: 40 }), { nil: undefined, freq: 4 }),
});
const world = fc.record({
  jobs: fc.array(job, { minLength: 1, maxLength: 9 }),
  slots: fc.integer({ min: 1, max: 6 }),
  // of the longest run's memory
  kv: fc.constantFrom(1, 1.5, 3, 8),
  cache: fc.constantFrom(0, 0.3, 1, 4),
});

const alone = (executor: Executor, { options: asked }: Job) => generate({ ...asked, executor, sha256: nodeSha256 });

describe.each([
  ['wasm', wasm, 40],
  ['reference', reference, 3],
] as const)('batch scheduler on %s', (_, executor, numRuns) => {
  it('gives every run what it gives alone, whoever comes, goes and shares a prefix', () => {
    const property = fc.property(world, ({ jobs, slots, kv, cache }) => {
      const prefixCache = new PrefixCache({ executor, bytes: cache * longest, minimum: 4 });
      const scheduler = new BatchScheduler<number>({ executor, slots, kvBytes: kv * longest, prefixCache, sha256: nodeSha256 });
      const ends = drive(scheduler, jobs);
      for (const [index, one] of jobs.entries()) {
        const expected = alone(executor, one);
        const { result, tokens } = ends[index]!;
        expect(tokens).toEqual(result.completionIds);
        const bytes = result.commitment.bytes();
        if (result.finish === 'stopped') {
          expect(one.stops).toBeDefined();
          expect(expected.completionIds.slice(0, tokens.length)).toEqual(tokens);
          expect(bytes).toEqual(expected.commitment.bytes(result.commitment.positions));
        } else {
          expect(result.finish).toBe(expected.finish);
          expect(tokens).toEqual(expected.completionIds);
          expect(bytes).toEqual(expected.commitment.bytes());
          expect(result.commitment.root()).toEqual(expected.commitment.root());
        }
      }
      expect(prefixCache.bytes).toBeLessThanOrEqual(Math.min(cache, kv) * longest);
      prefixCache.shrinkTo(0);
      expect(prefixCache.stats).toMatchObject({ entries: 0, bytes: 0 });
    });
    fc.assert(property, { seed: runs.seed, numRuns });
  });
});

describe('batch scheduler', () => {
  const schedule = (change: { executor?: Executor; slots?: number; kvBytes?: number; prefixCache?: PrefixCache } = {}) =>
    new BatchScheduler<string>({ executor: wasm, slots: 4, kvBytes: 4 * longest, sha256: nodeSha256, ...change });

  it('decodes every run at every step, however long the prompts of the others are, and takes turns among prompts', () => {
    const scheduler = schedule();
    scheduler.add('talks', { ...base, promptIds: [1], maxTokens: 20 });
    scheduler.step();
    scheduler.add('long', { ...base, promptIds: randomIds(vocabulary, 100), maxTokens: 1 });
    scheduler.add('also', { ...base, promptIds: randomIds(vocabulary, 90), maxTokens: 1 });
    const done = { long: 0, also: 0 };
    for (let step = 0; step < 12; step++) {
      const events = scheduler.step();
      expect(events.filter((event) => event.type === 'token' && event.run === 'talks')).toHaveLength(1);
      const pieces = events.flatMap((event) => (event.type === 'prefill' ? [[event.run as keyof typeof done, event.done] as const] : []));
      let rows = 0;
      for (const [run, at] of pieces) {
        rows += at - done[run];
        done[run] = at;
      }
      expect(rows).toBeLessThanOrEqual(limits.prefillRowsBeside);
      if (done.long < 100 && done.also < 90) expect(Math.abs(done.long - done.also)).toBeLessThanOrEqual(limits.prefillRowsBeside);
    }
    expect(done).toEqual({ long: 100, also: 90 });
  });

  it('lets those that do not fit wait in their order, and tells them how many are ahead', () => {
    const scheduler = schedule({ slots: 8, kvBytes: longest });
    const long = { ...base, promptIds: randomIds(vocabulary, 100), maxTokens: 20 };
    scheduler.add('first', long);
    scheduler.add('second', long);
    // would fit beside the first, and does not overtake the second
    scheduler.add('third', { ...base, promptIds: [1], maxTokens: 1 });
    const first = scheduler.step();
    expect(first.filter(({ type }) => type === 'waiting')).toEqual([
      { type: 'waiting', run: 'second', ahead: 1 },
      { type: 'waiting', run: 'third', ahead: 2 },
    ]);
    expect([scheduler.running, scheduler.waiting]).toEqual([1, 2]);
    const order = new Set<string>();
    for (let step = 0; !scheduler.idle; step++) {
      expect(step).toBeLessThan(100);
      for (const event of scheduler.step()) if (event.type === 'prefill') order.add(event.run);
    }
    expect([...order]).toEqual(['first', 'second', 'third']);
  });

  it('runs what is longer than the whole budget alone', () => {
    const scheduler = schedule({ kvBytes: cacheBytes(manifest.graph, 40) });
    const long = { ...base, maxTokens: 60 };
    for (const key of ['short', 'long', 'other']) scheduler.add(key, key === 'long' ? long : base);
    const running = new Set<number>();
    const done: string[] = [];
    for (let step = 0; !scheduler.idle; step++) {
      expect(step).toBeLessThan(100);
      for (const event of scheduler.step()) if (event.type === 'done') done.push(event.run);
      running.add(scheduler.running);
    }
    expect(done).toEqual(['short', 'long', 'other']);
    expect([...running]).toEqual([1, 0]);
  });

  it('refuses what can never run, before it runs', () => {
    const scheduler = schedule();
    const refuse = (change: Partial<BatchRunOptions>, code: string): void =>
      expect(() => scheduler.add('x', { ...base, ...change })).toThrow(expect.objectContaining({ code }) as Error);
    refuse({ promptIds: [] }, 'generation');
    refuse({ promptIds: [vocabulary] }, 'ids');
    refuse({ maxTokens: -1 }, 'generation');
    refuse({ maxTokens: context }, 'sequence');
    expect(scheduler.idle).toBe(true);
    for (const slots of [0, 1.5, limits.batchSlots + 1]) expect(() => schedule({ slots })).toThrow('slots');
  });

  it('fails the run that goes wrong and no other', () => {
    const expected = generate({ ...base, executor: wasm, sha256: nodeSha256 });
    // a sampler that no request can have: it throws within the engine's step
    const wrong = { ...base, sampler: { ...warm, temperature: 0.5 } };
    const scheduler = schedule();
    scheduler.add('good', base);
    scheduler.add('wrong', wrong);
    const events = [...Array(12)].flatMap(() => scheduler.step());
    expect(events.filter(({ run, type }) => run === 'wrong' && type === 'failed')).toMatchObject([{ error: { code: 'sampler' } }]);
    expect(events.filter(({ type }) => type === 'done')).toMatchObject([
      { run: 'good', result: { completionIds: expected.completionIds } },
    ]);
    expect(scheduler.idle).toBe(true);
  });

  it('keeps no memory for a run that cannot begin', () => {
    // read in 2^21 ways before its first byte
    const rules = [
      ...Array.from({ length: 21 }, (_, rule) => [
        [rule + 1, '=a'],
        [rule + 1, '=b'],
      ]),
      [['=x']],
    ];
    const vocabularyOf = tokenVocabulary(vocabulary, (id) => utf8(String.fromCodePoint(97 + (id % 26))));
    const ambiguous = { ...base, sampler: samplerSettings({ grammar: { rules } }), vocabulary: vocabularyOf, maxTokens: context - 20 };
    const scheduler = schedule({ kvBytes: longest });
    const events = [1, 2, 3].flatMap((attempt) => {
      scheduler.add(`ambiguous ${attempt}`, ambiguous);
      return scheduler.step();
    });
    expect(events).toMatchObject(Array(3).fill({ type: 'failed', error: { code: 'grammar_too_ambiguous' } }));
    scheduler.add('good', { ...base, maxTokens: context - 20 });
    expect(scheduler.step()[0]).toMatchObject({ type: 'prefill', run: 'good' });
  });

  it('runs the others when the executor refuses one of the batch', () => {
    const executor = refusing((part) => part.ids.includes(7));
    const scheduler = schedule({ executor });
    scheduler.add('good', { ...base, promptIds: [1, 2, 3] });
    scheduler.add('refused', { ...base, promptIds: [1, 7, 3] });
    const { completionIds } = generate({ ...base, promptIds: [1, 2, 3], executor: wasm });
    const events = [...Array(10)].flatMap(() => scheduler.step());
    expect(events.filter(({ type }) => type === 'failed')).toMatchObject([{ run: 'refused', error: { code: 'ids' } }]);
    expect(events.filter(({ type }) => type === 'done')).toMatchObject([{ run: 'good', result: { completionIds } }]);
  });

  it('does not go on with an executor that lost a thread: no run is to blame', () => {
    const lost = (): never => {
      throw new CommonweightError('a thread is gone', { code: 'engine-thread', action: 'retry' });
    };
    const scheduler = schedule({ executor: { ...wasm, forward: lost, forwardBatch: lost } });
    scheduler.add('x', base);
    expect(() => scheduler.step()).toThrow('a thread is gone');
  });

  it('waits for memory that the machine does not have, gives up the cache for it, and fails who gets none alone', () => {
    const executor = scarce(2);
    const prefixCache = new PrefixCache({ executor, bytes: longest });
    const scheduler = schedule({ executor, prefixCache });
    const jobs = [1, 2, 3, 4].map((seed) => ({
      options: { ...base, promptIds: randomIds(vocabulary, 30, seed), scope: 'one' },
      arrives: 0,
    }));
    const ends = drive(scheduler as unknown as BatchScheduler<number>, jobs);
    for (const [index, one] of jobs.entries()) expect(ends[index]!.result.completionIds).toEqual(alone(wasm, one).completionIds);
    expect(executor.open()).toBe(prefixCache.stats.entries);

    const none = schedule({ executor: scarce(0) });
    none.add('x', base);
    expect(none.step()).toMatchObject([{ type: 'failed', run: 'x', error: { code: 'memory' } }]);
    expect(none.idle).toBe(true);
  });

  it('ignores the stop of a run that is over, also for the next run of that key', () => {
    const scheduler = schedule();
    scheduler.stop('x');
    scheduler.add('x', base);
    const events = [...Array(12)].flatMap(() => scheduler.step());
    expect(events.at(-1)).toMatchObject({ type: 'done', result: { finish: 'length' } });
  });
});

function refusing(refused: (part: { ids: readonly number[] }) => boolean): Executor {
  const check = (parts: readonly { ids: readonly number[] }[]): void => {
    if (parts.some(refused)) throw new CommonweightError('refused', { code: 'ids' });
  };
  return {
    ...wasm,
    forward: (sequence, ids, observer) => {
      check([{ ids }]);
      wasm.forward(sequence, ids, observer);
    },
    forwardBatch: (parts) => {
      check(parts);
      wasm.forwardBatch(parts);
    },
  };
}

/** Has memory for so many sequences. */
function scarce(most: number): Executor & { readonly open: () => number } {
  let open = 0;
  return {
    ...wasm,
    open: () => open,
    newSequence: (capacity) => {
      if (open >= most) throw new CommonweightError('no memory', { code: 'memory' });
      open++;
      const sequence = wasm.newSequence(capacity);
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
