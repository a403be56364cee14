import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Hex32,
  type PartialBundle,
  ZERO_HEX32,
  checkpointFault,
  idsRoot,
  fromHex,
  parsePartialBundle,
  requestHashOf,
  streamHead,
  toHex,
} from '@commonweight/protocol';
import { describe, expect, test } from 'vitest';
import { gatewayLimits as limits } from '../limits.ts';
import { domain } from './testing/answer-fixture.ts';
import { encode } from './testing/byte-model.ts';
import { base, say, worker } from './testing/chat.ts';
import type { Behaviour } from './testing/fake-worker.ts';
import { readStream } from './testing/read-stream.ts';
import { startIn, testGateway } from './testing/test-gateway.ts';

const text = 'The quick brown fox jumps';
/** Sends this many tokens and hangs up, like a process that was killed. */
const diesAfter =
  (tokens: number): Behaviour =>
  ({ send, response }) => {
    for (const [index, id] of encode(text).slice(0, tokens).entries()) send({ type: 'token', index, id });
    response.end();
  };

const requestHeader = (response: Response): Hex32 => response.headers.get('x-commonweight-request') as Hex32;
const sessionKeyOf = ({ registered }: Awaited<ReturnType<typeof worker>>) => registered.sessionKey;

/** The checkpoint covers these ids, for this request, with this signature. */
function expectProven(partial: PartialBundle, tokens: number, node: Awaited<ReturnType<typeof worker>>): void {
  const requestHash = requestHashOf(partial.request);
  const head = streamHead(requestHash, partial.nonce, partial.completionIds);
  const { checkpoint, signature } = partial;
  expect(checkpointFault({ checkpoint, signature }, { requestHash, completionTokens: tokens, head }, domain, sessionKeyOf(node))).toBe(
    undefined,
  );
  expect(partial.completionIds).toEqual(encode(text).slice(0, tokens));
  expect(toHex(idsRoot(partial.promptIds, fromHex(partial.nonce)))).toBe(partial.request.promptRoot);
}

/** From here on the folder cannot be written to. */
async function replaceByFile(folder: string): Promise<void> {
  await rm(folder, { recursive: true });
  await writeFile(folder, '');
}

