import { mkdtemp, rm } from 'node:fs/promises';
import { get } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildTinyModel } from '@commonweight/engine/testing';
import {
  CommonweightError,
  type Frame,
  type RunRequest,
  ZERO_ADDRESS,
  receiptDigest,
  requestHashOf,
  signDigest,
} from '@commonweight/protocol';
import { Hono } from 'hono';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Ledger } from '../journal/ledger.ts';
import { identity, sessionKey } from '../journal/testing/entries.ts';
import { workerLimits } from '../limits.ts';
import { type Clock, systemClock } from '../platform/clock.ts';
import { DigestStore } from './digest-store.ts';
import { createHttpApp } from './http-app.ts';
import { type HttpServer, startHttpServer } from '../http/http-server.ts';
import { RunQueue } from './run-queue.ts';
import { RunService } from './run-service.ts';
import { allFrames, postEnd, postJson, runFrames } from './testing/frames.ts';
import { GateEngine } from './testing/gate-engine.ts';
import { ask, signEnd } from './testing/payer.ts';
import { RecordingLog } from './testing/recording-log.ts';

const { node, domain } = identity;
const { manifest } = buildTinyModel({ context: 64 });
const QUEUE = 2;

let folder: string;
let engine: GateEngine;
let ledger: Ledger;
let service: RunService;
let server: HttpServer;
let log: RecordingLog;
let failures: CommonweightError[];
let timers: (() => void)[];
let nonce = 0;

/** Timers fire when the test says so. */
const heldClock: Clock = {
  ...systemClock,
  after: (_ms, callback) => {
    timers.push(callback);
    return () => void (timers = timers.filter((timer) => timer !== callback));
  },
};

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'commonweight-http-'));
  engine = new GateEngine(manifest);
  log = new RecordingLog();
  failures = [];
  timers = [];
  ({ ledger } = await Ledger.open({ folder, identity, sign: (digest) => signDigest(digest, sessionKey) }));
  const digests = await DigestStore.open(join(folder, 'digests'));
  const engines = new Map([[engine.modelId, engine]]);
  const queue = new RunQueue({ slots: 1, limit: QUEUE });
  const offer = { node, domain, promptPrice: 0n, completionPrice: 0n, asset: ZERO_ADDRESS, manifestOf: () => manifest };
  const sign = (digest: `0x${string}`) => signDigest(digest, sessionKey);
  service = new RunService({ offer, engines, ledger, sign, digests, queue, clock: heldClock, log, fail: (error) => failures.push(error) });
  server = await startHttpServer(
    createHttpApp({ node, offer, service, queue, ledger, digests, engines, hosts: ['node.example.org'], log }),
    { host: '127.0.0.1', port: 0 },
    systemClock,
  );
});
afterEach(async () => {
  await service.stop();
  await server.stop();
  await ledger.close();
  await rm(folder, { recursive: true, force: true });
});

const question = (maxTokens = 4, stopIds: number[] = []): RunRequest =>
  ask({ domain, node, modelId: engine.modelId, nonce: nonce++, change: { maxTokens, stopIds } });

/** Starts a run and reads on in the background. */
function start(run: RunRequest) {
  const frames: Frame[] = [];
  const gone = new AbortController();
  let seen: (() => void) | undefined;
  const done = (async () => {
    for await (const frame of runFrames(server.url, run, gone.signal)) {
      frames.push(frame);
      seen?.();
    }
    return frames;
  })();
  // a test that drops the reader expects this
  done.catch(() => undefined);
  const until = async (type: Frame['type'], count = 1): Promise<void> => {
    while (frames.filter((frame) => frame.type === type).length < count) await new Promise<void>((resolve) => (seen = resolve));
  };
  return { frames, done, until, leave: () => gone.abort() };
}
const fieldsOf = async (response: Response) => ({ status: response.status, ...((await response.json()) as Record<string, unknown>) });

