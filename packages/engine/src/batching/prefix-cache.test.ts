import { samplerSettings } from '@commonweight/protocol';
import { describe, expect, it } from 'vitest';
import type { BatchPart, Executor } from '../executor.ts';
import { generate } from '../generation.ts';
import { limits } from '../limits.ts';
import { nodeSha256 } from '../sha256.node.ts';
import { buildTinyModel, tinyShapes } from '../testing/tiny-model.ts';
import { randomIds } from '../testing/trace.ts';
import { loadEngineWasm } from '../wasm/load-engine-wasm.node.ts';
import { cacheBytes } from '../kernels/cache-layout.ts';
import { createWasmExecutor } from '../wasm/wasm-executor.ts';
import { BatchScheduler } from './batch-scheduler.ts';
import { PrefixCache } from './prefix-cache.ts';
import { type Job, drive } from './testing/drive.ts';

const { manifest, source } = buildTinyModel({ ...tinyShapes.untied, context: 1024 });
const { graph } = manifest;
const wasm = createWasmExecutor(manifest, source, loadEngineWasm());
/** What the cache counts for one position: KV, digests, id. */
const position = cacheBytes(graph, 1) + 32 * graph.commitPoints.length + 4;

const system = randomIds(graph.vocabulary, 500, 1);
const ask = (promptIds: number[], scope = 'one', maxTokens = 4): Job => ({
  options: { promptIds, sampler: samplerSettings(), prfKey: new Uint8Array(32), stopIds: [], maxTokens, scope },
  arrives: 0,
});
const question = (seed: number, length = 10): number[] => [...system, ...randomIds(graph.vocabulary, length, seed)];

/** Counts the positions that are run. */
function counting(): Executor & { rows: number } {
  const executor = {
    ...wasm,
    rows: 0,
    forwardBatch: (parts: readonly BatchPart[]) => {
      for (const { ids } of parts) executor.rows += ids.length;
      wasm.forwardBatch(parts);
    },
  };
  return executor;
}

function setUp(positions: number) {
  const executor = counting();
  const prefixCache = new PrefixCache({ executor, bytes: positions * position });
  const scheduler = new BatchScheduler<number>({
    executor,
    slots: 4,
    kvBytes: 8 * cacheBytes(graph, graph.context),
    prefixCache,
    sha256: nodeSha256,
  });
  /** Runs jobs side by side, compares each with the run alone, and says what was taken from the cache and what was run. */
  const run = (...jobs: Job[]) => {
    const before = executor.rows;
    const ends = drive(scheduler, jobs);
    for (const [index, { options }] of jobs.entries()) {
      const alone = generate({ ...options, executor: wasm, sha256: nodeSha256 });
      expect(ends[index]!.result.completionIds).toEqual(alone.completionIds);
      expect(ends[index]!.result.commitment.bytes()).toEqual(alone.commitment.bytes());
    }
    return { cached: ends.map(({ cached }) => cached), rows: executor.rows - before };
  };
  return { prefixCache, run };
}