describe('a node that dies in the middle of an answer', () => {
  test('a stream ends with what is provable, which can be fetched, also after a restart', async () => {
    const a = await worker(diesAfter(20));
    await using gateway = await testGateway([a]);
    const response = await gateway.post({ ...base, stream: true });
    const hash = requestHeader(response);
    const { chunks, text: shown, done } = await readStream(response);
    expect([shown, done]).toEqual([text.slice(0, 20), false]);
    const { error } = chunks.at(-1)!;
    expect(error).toMatchObject({
      code: 'node_failed',
      unproven_tokens: 4,
      message: expect.stringMatching(/Tokens 1 to 16 .* the 4 after them/),
    });
    const partial = parsePartialBundle(error!.partial);
    expectProven(partial, 16, a);
    expect(partial.checkpoint.requestHash).toBe(hash);

    const fetched = { object: 'commonweight.request', id: hash, status: 'partial', node: a.node, partial: error!.partial };
    expect(await (await fetch(`${gateway.url}/v1/requests/${hash}`)).json()).toEqual(fetched);
    await gateway.gateway.stop();
    const again = await startIn(gateway.dataDir, [a]);
    expect(await (await fetch(`${again.url}/v1/requests/${hash}`)).json()).toEqual(fetched);
    await again.gateway.stop();
  });

  test('after one token there is a checkpoint already, and before it nothing', async () => {
    const a = await worker(diesAfter(1));
    await using gateway = await testGateway([a]);
    const one = (await readStream(await gateway.post({ ...base, stream: true }))).chunks.at(-1)!.error!;
    expectProven(parsePartialBundle(one.partial), 1, a);
    expect(one.unproven_tokens).toBe(0);
    a.behaviour = diesAfter(0);
    const none = await gateway.post({ ...base, stream: true });
    expect(none.status).toBe(503);
    expect(requestHeader(none)).toBe(requestHashOf(a.runs.at(-1)!.request));
    expect(await none.json()).toEqual({
      error: { code: 'no_node_answered', message: expect.any(String), param: null, type: 'server_error' },
    });
    expect((await fetch(`${gateway.url}/v1/requests/${requestHeader(none)}`)).status).toBe(404);
  });

  test('a whole answer: the error body holds the longest of what several nodes signed, and names its request', async () => {
    const [a, b, c] = await Promise.all([worker(diesAfter(3), 'a'), worker(diesAfter(18), 'b'), worker(diesAfter(0), 'c')]);
    await using gateway = await testGateway([a, b, c]);
    const response = await gateway.post({ ...base, provider: { order: [a.node, b.node, c.node] } });
    expect(response.status).toBe(503);
    const { error } = (await response.json()) as { error: { partial: unknown; unproven_tokens: number } };
    const partial = parsePartialBundle(error.partial);
    expectProven(partial, 16, b);
    expect(error.unproven_tokens).toBe(2);
    expect(requestHeader(response)).toBe(partial.checkpoint.requestHash);
    expect(response.headers.get('x-commonweight-node')).toBe(b.node);
    expect(await readdir(join(gateway.dataDir, 'requests'))).toHaveLength(2);
  });

  test('a whole answer that another node gives needs no proof', async () => {
    const a = await worker(diesAfter(20), 'a');
    const b = await worker(say(text), 'b');
    await using gateway = await testGateway([a, b]);
    const response = await gateway.post({ ...base, provider: { order: [a.node] } });
    expect(response.status).toBe(200);
    expect(requestHeader(response)).toBe(requestHashOf(b.runs[0]!.request));
  });

  test('also for a receipt that is refused and for an error frame', async () => {
    const a = await worker(say(text));
    a.beforeSign = (receipt) => ({ ...receipt, thinRoot: ZERO_HEX32 });
    await using gateway = await testGateway([a]);
    for (const stream of [true, false]) {
      const response = await gateway.post({ ...base, stream, provider: { only: [a.node] } });
      const error = stream ? (await readStream(response)).chunks.at(-1)!.error! : ((await response.json()) as { error: never }).error;
      expect(error).toMatchObject({ code: 'receipt_invalid', param: 'thin_root', unproven_tokens: 10 });
      expectProven(parsePartialBundle(error.partial), 16, a);
    }
    a.beforeSign = (receipt) => receipt;
    a.behaviour = ({ send, response }) => {
      for (const [index, id] of encode(text).entries()) send({ type: 'token', index, id });
      send({ type: 'error', code: 'internal', message: 'x', retryable: true });
      response.end();
    };
    const { chunks } = await readStream(await gateway.post({ ...base, stream: true, provider: { only: [a.node] } }));
    expectProven(parsePartialBundle(chunks.at(-1)!.error!.partial), 16, a);
  });

  test('also when the disk refuses the bundle of the whole answer', async () => {
    const a = await worker(say(text));
    await using gateway = await testGateway([a]);
    await replaceByFile(join(gateway.dataDir, 'bundles'));
    const response = await gateway.post(base);
    expect(response.status).toBe(500);
    const hash = requestHashOf(a.runs[0]!.request);
    const kept = (await (await fetch(`${gateway.url}/v1/requests/${hash}`)).json()) as { partial: unknown };
    expectProven(parsePartialBundle(kept.partial), 16, a);
  });

  test('a refusal that cannot be written down is one all the same', async () => {
    const a = await worker(say(text));
    a.beforeSign = (receipt) => ({ ...receipt, thinRoot: ZERO_HEX32 });
    await using gateway = await testGateway([a]);
    await replaceByFile(join(gateway.dataDir, 'refused'));
    const response = await gateway.post(base);
    expect(response.status).toBe(502);
    const { error } = (await response.json()) as { error: { code: string; partial: unknown } };
    expect(error.code).toBe('receipt_invalid');
    expectProven(parsePartialBundle(error.partial), 16, a);
  });

  test('tokens after the payer’s end are not part of what is kept', async () => {
    const long = `${text.slice(0, 12)}END and some more that goes on and on`;
    const a = await worker(async ({ send, ended, response }) => {
      const tokens = [...encode(long).entries()];
      for (const [index, id] of tokens.slice(0, 15)) send({ type: 'token', index, id });
      await ended;
      for (const [index, id] of tokens.slice(15)) send({ type: 'token', index, id });
      response.end();
    });
    await using gateway = await testGateway([a]);
    const { chunks, text: shown } = await readStream(await gateway.post({ ...base, stream: true, stop: 'END' }));
    expect(shown).toBe(text.slice(0, 12));
    expect(parsePartialBundle(chunks.at(-1)!.error!.partial).completionIds).toEqual(encode(long).slice(0, 1));
  });
});

