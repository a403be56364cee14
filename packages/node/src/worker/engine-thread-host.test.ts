import { mkdir, mkdtemp, open, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TinyModel } from '@commonweight/engine/testing';
import { committedPositions, modelIdOf, packageFiles, samplerSettings } from '@commonweight/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { workerLimits } from '../limits.ts';
import { systemClock } from '../platform/clock.ts';
import type { EngineJob, EngineResult } from './engine-host.ts';
import { openThreadEngine } from './engine-thread-host.ts';
import { RecordingLog } from './testing/recording-log.ts';
import { engineSettings } from './testing/engine-settings.ts';
import { unhurried, writeTinyPackage } from './testing/tiny-package.ts';

let folder: string;
let model: TinyModel;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'commonweight-engine-'));
  model = await writeTinyPackage(join(folder, 'model'), unhurried);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const job = (change: Partial<EngineJob> = {}): EngineJob => ({
  promptIds: [1, 2, 3],
  sampler: samplerSettings({ temperature: 1_000_000 }),
  prfKey: new Uint8Array(32),
  stopIds: [],
  maxTokens: 4,
  scope: 'payer',
  ...change,
});
const never = new AbortController().signal;
const ignore = { onQueued: () => {}, onPrefill: () => {}, onToken: () => {} };
const options = () => ({ settings: engineSettings, log: new RecordingLog(), clock: systemClock });
const crashing = new URL('./testing/crashing-thread.mjs', import.meta.url);