describe('POST /v1/run', () => {
  it('queues in order, answers 429 with Retry-After when full, and goes on when there is room', async () => {
    const first = start(question());
    engine.step();
    await first.until('token');
    const second = start(question());
    await second.until('queued');
    const third = start(question());
    await third.until('queued');
    const refused = await postJson(`${server.url}/v1/run`, question());
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(await fieldsOf(refused)).toMatchObject({ status: 429, type: 'error', code: 'queue_full', retryable: true });
    expect(((await (await fetch(`${server.url}/health`)).json()) as { queue: unknown }).queue).toEqual({
      running: 1,
      waiting: 2,
      slots: 1,
      limit: 2,
    });
    expect(engine.jobs).toHaveLength(1);
    // silence is broken while a run waits
    for (const timer of timers) timer();
    await second.until('queued', 2);
    engine.step(11);
    for (const run of [first, second, third])
      expect((await run.done).at(-1)).toMatchObject({ type: 'receipt', receipt: { completionTokens: 4 } });
    expect(third.frames.filter(({ type }) => type === 'queued')).toContainEqual({ type: 'queued', ahead: 1 });
  });

  it('says stop_id when the model ends by itself', async () => {
    engine.step(3);
    expect((await allFrames(server.url, question(8, [5]))).at(-1)).toMatchObject({
      type: 'receipt',
      receipt: { finishReason: 'stop_id', completionTokens: 3 },
    });
  });

  it('refuses bodies that are too long, no JSON, of another type, of another shape', async () => {
    const post = (body: string, type = 'application/json') =>
      fetch(`${server.url}/v1/run`, { method: 'POST', headers: { 'content-type': type }, body });
    expect(await fieldsOf(await post(' '.repeat(1_100_000)))).toMatchObject({ status: 413, code: 'body_too_long' });
    expect(await fieldsOf(await post('{'))).toMatchObject({ status: 400, code: 'malformed_json' });
    expect(await fieldsOf(await post('{}', 'text/plain'))).toMatchObject({ status: 415, code: 'content_type' });
    expect(await fieldsOf(await postJson(`${server.url}/v1/run`, { ...question(), extra: 1 }))).toMatchObject({
      status: 400,
      code: 'decode',
    });
    expect(await fieldsOf(await postJson(`${server.url}/v1/run`, { ...question(), signature: `0x${'00'.repeat(65)}` }))).toMatchObject({
      status: 401,
    });
    expect(await fieldsOf(await fetch(`${server.url}/nothing`))).toMatchObject({ status: 404, code: 'not_found' });
    expect(engine.jobs).toHaveLength(0);
  });

  it('refuses a request that is in progress or was answered', async () => {
    const run = question();
    const first = start(run);
    engine.step();
    await first.until('token');
    expect(await fieldsOf(await postJson(`${server.url}/v1/run`, run))).toMatchObject({ status: 409, code: 'replay' });
    engine.step(3);
    await first.done;
    expect(await fieldsOf(await postJson(`${server.url}/v1/run`, run))).toMatchObject({ status: 409, code: 'replay' });
    expect(engine.jobs).toHaveLength(1);
  });

  it('lets an internal error leave as an id that the log explains, without its message', async () => {
    engine.failure = new Error('secret prompt');
    engine.step();
    const last = (await allFrames(server.url, question())).at(-1)!;
    expect(last).toMatchObject({ type: 'error', code: 'internal', retryable: true });
    const id = /^internal error ([0-9a-f]{16})$/.exec((last as { message: string }).message)![1];
    const entry = await log.next('internal_error');
    expect(entry.fields).toMatchObject({ id, name: 'Error' });
    expect(JSON.stringify([last, log.events])).not.toContain('secret');
    expect((await fetch(`${server.url}/health`)).status).toBe(200);
  });

  it('stops working, and says so, after an error that it cannot go on from', async () => {
    engine.failure = new CommonweightError('gone', { code: 'engine_gone', action: 'stop' });
    engine.step();
    expect((await allFrames(server.url, question())).at(-1)).toMatchObject({ type: 'error', code: 'engine_gone' });
    expect(failures).toMatchObject([{ code: 'engine_gone' }]);
    expect(await fieldsOf(await fetch(`${server.url}/health`))).toMatchObject({ status: 'failed', reason: 'engine_gone' });
    expect(await fieldsOf(await postJson(`${server.url}/v1/run`, question()))).toMatchObject({ status: 503, code: 'engine_gone' });
  });
});