describe('which request answered', () => {
  test('GET /v1/requests gives the bundle of a whole answer, also after a restart', async () => {
    const a = await worker(say('x'));
    await using gateway = await testGateway([a]);
    const response = await gateway.post(base);
    const { receipt } = (await response.json()) as { receipt: unknown };
    const hash = requestHeader(response);
    expect(hash).toBe(requestHashOf(a.runs[0]!.request));
    const expected = { id: hash, status: 'answered', node: a.node, bundle: receipt };
    expect(await (await fetch(`${gateway.url}/v1/requests/${hash}`)).json()).toMatchObject(expected);
    await gateway.gateway.stop();
    const again = await startIn(gateway.dataDir, [a]);
    expect(await (await fetch(`${again.url}/v1/requests/${hash}`)).json()).toMatchObject(expected);
    await again.gateway.stop();
  });

  test('a stream whose headers left while a node kept it waiting leads to the request that was answered', async () => {
    let fail!: () => void;
    const failing = new Promise<void>((resolve) => (fail = resolve));
    let told!: () => void;
    const wasAsked = new Promise<void>((resolve) => (told = resolve));
    const slow = await worker(async ({ send, response }) => {
      send({ type: 'queued', ahead: 1 });
      told();
      await failing;
      response.destroy();
    }, 'slow');
    const good = await worker(say('fine'), 'good');
    await using gateway = await testGateway([slow, good]);
    const pending = gateway.post({ ...base, stream: true, provider: { order: [slow.node] } });
    await wasAsked;
    gateway.clock.pass(limits.keepaliveMs);
    const response = await pending;
    expect(requestHeader(response)).toBe(requestHashOf(slow.runs[0]!.request));
    fail();
    expect((await readStream(response)).text).toBe('fine');
    const answered = await (await fetch(`${gateway.url}/v1/requests/${requestHeader(response)}`)).json();
    expect(answered).toMatchObject({ id: requestHashOf(good.runs[0]!.request), status: 'answered', node: good.node });
  });

  test('an unknown request, and something that is none', async () => {
    await using gateway = await testGateway([]);
    for (const id of [ZERO_HEX32, 'x', `${ZERO_HEX32}0`, '..%2f..%2fpayer']) {
      const response = await fetch(`${gateway.url}/v1/requests/${id}`);
      expect([response.status, await response.json()]).toMatchObject([404, { error: { code: 'request_not_found' } }]);
    }
    const refused = await gateway.post({ ...base, temperature: 9 });
    expect(refused.headers.has('x-commonweight-request')).toBe(false);
  });

  test('pages of this machine may read the header', async () => {
    await using gateway = await testGateway([await worker(say('x'))]);
    const headers = { 'content-type': 'application/json', origin: 'http://localhost:5173' };
    const response = await gateway.post(base, { headers });
    expect(response.headers.get('access-control-expose-headers')).toContain('x-commonweight-request');
  });

  test('bundles that an earlier gateway named by the receipt alone are still found', async () => {
    const a = await worker(say('x'));
    await using gateway = await testGateway([a]);
    const response = await gateway.post(base);
    const id = response.headers.get('x-commonweight-receipt')!;
    await gateway.gateway.stop();
    const folder = join(gateway.dataDir, 'bundles');
    const [file] = await readdir(folder);
    const earlier = join(gateway.dataDir, 'earlier');
    await mkdir(join(earlier, 'bundles'), { recursive: true });
    await writeFile(join(earlier, 'bundles', `${id}.json`), await readFile(join(folder, file!)));
    const again = await startIn(earlier, [a]);
    expect((await fetch(`${again.url}/v1/receipts/${id}`)).status).toBe(200);
    await again.gateway.stop();
  });
});