describe('engine thread', () => {
  it('stops its forward steps between two tokens, and between two pieces of the prompt', async () => {
    const engine = await openThreadEngine(join(folder, 'model'), options());
    const points = model.manifest.graph.commitPoints.length;
    try {
      expect(engine.modelId).toBe(modelIdOf(model.manifest));
      const stop = new AbortController();
      let tokens = 0;
      const onToken = (index: number): void => {
        tokens = index + 1;
        if (index === 4) stop.abort();
      };
      const { completionIds, finish, digests } = await engine.run(job({ maxTokens: 8000 }), { ...ignore, onToken }, stop.signal);
      expect(finish).toBe('stopped');
      expect(tokens).toBe(completionIds.length);
      expect(completionIds.length).toBeGreaterThanOrEqual(5);
      expect(completionIds.length).toBeLessThan(8000);
      // a digest per position that was run: no step was made beyond the tokens that came
      expect(digests.length).toBe(32 * points * committedPositions(3, completionIds.length));

      const inPrompt = new AbortController();
      const promptIds = Array.from({ length: 8000 }, (_, i) => i % 90);
      const stopped = await engine.run(job({ promptIds }), { ...ignore, onPrefill: () => inPrompt.abort() }, inPrompt.signal);
      expect(stopped).toMatchObject({ finish: 'stopped', completionIds: [] });
      expect(stopped.digests.length).toBeLessThan(32 * points * 8000);

      // a stop that came too late for its job does not touch the next one
      expect(await engine.run(job(), ignore, never)).toMatchObject({ finish: 'length' });
      const before = new AbortController();
      before.abort();
      expect(await engine.run(job(), ignore, before.signal)).toMatchObject({ finish: 'stopped', completionIds: [] });
    } finally {
      await engine.close();
    }
  });

  it('refuses weights with one changed byte, wherever it is', async () => {
    const changed = join(folder, 'changed');
    const { weights } = await writeTinyPackage(changed, { context: 128 });
    for (const at of [0, weights.length >> 1, weights.length - 1]) {
      const file = await open(join(changed, 'weights.bin'), 'r+');
      await file.write(Uint8Array.of(weights[at]! ^ 1), 0, 1, at);
      await expect(openThreadEngine(changed, options()), `byte ${at}`).rejects.toMatchObject({ action: 'stop' });
      await file.write(weights, at, 1, at);
      await file.close();
    }
    await (await openThreadEngine(changed, options())).close();
  });

  it('names a package that is not there', async () => {
    await expect(openThreadEngine(join(folder, 'nothing'), options())).rejects.toThrow(/manifest\.json/);
  });

  it('fails the running job when the thread dies, starts it again, and gives up after too many crashes in a row', async () => {
    const opened = options();
    const { log } = opened;
    const engine = await openThreadEngine(join(folder, 'model'), { ...opened, threadUrl: crashing });
    try {
      for (const dies of [1, 2]) {
        await expect(engine.run(job({ promptIds: [dies] }), ignore, never)).rejects.toMatchObject({
          code: 'engine_crashed',
          retryable: true,
        });
        // a job that is done resets the count
        expect(await engine.run(job({ promptIds: [7] }), ignore, never)).toMatchObject({ completionIds: [5] });
      }
      for (let i = 0; i <= workerLimits.engineRestarts; i++) {
        await expect(engine.run(job({ promptIds: [1] }), ignore, never)).rejects.toMatchObject({ code: 'engine_crashed' });
      }
      await expect(engine.run(job({ promptIds: [7] }), ignore, never)).rejects.toMatchObject({ code: 'engine_gone', action: 'stop' });
      expect(log.of('engine_gone')).toHaveLength(1);
      expect(JSON.stringify(log.events)).not.toContain('secret');
    } finally {
      await engine.close();
    }
  });

  it('runs several jobs at once, each as if it were alone, and keeps what they have in common', async () => {
    const engine = await openThreadEngine(join(folder, 'model'), options());
    try {
      const jobs = Array.from({ length: 12 }, (_, i) =>
        job({ promptIds: [1, 2, i], maxTokens: 20 + i, prfKey: new Uint8Array(32).fill(i) }),
      );
      let inProgress = 0;
      let most = 0;
      const together = await Promise.all(
        jobs.map(async (one) => {
          let begun = false;
          const onToken = (): void => {
            if (!begun) most = Math.max(most, ++inProgress);
            begun = true;
          };
          const result = await engine.run(one, { ...ignore, onToken }, new AbortController().signal);
          inProgress--;
          return result;
        }),
      );
      expect(most).toBeGreaterThan(1);
      expect(most).toBeLessThanOrEqual(engineSettings.slots);
      for (const [i, one] of jobs.entries()) expect(await engine.run({ ...one, scope: `other ${i}` }, ignore, never)).toEqual(together[i]);

      const promptIds = Array.from({ length: 64 }, (_, i) => i);
      const cached: number[] = [];
      const repeat = async (scope: string): Promise<EngineResult> => {
        let last = -1;
        const result = await engine.run(
          job({ promptIds, scope }),
          { ...ignore, onPrefill: (_done, _total, known) => (last = known) },
          never,
        );
        cached.push(last);
        return result;
      };
      const first = await repeat('payer');
      expect(await repeat('payer')).toEqual(first);
      expect(await repeat('somebody else')).toEqual(first);
      expect(cached).toEqual([0, 63, 0]);
      expect(engine.status()).toMatchObject({ backend: 'wasm', prefixCache: { hits: 1, reused: 63 } });
    } finally {
      await engine.close();
    }
  });

  it('tells a job that waits for memory how many are ahead', async () => {
    const { graph } = model.manifest;
    // room for one of these jobs and a half
    const positions = 2000;
    const kvBytes = Math.floor(1.5 * positions * graph.layers * graph.kvHeads * (2 * graph.headDimension + 8));
    const opened = options();
    const engine = await openThreadEngine(join(folder, 'model'), { ...opened, settings: { ...engineSettings, kvBytes } });
    try {
      const heard: string[] = [];
      const run = (name: string, stopAt: number): Promise<EngineResult> => {
        const stop = new AbortController();
        const onQueued = (ahead: number): void => void heard.push(`${name} waits behind ${ahead}`);
        const onToken = (index: number): void => {
          if (index === 0) heard.push(`${name} runs`);
          if (index === stopAt) stop.abort();
        };
        return engine.run(job({ maxTokens: positions - 2 }), { ...ignore, onQueued, onToken }, stop.signal);
      };
      await Promise.all([run('a', 100), run('b', 0), run('c', 0)]);
      // whether `a` made its first step before the others came is a matter of luck
      expect(heard.filter((line) => line !== 'a runs')).toEqual([
        'b waits behind 1',
        'c waits behind 2',
        'c waits behind 1',
        'b runs',
        'c runs',
      ]);
    } finally {
      await engine.close();
    }
  });

  it('refuses the job that can never run, and no other', async () => {
    const engine = await openThreadEngine(join(folder, 'model'), options());
    try {
      const [good, bad] = await Promise.allSettled([
        engine.run(job(), ignore, never),
        engine.run(job({ promptIds: [1_000_000] }), ignore, never),
      ]);
      expect(good).toMatchObject({ status: 'fulfilled', value: { finish: 'length' } });
      expect(bad).toMatchObject({ status: 'rejected', reason: { code: 'ids' } });
    } finally {
      await engine.close();
    }
  });

  it.each(['a file that is gone', 'a folder in its place'])(
    'fails a run under a grammar, not the thread, for %s, and tries again',
    async (what) => {
      const packageDir = join(folder, what);
      await writeTinyPackage(packageDir, { context: 128 });
      const opened = options();
      const engine = await openThreadEngine(packageDir, opened);
      const path = join(packageDir, packageFiles.tokenizer);
      const grammar = { rules: [[['=token_1'], ['=token_2']]] };
      const run = () => engine.run(job({ sampler: samplerSettings({ grammar }), maxTokens: 1 }), ignore, never);
      try {
        await rename(path, `${path}.away`);
        if (what.startsWith('a folder')) await mkdir(path);
        for (const _ of [1, 2]) await expect(run()).rejects.toMatchObject({ code: expect.stringMatching(/^(?:file|vocabulary)$/) });
        await rm(path, { recursive: true, force: true });
        await rename(`${path}.away`, path);
        expect((await run()).completionIds).toHaveLength(1);
        expect(opened.log.of('engine_crashed')).toEqual([]);
      } finally {
        await engine.close();
      }
    },
  );

  it('fails every running job when the thread dies, each as retryable', async () => {
    const engine = await openThreadEngine(join(folder, 'model'), { ...options(), threadUrl: crashing });
    try {
      const jobs = [3, 3, 3, 1].map((first) => engine.run(job({ promptIds: [first] }), ignore, never));
      for (const end of await Promise.allSettled(jobs))
        expect(end).toMatchObject({ status: 'rejected', reason: { code: 'engine_crashed', retryable: true } });
      expect(await engine.run(job({ promptIds: [7] }), ignore, never)).toMatchObject({ completionIds: [5] });
    } finally {
      await engine.close();
    }
  });
});
