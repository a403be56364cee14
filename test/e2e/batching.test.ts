import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openPackage } from '@commonweight/models';
import { type Address, type Frame, type Hex, type Hex32, type SamplerSettings, toHex, uintBE } from '@commonweight/protocol';
import { type RoleProcess, type TestNetwork, requireRealModel, startTestNetwork } from '@commonweight/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runFrames } from '../../packages/node/src/worker/testing/frames.ts';
import { ask } from '../../packages/node/src/worker/testing/payer.ts';

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
const STREAMS = 8;
const found = await requireRealModel();
const cliScript = fileURLToPath(new URL('../../packages/cli/bin/commonweight.js', import.meta.url));

describe.skipIf('reason' in found)(
  `a worker process with the default model${'reason' in found ? ` (skipped: ${found.reason})` : ''}`,
  () => {
    let folder: string;
    let network: TestNetwork;
    let worker: RoleProcess;
    let stopIds: readonly number[];
    let asked = 0;

    beforeAll(async () => {
      if ('reason' in found) return;
      const model = await openPackage(found.dir);
      ({ stopIds } = model.manifest.generation);
      await model.close();
      folder = mkdtempSync(join(tmpdir(), 'commonweight-batching-'));
      network = await startTestNetwork({ dataDir: folder, packageDir: found.dir, cliScript });
      worker = await network.startWorker('one');
    });
    afterAll(async () => {
      await network[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    });

    /** Streams an answer; `payer` counts from 1. */
    async function stream({ promptIds, sampler, seed, maxTokens }: Answer, payer: number, onFrame: (frame: Frame) => void = () => {}) {
      const { domain } = network.chain;
      const change = { sampler, seed, maxTokens, stopIds: [...stopIds].toSorted((a, b) => a - b) };
      const key = toHex(uintBE(payer, 32)) as Hex32;
      const run = ask({ domain, node: worker.nodeId as Address, modelId: network.modelId, promptIds, key, nonce: asked++, change });
      const frames: Frame[] = [];
      for await (const frame of runFrames(worker.url, run)) {
        frames.push(frame);
        onFrame(frame);
      }
      const last = frames.at(-1)!;
      if (last.type !== 'receipt') throw new Error(`expected a receipt, got ${JSON.stringify(last)}`);
      return {
        ids: frames.flatMap((frame) => (frame.type === 'token' ? [frame.id] : [])),
        cached: frames.flatMap((frame) => (frame.type === 'prefill' ? [frame.cached] : [])).at(-1),
        thinRoot: last.receipt.thinRoot,
      };
    }

    it(`${STREAMS} streams at once, each of them the committed answer`, async () => {
      let open = 0;
      let most = 0;
      const streams = Array.from({ length: STREAMS }, async (_, i) => {
        const answer = answers[i % answers.length]!;
        const { ids, cached, thinRoot } = await stream(answer, i + 1, (frame) => {
          if (frame.type === 'token' && frame.index === 0) most = Math.max(most, ++open);
          if (frame.type === 'receipt') open--;
        });
        expect(ids).toEqual(answer.completionIds);
        expect(thinRoot).toBe(answer.thinRoot);
        // eight payers: nobody sees what another one asked
        expect(cached).toBe(0);
      });
      await Promise.all(streams);
      // whatever the order in which they came: the long ones ran side by side
      expect(most).toBeGreaterThanOrEqual(5);
    });

    it('the same answers from the prefix cache, without a second prefill', async () => {
      for (const [i, answer] of answers.entries()) {
        const { ids, cached, thinRoot } = await stream(answer, i + 1);
        expect(ids).toEqual(answer.completionIds);
        expect(thinRoot).toBe(answer.thinRoot);
        expect(cached).toBe(answer.promptIds.length - 1);
      }
      const health = (await (await fetch(`${worker.url}/health`)).json()) as { engines: { prefixCache: { hits: number } }[] };
      expect(health.engines[0]!.prefixCache.hits).toBe(answers.length);
    });
  },
);