describe('prefix cache', () => {
  it('runs a repeated system prompt of 500 tokens once: the second time only what differs', () => {
    const { run, prefixCache } = setUp(4000);
    expect(run(ask(question(2)))).toEqual({ cached: [0], rows: 510 + 3 });
    expect(run(ask(question(3)))).toEqual({ cached: [500], rows: 10 + 3 });
    // the very same prompt: its last position gives the logits
    expect(run(ask(question(2)))).toEqual({ cached: [509], rows: 1 + 3 });
    expect(prefixCache.stats).toMatchObject({ lookups: 3, hits: 2, reused: 1009 });
  });

  it('goes on where a conversation ended', () => {
    const { run, prefixCache } = setUp(4000);
    const first = ask(question(2), 'one', 20);
    run(first);
    const { completionIds } = generate({ ...first.options, executor: wasm });
    const second = ask([...first.options.promptIds, ...completionIds, 7, 8, 9]);
    // the last token of the answer was never run
    expect(run(second)).toEqual({ cached: [510 + 19], rows: 4 + 3 });
    // the longer text has taken the place of the shorter one
    expect(prefixCache.stats.entries).toBe(1);
  });

  it('copies from runs in progress, within one scope', () => {
    const { run } = setUp(4000);
    const [early, late, other] = [
      ask(question(2), 'one', 40),
      { ...ask(question(3)), arrives: 20 },
      { ...ask(question(4), 'other'), arrives: 20 },
    ];
    expect(run(early, late, other).cached).toEqual([0, 500, 0]);
  });

  it('shows a scope nothing of the others', () => {
    const { run } = setUp(4000);
    run(ask(question(2)));
    expect(run(ask(question(2), 'other')).cached).toEqual([0]);
    const { scope: _, ...nobody } = ask(question(2)).options;
    expect(run({ options: nobody, arrives: 0 }).cached).toEqual([0]);
  });

  it('neither keeps nor reuses what is shorter than the minimum', () => {
    const { run, prefixCache } = setUp(4000);
    run(ask(system.slice(0, limits.prefixMinimum - 4)));
    expect(prefixCache.stats.entries).toBe(0);
    run(ask(question(2)));
    expect(run(ask([...system.slice(0, limits.prefixMinimum - 1), ...randomIds(graph.vocabulary, 40, 9)])).cached).toEqual([0]);
  });

  it('keeps the beginning of a text that is too long for its share', () => {
    const { run, prefixCache } = setUp(600);
    run(ask(question(2)));
    expect(prefixCache.bytes).toBe(300 * position);
    expect(run(ask(question(3)))).toEqual({ cached: [300], rows: 210 + 3 });
  });

  describe('when memory is tight', () => {
    const texts = [1, 2, 3, 4].map((seed) => randomIds(graph.vocabulary, 100, seed));
    const [a, b, c, d] = texts as [number[], number[], number[], number[]];
    /** Room for two texts and a half; keeps what a run of `ids` would leave. */
    const tight = () => {
      const cache = new PrefixCache({ executor: wasm, bytes: 250 * position });
      const keep = (ids: readonly number[]): void => {
        const sequence = wasm.newSequence(ids.length);
        wasm.forward(sequence, ids);
        cache.keep('one', { ids, sequence, digests: (count) => new Uint8Array(32 * graph.commitPoints.length * count) });
        sequence.release();
        expect(cache.bytes).toBeLessThanOrEqual(250 * position);
      };
      const known = (ids: readonly number[]): number => cache.find('one', ids, ids.length)?.positions ?? 0;
      const reuse = (ids: readonly number[], most: number): void => cache.used(cache.find('one', ids, most));
      return { cache, keep, known, reuse };
    };

    it('forgets what was used least recently', () => {
      const { keep, known, reuse } = tight();
      keep(a);
      keep(b);
      reuse(a, 100);
      keep(c);
      expect([a, b, c].map(known)).toEqual([100, 0, 100]);
      // what is kept already is not kept twice, but counts as used
      keep(a);
      keep(d);
      expect([a, b, c, d].map(known)).toEqual([100, 0, 0, 100]);
    });

    it('cuts an entry down to the part that others reused, before it forgets that too', () => {
      const { keep, known, reuse } = tight();
      keep(a);
      reuse(a, 40);
      keep(b);
      keep(c);
      expect([a, b, c].map(known)).toEqual([40, 100, 100]);
      keep(d);
      expect([a, b, c, d].map(known)).toEqual([0, 0, 100, 100]);
    });

    it('does not keep that part twice', () => {
      const { cache, keep, known, reuse } = tight();
      keep(a);
      reuse(a, 40);
      keep([...a.slice(0, 40), ...b.slice(0, 60)]);
      keep(c);
      expect(cache.stats.entries).toBe(2);
      expect([a, c].map(known)).toEqual([40, 100]);
    });

    it('gives way when it is told to, and spares what is needed next as long as it can', () => {
      const { cache, keep, known } = tight();
      keep(a);
      keep(b);
      cache.shrinkTo(150 * position, cache.find('one', a, 100)!.prefix);
      expect([a, b].map(known)).toEqual([100, 0]);
      cache.shrinkTo(50 * position, cache.find('one', a, 100)!.prefix);
      expect(cache.stats).toMatchObject({ entries: 0, bytes: 0 });
    });
  });

  it('bounds the number of entries', () => {
    const { prefixCache } = setUp(100_000);
    const sequence = wasm.newSequence(16);
    wasm.forward(sequence, randomIds(graph.vocabulary, 16));
    for (let i = 0; i <= limits.prefixEntries; i++) {
      prefixCache.keep(`scope ${i}`, {
        ids: randomIds(graph.vocabulary, 16),
        sequence,
        digests: (n) => new Uint8Array(32 * graph.commitPoints.length * n),
      });
    }
    expect(prefixCache.stats.entries).toBe(limits.prefixEntries);
    prefixCache.shrinkTo(0);
    sequence.release();
  });
});