describe('POST /v1/end', () => {
  it('refuses ends of unknown runs, by others, and ahead of the tokens', async () => {
    const run = question(8);
    expect(await fieldsOf(await postEnd(server.url, signEnd(run, domain, 0, 'cancelled')))).toMatchObject({
      status: 404,
      code: 'unknown_run',
    });
    const running = start(run);
    engine.step(2);
    await running.until('token', 2);
    expect(await fieldsOf(await postEnd(server.url, signEnd(run, domain, 2, 'cancelled', sessionKey)))).toMatchObject({
      status: 401,
      code: 'bad_signature',
    });
    expect(await fieldsOf(await postEnd(server.url, signEnd(run, { ...domain, chainId: 1 }, 2, 'cancelled')))).toMatchObject({
      status: 401,
    });
    expect(await fieldsOf(await postEnd(server.url, signEnd(run, domain, 3, 'cancelled')))).toMatchObject({
      status: 409,
      code: 'end_ahead',
    });
    engine.step(6);
    expect((await running.done).at(-1)).toMatchObject({ type: 'receipt', receipt: { finishReason: 'length' } });
    expect(await fieldsOf(await postEnd(server.url, signEnd(run, domain, 2, 'stop_string')))).toMatchObject({
      status: 409,
      code: 'already_ended',
    });
  });

  it('gives the same receipt to every repetition, on both channels, during and after the run', async () => {
    const run = question(8);
    const running = start(run);
    engine.step(5);
    await running.until('token', 5);
    const end = signEnd(run, domain, 2, 'stop_string');
    const [one, two, other] = await Promise.all([
      postEnd(server.url, end),
      postEnd(server.url, end),
      postEnd(server.url, signEnd(run, domain, 1, 'cancelled')),
    ]);
    const last = (await running.done).at(-1)!;
    if (last.type !== 'receipt') throw new Error('no receipt');
    expect(last.receipt).toMatchObject({ completionTokens: 2, finishReason: 'stop_string', requestHash: requestHashOf(run.request) });
    const frame = await one.json();
    expect(frame).toMatchObject({ type: 'receipt', signature: last.signature });
    expect(await two.json()).toEqual(frame);
    expect(other.status).toBe(409);
    expect(ledger.state.receipts).toBe(1);
    const found = await fieldsOf(await fetch(`${server.url}/v1/receipts/${receiptDigest(last.receipt, domain)}`));
    expect(found).toMatchObject({ signature: last.signature, end: { ...end }, status: 'pending', batch: { index: 0 } });
  });

  it('makes no receipt for a run that was ended before its prompt was processed, queued or begun', async () => {
    const begun = question();
    const first = start(begun);
    const waiting = question();
    const second = start(waiting);
    await second.until('queued');
    expect(await fieldsOf(await postEnd(server.url, signEnd(waiting, domain, 0, 'cancelled')))).toMatchObject({
      status: 409,
      code: 'not_processed',
    });
    expect((await second.done).at(-1)).toMatchObject({ type: 'error', code: 'not_processed' });
    expect(await fieldsOf(await postEnd(server.url, signEnd(begun, domain, 0, 'cancelled')))).toMatchObject({
      status: 409,
      code: 'not_processed',
    });
    expect((await first.done).at(-1)).toMatchObject({ type: 'error', code: 'not_processed' });
    expect(ledger.state.receipts).toBe(0);
  });
});

