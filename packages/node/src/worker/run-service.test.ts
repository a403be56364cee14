import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { noPrefixes } from '@commonweight/engine';
import { buildTinyModel } from '@commonweight/engine/testing';
import {
  CommonweightError,
  type Frame,
  type Hex32,
  type RunRequest,
  ZERO_ADDRESS,
  committedPositions,
  maximumAmount,
  modelIdOf,
  parseFrame,
  parsePaymentSignature,
  signDigest,
  signExactPayment,
  toHex,
  uintBE,
} from '@commonweight/protocol';
import { expect, it } from 'vitest';
import { TestClock } from '../gateway/testing/test-gateway.ts';
import { Ledger } from '../journal/ledger.ts';
import { identity, sessionKey } from '../journal/testing/entries.ts';
import { workerLimits } from '../limits.ts';
import { type Clock, systemClock } from '../platform/clock.ts';
import { Cashier } from '../payments/cashier.ts';
import { PaymentBook } from '../payments/payment-book.ts';
import type { PaymentRail } from '../payments/rail.ts';
import { type PaymentTerms, makeOffers } from '../payments/terms.ts';
import { DigestStore } from './digest-store.ts';
import type { EngineEvents, EngineHost } from './engine-host.ts';
import { RunQueue } from './run-queue.ts';
import type { Outcome } from './run.ts';
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
  const engine = engineThat(async (job, events) => {
    const completionIds = [3, STOP_ID];
    for (const [index, id] of completionIds.entries()) events.onToken(index, id);
    tell();
    await ended;
    const positions = committedPositions(job.promptIds.length, completionIds.length);
    return { completionIds, finish: 'stop_id', digests: new Uint8Array(32 * manifest.graph.commitPoints.length * positions) };
  });
  return { engine, told, end };
}

/** An engine that runs as the test says. */
const engineThat = (run: EngineHost['run']): EngineHost => ({
  manifest,
  modelId,
  status: () => ({ backend: 'none', prefixCache: noPrefixes }),
  run,
  close: async () => undefined,
});

async function withService(
  engine: EngineHost,
  clock: Clock,
  use: (service: RunService) => Promise<void>,
  price = 0n,
  cashier?: Cashier,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'commonweight-run-'));
  const { ledger } = await Ledger.open({ folder, identity, sign: (digest) => signDigest(digest, sessionKey) });
  try {
    const service = new RunService({
      offer: { node, domain, promptPrice: price, completionPrice: price, asset: ZERO_ADDRESS, manifestOf: () => manifest },
      engines: new Map([[modelId, engine]]),
      ledger,
      sign: (digest) => signDigest(digest, sessionKey),
      digests: await DigestStore.open(join(folder, 'digests')),
      queue: new RunQueue({ slots: 1, limit: 1 }),
      clock,
      log: new RecordingLog(),
      fail: (error) => {
        throw error;
      },
      ...(cashier && { cashier }),
    });
    await use(service);
  } finally {
    await ledger.close();
    await rm(folder, { recursive: true, force: true });
  }
}

it.each([
  [2, 'stop_id'],
  [1, 'cancelled'],
] as const)(
  'an end after %i tokens, when the stop id has come as the second, gives a receipt that says %s',
  async (tokens, finishReason) => {
    const { engine, told, end } = engineAtStopId();
    await withService(engine, systemClock, async (service) => {
      const request = ask({ domain, node, modelId, change: { stopIds: [STOP_ID] } });
      const run = service.start(request);
      await told;
      const answer = service.end(signEnd(request, domain, tokens, 'cancelled')).catch((error: unknown) => error);
      end();
      expect(await run.outcome).toMatchObject({ issued: { receipt: { finishReason, completionTokens: tokens } } });
      expect(await answer).toMatchObject(tokens === 2 ? { code: 'already_ended' } : { issued: { receipt: { finishReason } } });
    });
  },
);

it('keeps every receipt within its own limit: runs in progress count with their maximum, ended ones with what they cost', async () => {
  const { engine, told, end } = engineAtStopId();
  const priced = (nonce: number, cumulativeLimit: number): RunRequest => {
    const prices = { promptPrice: '1000000', completionPrice: '1000000', stopIds: [STOP_ID] };
    return ask({ domain, node, modelId, nonce, change: { ...prices, cumulativeLimit: String(cumulativeLimit) } });
  };
  await withService(
    engine,
    systemClock,
    async (service) => {
      // 4 prompt tokens, at most 8 more: 12 a run
      expect(() => service.start(priced(0, 11))).toThrow(expect.objectContaining({ code: 'limit_too_low' }));
      const first = service.start(priced(1, 24));
      await told;
      expect(() => service.start(priced(2, 23))).toThrow(expect.objectContaining({ details: { expected: '24', got: '23' } }));
      const second = service.start(priced(3, 24));
      expect(() => service.start(priced(4, 1000))).toThrow(expect.objectContaining({ code: 'channel_busy', retryable: true }));
      end();
      expect(await first.outcome).toMatchObject({ issued: { receipt: { cumulativeAmount: 6n } } });
      expect(await second.outcome).toMatchObject({ issued: { receipt: { cumulativeAmount: 12n } } });
      expect(() => service.start(priced(5, 23))).toThrow(expect.objectContaining({ details: { expected: '24', got: '23' } }));
      expect(await service.start(priced(6, 24)).outcome).toMatchObject({ issued: { receipt: { cumulativeAmount: 18n } } });
    },
    1_000_000n,
  );
});

