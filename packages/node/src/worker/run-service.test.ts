import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { noPrefixes } from '@commonweight/engine';
import { buildTinyModel } from '@commonweight/engine/testing';
import { ZERO_ADDRESS, committedPositions, modelIdOf, signDigest } from '@commonweight/protocol';
import { expect, it } from 'vitest';
import { Ledger } from '../journal/ledger.ts';
import { identity, sessionKey } from '../journal/testing/entries.ts';
import { systemClock } from '../platform/clock.ts';
import { DigestStore } from './digest-store.ts';
import type { EngineHost } from './engine-host.ts';
import { RunQueue } from './run-queue.ts';
import { RunService } from './run-service.ts';
import { ask, signEnd } from './testing/payer.ts';
import { RecordingLog } from './testing/recording-log.ts';

const { node, domain } = identity;
const { manifest } = buildTinyModel({ context: 64 });
const modelId = modelIdOf(manifest);
const STOP_ID = 5;

/** Has told its last token, a stop id, and ends when the test says so: the moment between the engine's two last messages. */
function engineAtStopId(): { engine: EngineHost; told: Promise<void>; end: () => void } {
  let tell!: () => void;
  let end!: () => void;
  const told = new Promise<void>((resolve) => (tell = resolve));
  const ended = new Promise<void>((resolve) => (end = resolve));
  const engine: EngineHost = {
    manifest,
    modelId,
    status: () => ({ backend: 'none', prefixCache: noPrefixes }),
    run: async (job, events) => {
      const completionIds = [3, STOP_ID];
      for (const [index, id] of completionIds.entries()) events.onToken(index, id);
      tell();
      await ended;
      const positions = committedPositions(job.promptIds.length, completionIds.length);
      return { completionIds, finish: 'stop_id', digests: new Uint8Array(32 * manifest.graph.commitPoints.length * positions) };
    },
    close: async () => undefined,
  };
  return { engine, told, end };
}

it.each([
  [2, 'stop_id'],
  [1, 'cancelled'],
] as const)(
  'an end after %i tokens, when the stop id has come as the second, gives a receipt that says %s',
  async (tokens, finishReason) => {
    const folder = await mkdtemp(join(tmpdir(), 'commonweight-run-'));
    const { ledger } = await Ledger.open({ folder, identity, sign: (digest) => signDigest(digest, sessionKey) });
    try {
      const { engine, told, end } = engineAtStopId();
      const service = new RunService({
        offer: { node, domain, promptPrice: 0n, completionPrice: 0n, asset: ZERO_ADDRESS, manifestOf: () => manifest },
        engines: new Map([[modelId, engine]]),
        ledger,
        sign: (digest) => signDigest(digest, sessionKey),
        digests: await DigestStore.open(join(folder, 'digests')),
        queue: new RunQueue({ slots: 1, limit: 1 }),
        clock: systemClock,
        log: new RecordingLog(),
        fail: (error) => {
          throw error;
        },
      });
      const request = ask({ domain, node, modelId, change: { stopIds: [STOP_ID] } });
      const run = service.start(request);
      await told;
      const answer = service.end(signEnd(request, domain, tokens, 'cancelled')).catch((error: unknown) => error);
      end();
      expect(await run.outcome).toMatchObject({ issued: { receipt: { finishReason, completionTokens: tokens } } });
      expect(await answer).toMatchObject(tokens === 2 ? { code: 'already_ended' } : { issued: { receipt: { finishReason } } });
    } finally {
      await ledger.close();
      await rm(folder, { recursive: true, force: true });
    }
  },
);