describe('a reader that goes away', () => {
  it('too often, without a signed end: its payer waits', async () => {
    const drop = async (): Promise<void> => {
      const running = start(question(8));
      engine.step(1);
      await running.until('token', 1);
      running.leave();
      await expect(running.done).rejects.toThrow(/abort/i);
      await expect.poll(() => timers.length, { interval: 1 }).toBe(1);
      const abandoned = log.next('run_abandoned');
      for (const timer of timers) timer();
      await abandoned;
    };
    for (let i = 0; i < workerLimits.unbilledRuns; i++) await drop();
    const refused = await postJson(`${server.url}/v1/run`, question());
    expect(refused.status).toBe(429);
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(await refused.json()).toMatchObject({ type: 'error', code: 'unbilled_limit', retryable: true });
    expect(ledger.state.receipts).toBe(0);
  });

  it('frees the engine at once; its end still makes a receipt, once, and later it is too late', async () => {
    const run = question(8);
    const late = question(8);
    for (const [asked, tokens] of [
      [run, 3],
      [late, 2],
    ] as const) {
      const running = start(asked);
      engine.step(tokens);
      await running.until('token', tokens);
      running.leave();
      await expect(running.done).rejects.toThrow(/abort/i);
      await engine.stopped;
      // the slot is free: the next run makes its tokens
      engine.step(4);
      expect((await allFrames(server.url, question())).at(-1)!.type).toBe('receipt');
    }
    const receipts = ledger.state.receipts;
    expect((await postEnd(server.url, signEnd(run, domain, 2, 'cancelled'))).status).toBe(200);
    expect(ledger.state.receipts).toBe(receipts + 1);
    for (const timer of timers) timer();
    await log.next('run_abandoned');
    expect((await postEnd(server.url, signEnd(late, domain, 1, 'cancelled'))).status).toBe(404);
    expect(ledger.state.receipts).toBe(receipts + 1);
  });
});

describe('the server', () => {
  it('keeps out rebound names and pages of other origins, lets in its own name and addresses', async () => {
    const { port } = new URL(server.url);
    const ask = (headers: Record<string, string>, path = '/health') =>
      new Promise<{ status: number | undefined; code: unknown }>((resolve, reject) => {
        get(`${server.url}${path}`, { headers }, (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (part: string) => (text += part));
          response.on('end', () => resolve({ status: response.statusCode, code: (JSON.parse(text) as { code?: unknown }).code }));
        }).on('error', reject);
      });
    const fine = { status: 200, code: undefined };
    for (const host of ['127.0.0.1', `localhost:${port}`, 'NODE.example.org', '203.0.113.7:80', '[2001:db8::1]:80']) {
      expect(await ask({ host })).toEqual(fine);
    }
    for (const host of ['evil.example.org', `evil.example.org:${port}`, '127.0.0.1.example.org']) {
      expect(await ask({ host }, `/v1/receipts/0x${'12'.repeat(32)}`)).toEqual({ status: 403, code: 'host_not_allowed' });
    }
    expect(await ask({ origin: 'https://evil.example.org' })).toEqual({ status: 403, code: 'origin_not_allowed' });
    expect(await ask({ origin: 'http://203.0.113.7' })).toEqual({ status: 403, code: 'origin_not_allowed' });
    expect(await ask({ origin: 'http://localhost:5173' })).toEqual(fine);
  });

  it('says what to do about a port that is taken', async () => {
    const port = Number(new URL(server.url).port);
    await expect(startHttpServer(new Hono(), { host: '127.0.0.1', port }, systemClock)).rejects.toMatchObject({
      code: 'listen',
      message: `cannot listen on 127.0.0.1:${port}: another program listens there; choose another port, or 0 for any free one`,
    });
  });

  it('hangs up on a client that sends its headers too slowly', async () => {
    const strict = await startHttpServer(new Hono(), { host: '127.0.0.1', port: 0 }, systemClock, 50);
    const socket = connect(Number(new URL(strict.url).port), '127.0.0.1');
    socket.write('POST /v1/run HTTP/1.1\r\nhost: x\r\n');
    const answer = await new Promise<string>((resolve) => {
      let text = '';
      socket.on('data', (data) => (text += data.toString()));
      socket.on('close', () => resolve(text));
    });
    expect(answer).toContain('408');
    await strict.stop();
  });

  it('has one answer for receipts that it does not know', async () => {
    for (const id of [`0x${'12'.repeat(32)}`, 'nonsense', `0x${'12'.repeat(32)}/digests`]) {
      expect(await fieldsOf(await fetch(`${server.url}/v1/receipts/${id}`))).toMatchObject({ status: 404, code: 'unknown_receipt' });
    }
  });
});