it('repeats the last progress while nothing changes, from the slot to the first token', async () => {
  let begin!: (events: EngineEvents) => void;
  let breakOff!: (error: Error) => void;
  const begun = new Promise<EngineEvents>((resolve) => (begin = resolve));
  const broken = new Promise<never>((_, reject) => (breakOff = reject));
  const engine = engineThat((_, events) => {
    begin(events);
    return broken;
  });
  const clock = new TestClock();
  await withService(engine, clock, async (service) => {
    const run = service.start(ask({ domain, node, modelId }));
    const reader = run.frames.readable.getReader();
    const next = async (): Promise<Frame[]> => {
      const lines = new TextDecoder()
        .decode((await reader.read()).value)
        .trimEnd()
        .split('\n');
      return lines.map((line) => parseFrame(JSON.parse(line)));
    };
    const passed = (): Promise<Frame[]> => {
      clock.pass(workerLimits.progressFrameMs);
      return next();
    };
    const events = await begun;
    expect([await passed(), await passed()].flat()).toEqual([
      { type: 'queued', ahead: 0 },
      { type: 'queued', ahead: 0 },
    ]);
    events.onPrefill(2, 4, 1);
    const prefill = { type: 'prefill', done: 2, total: 4, cached: 1 };
    expect([await next(), await passed(), await passed()].flat()).toEqual([prefill, prefill, prefill]);
    events.onToken(0, 3);
    clock.pass(workerLimits.progressFrameMs);
    breakOff(new CommonweightError('the end of the test', { code: 'engine_crashed' }));
    await run.outcome;
    expect((await next()).map(({ type }) => type)).toEqual(['token', 'checkpoint', 'error']);
  });
});

it.each(['grammar_stuck', 'grammar_too_ambiguous'])(
  'work that ended with %s counts against the payer who chose the grammar',
  async (code) => {
    const engine = engineThat(async (_, events) => {
      events.onPrefill(4, 4, 0);
      throw new CommonweightError('the grammar', { code });
    });
    await withService(engine, systemClock, async (service) => {
      for (let nonce = 0; nonce < workerLimits.unbilledRuns; nonce++)
        expect(await service.start(ask({ domain, node, modelId, nonce })).outcome).toMatchObject({ error: { code } });
      expect(() => service.start(ask({ domain, node, modelId, nonce: workerLimits.unbilledRuns }))).toThrow(
        expect.objectContaining({ code: 'unbilled_limit' }),
      );
    });
  },
);

it('work that was paid for counts against whose money it was, not against the gateway that asked', async () => {
  const engine = engineThat(async (_, events) => {
    events.onPrefill(4, 4, 0);
    throw new CommonweightError('the grammar', { code: 'grammar_stuck' });
  });
  const folder = await mkdtemp(join(tmpdir(), 'commonweight-run-payments-'));
  const { book } = await PaymentBook.open(folder, { node, chainId: domain.chainId });
  const yes = { verify: () => Promise.resolve(undefined), funds: () => Promise.resolve(10n ** 9n) };
  const unused = () => Promise.reject(new Error('nothing is collected here'));
  const rail: PaymentRail = { ...yes, height: () => Promise.resolve(1n), collect: unused, deposit: unused, escrow: unused };
  const payTo = `0x${'0c'.repeat(20)}` as const;
  const terms: PaymentTerms = {
    chainId: domain.chainId,
    asset: { address: ZERO_ADDRESS, name: 'Dollar', version: '1' },
    facilitator: node,
    authorizer: node,
    withdrawDelay: 86_400,
    url: 'http://node.example',
    payTo: () => payTo,
  };
  const cashier = new Cashier({ terms, book, rail, clock: systemClock, log: new RecordingLog() });
  const price = 1_000_000n;
  let nonce = 0;
  const sell = async (service: RunService, key: Hex32): Promise<Outcome> => {
    nonce++;
    const maximum = maximumAmount(ask({ domain, node, modelId }).request, { promptPrice: price, completionPrice: price });
    const offer = makeOffers(terms, modelId, maximum).find(({ scheme }) => scheme === 'exact')!;
    const validBefore = Math.floor(Date.now() / 1000) + 3500;
    const header = signExactPayment(offer, { nonce: toHex(uintBE(nonce, 32)) as Hex32, validBefore }, key);
    const { channel } = parsePaymentSignature(header);
    const change = { promptPrice: String(price), completionPrice: String(price), channel, cumulativeLimit: String(maximum) };
    return (await service.sell(ask({ domain, node, modelId, nonce, change }), header)).outcome;
  };
  const [walkIn, another] = [`0x${'61'.repeat(32)}`, `0x${'62'.repeat(32)}`] as const;
  await withService(
    engine,
    systemClock,
    async (service) => {
      for (let i = 0; i < workerLimits.unbilledRuns; i++)
        expect(await sell(service, walkIn)).toMatchObject({ error: { code: 'grammar_stuck' } });
      await expect(sell(service, walkIn)).rejects.toMatchObject({ code: 'unbilled_limit' });
      expect(await sell(service, another)).toMatchObject({ error: { code: 'grammar_stuck' } });
    },
    price,
    cashier,
  );
  await cashier.close();
  await book.close();
  await rm(folder, { recursive: true });
});
