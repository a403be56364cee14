import { readFile, readdir, writeFile } from 'node:fs/promises';
import { get } from 'node:http';
import { join } from 'node:path';
import { type Receipt, ZERO_HEX32, parseBundle, receiptDigest } from '@commonweight/protocol';
import OpenAI from 'openai';
import { describe, expect, test } from 'vitest';
import { gatewayLimits as limits } from '../limits.ts';
import { STOP_ID, domain } from './testing/answer-fixture.ts';
import { encode, modelId } from './testing/byte-model.ts';
import { type Behaviour, FakeWorker } from './testing/fake-worker.ts';
import { silentLog, startIn, testGateway } from './testing/test-gateway.ts';

const base = { model: 'tiny', messages: [{ role: 'user' as const, content: 'hi' }] };
const say =
  (text: string): Behaviour =>
  ({ answer }) =>
    answer([...encode(text), STOP_ID]);

const worker = (behaviour: Behaviour, name = 'a'): Promise<FakeWorker> => new FakeWorker(name, behaviour).start();
const clientFor = (url: string): OpenAI => new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none', maxRetries: 0 });

interface Chunk {
  readonly choices: readonly { readonly delta: { readonly content?: string }; readonly finish_reason: string | null }[];
  readonly receipt?: unknown;
  readonly usage?: unknown;
  readonly error?: { readonly code: string; readonly param: string };
}

/** Events of a whole stream; `done` tells whether it ended as OpenAI's clients expect. */
async function readStream(response: Response): Promise<{ chunks: Chunk[]; text: string; done: boolean }> {
  const lines = (await response.text())
    .split('\n')
    .filter((line) => line.startsWith('data: '))
    .map((line) => line.slice(6));
  const done = lines.at(-1) === '[DONE]';
  const chunks = lines.filter((line) => line !== '[DONE]').map((line) => JSON.parse(line) as Chunk);
  return { chunks, done, text: chunks.map(({ choices }) => choices?.[0]?.delta.content ?? '').join('') };
}

describe('chat completions', () => {
  test('a whole answer: text, usage, receipt; the bundle is on disk', async () => {
    const a = await worker(say('Tokyo 🗼'));
    await using gateway = await testGateway([a]);
    const response = await gateway.post(base);
    expect(response.status).toBe(200);
    const body = (await response.json()) as { receipt: unknown; choices: unknown; usage: unknown };
    expect(body.choices).toMatchObject([{ message: { role: 'assistant', content: 'Tokyo 🗼' }, finish_reason: 'stop' }]);
    expect(body.usage).toEqual({ prompt_tokens: 5, completion_tokens: 11, total_tokens: 16 });
    const bundle = parseBundle(body.receipt);
    const id = receiptDigest(bundle.receipt, domain);
    expect(bundle.completionIds).toEqual([...encode('Tokyo 🗼'), STOP_ID]);
    expect(response.headers.get('x-commonweight-receipt')).toBe(id);
    expect(response.headers.get('x-commonweight-node')).toBe(a.node);
    expect(await readdir(join(gateway.dataDir, 'bundles'))).toEqual([`${id}.json`]);
  });

  test('a stream: a character spread over tokens is not cut, the last chunk carries receipt and usage', async () => {
    await using gateway = await testGateway([await worker(say('é🗼!'))]);
    const response = await gateway.post({ ...base, stream: true, stream_options: { include_usage: true } });
    expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
    const { chunks, text, done } = await readStream(response);
    expect(text).toBe('é🗼!');
    expect(chunks.some(({ choices }) => choices[0]?.delta.content?.includes('\ufffd'))).toBe(false);
    expect(done).toBe(true);
    expect(chunks.at(-2)!.choices[0]!.finish_reason).toBe('stop');
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { prompt_tokens: 5, completion_tokens: 8, total_tokens: 13 } });
    expect(parseBundle(chunks.at(-1)!.receipt).receipt.finishReason).toBe('stop_id');
  });

  test('a length-limited answer ends with length, an unfinished character as U+FFFD', async () => {
    await using gateway = await testGateway([
      await worker(({ answer, input }) => answer(encode('ab🗼').slice(0, input.request.maxTokens))),
    ]);
    const body = (await (await gateway.post({ ...base, max_tokens: 3 })).json()) as { choices: unknown };
    expect(body.choices).toMatchObject([{ message: { content: 'ab\ufffd' }, finish_reason: 'length' }]);
  });

  test('a stop string ends the run at the token that completes it, with the payer’s signed end', async () => {
    const a = await worker(async ({ send, receiptFor, ended, response }) => {
      for (const [index, id] of encode('one\n\ntwo').entries()) send({ type: 'token', index, id });
      const { completionTokens } = await ended;
      send(receiptFor(encode('one\n\ntwo').slice(0, completionTokens), 'stop_string'));
      response.end();
    });
    await using gateway = await testGateway([a]);
    const { chunks, text } = await readStream(await gateway.post({ ...base, stream: true, stop: ['\n\n'] }));
    expect(text).toBe('one');
    const bundle = parseBundle(chunks.at(-1)!.receipt);
    expect(bundle.receipt).toMatchObject({ finishReason: 'stop_string', completionTokens: 5 });
    expect(bundle.end?.end).toEqual(a.ends[0]);
  });

  test('an end that came too late: the natural end counts, the text still stops at the stop string', async () => {
    const a = await worker(say('one END two'));
    a.confirmsEnds = false;
    await using gateway = await testGateway([a]);
    const body = (await (await gateway.post({ ...base, stop: 'END' })).json()) as { choices: unknown; receipt: unknown };
    expect(body.choices).toMatchObject([{ message: { content: 'one ' }, finish_reason: 'stop' }]);
    expect(parseBundle(body.receipt).receipt.finishReason).toBe('stop_id');
  });

  test('seed, sampler and defaults go into the signed request as integers', async () => {
    const a = await worker(say('x'));
    await using gateway = await testGateway([a]);
    await gateway.post({ ...base, temperature: 0.7, top_p: 0.9, top_k: 40, seed: -1 });
    await gateway.post(base);
    await gateway.post(base);
    const [first, second, third] = a.runs.map(({ request }) => request);
    expect(first).toMatchObject({
      sampler: { temperature: 700_000, topP: 900_000, topK: 40 },
      seed: `0x${'ff'.repeat(16)}`,
      maxTokens: 123,
      stopIds: [STOP_ID],
    });
    expect(second!.sampler).toEqual({ temperature: 0, topP: 1_000_000, topK: 0 });
    expect(second!.seed).not.toBe(third!.seed);
  });

  test('a client that goes away ends the run with what it got, and the receipt is kept', async () => {
    let finished!: () => void;
    const over = new Promise<void>((resolve) => (finished = resolve));
    const a = await worker(async ({ send, receiptFor, ended, response, gone }) => {
      for (const [index, id] of encode('abc').entries()) send({ type: 'token', index, id });
      const { completionTokens } = await ended;
      send(receiptFor(encode('abc').slice(0, completionTokens), 'cancelled'));
      response.end();
      await gone;
      finished();
    });
    await using gateway = await testGateway([a]);
    const abort = new AbortController();
    const response = await gateway.post({ ...base, stream: true }, { signal: abort.signal });
    const reader = response.body!.getReader();
    let text = '';
    while (!text.includes('"c"')) text += new TextDecoder().decode((await reader.read()).value);
    abort.abort();
    await over;
    // the gateway closes the connection after the receipt; its file is there before the gateway has stopped
    await gateway.gateway.stop();
    expect(a.ends).toMatchObject([{ reason: 'cancelled', completionTokens: 3 }]);
    expect(await readdir(join(gateway.dataDir, 'bundles'))).toEqual([`${receiptDigest(a.receipts[0]!, domain)}.json`]);
  });
});

describe('waiting, stopping, going away', () => {
  /** Sends three tokens and waits for the payer's end. */
  const untilEnded: Behaviour = async ({ send, receiptFor, ended, response }) => {
    for (const [index, id] of encode('abc').entries()) send({ type: 'token', index, id });
    const { completionTokens, reason } = await ended;
    send(receiptFor(encode('abc').slice(0, completionTokens), reason));
    response.end();
  };
  const asked = (behaviour: Behaviour): [Behaviour, Promise<void>] => {
    let tell!: () => void;
    const promise = new Promise<void>((resolve) => (tell = resolve));
    return [
      (run) => {
        tell();
        return behaviour(run);
      },
      promise,
    ];
  };

  test('a whole answer whose client goes away is ended as well', async () => {
    const a = await worker(untilEnded);
    await using gateway = await testGateway([a]);
    // the node confirms the end only with the receipt, so its end shows that the gateway saw the client go
    const abort = new AbortController();
    const ended = new Promise<void>((resolve) => {
      a.onEnd = resolve;
    });
    const response = gateway.post(base, { signal: abort.signal });
    await a.nextRun();
    abort.abort();
    await expect(response).rejects.toThrow(/abort/);
    await ended;
    await gateway.gateway.stop();
    expect(await readdir(join(gateway.dataDir, 'bundles'))).toHaveLength(1);
  });

  test('keepalive comments while a request waits in the queue', async () => {
    let go!: () => void;
    const wait = new Promise<void>((resolve) => (go = resolve));
    const [behaviour, wasAsked] = asked(async (run) => {
      run.send({ type: 'queued', ahead: 1 });
      await wait;
      await say('x')(run);
    });
    await using gateway = await testGateway([await worker(behaviour)]);
    const pending = gateway.post({ ...base, stream: true });
    await wasAsked;
    gateway.clock.pass(limits.keepaliveMs);
    const response = await pending;
    go();
    const text = await response.text();
    expect(text).toContain(': keepalive\n\n');
    expect(text.trimEnd().endsWith('data: [DONE]')).toBe(true);
  });

  test('stopping ends answers in progress, tells their clients, and keeps their receipts', async () => {
    const a = await worker(untilEnded);
    await using gateway = await testGateway([a]);
    const response = await gateway.post({ ...base, stream: true });
    const stopped = gateway.gateway.stop();
    await gateway.clock.set(limits.finishMs);
    gateway.clock.pass(limits.finishMs);
    const { chunks, done } = await readStream(response);
    await stopped;
    expect(done).toBe(false);
    expect(chunks.at(-1)!.error).toMatchObject({ code: 'cancelled' });
    expect(a.ends).toMatchObject([{ reason: 'cancelled' }]);
    expect(await readdir(join(gateway.dataDir, 'bundles'))).toHaveLength(1);
  });

  test('more requests at once than allowed: 429', async () => {
    const [behaviour, wasAsked] = asked(untilEnded);
    await using gateway = await testGateway([await worker(behaviour)]);
    const aborts = Array.from({ length: limits.concurrentRequests }, () => new AbortController());
    const streams = aborts.map(({ signal }) => gateway.post({ ...base, stream: true }, { signal }));
    await wasAsked;
    for (const stream of await Promise.all(streams)) expect(stream.status).toBe(200);
    const response = await gateway.post(base);
    expect(response.status).toBe(429);
    expect(await response.json()).toMatchObject({ error: { code: 'too_many_requests' } });
    for (const abort of aborts) abort.abort();
  });
});

describe('a node that fails before the first token is replaced, with the same seed', () => {
  const fails: [string, Behaviour][] = [
    ['hangs up', ({ response }) => void response.destroy()],
    ['sends garbage', ({ response }) => void response.end('{"type":"tok\n')],
    ['sends an unknown frame', ({ response }) => void response.end('{"type":"hello"}\n')],
    ['sends bytes that are no UTF-8', ({ response }) => void response.end(Buffer.from([0xff, 0xfe, 0x0a]))],
    ['begins with token 1', ({ send }) => send({ type: 'token', index: 1, id: 65 })],
    ['sends an id outside of the vocabulary', ({ send }) => send({ type: 'token', index: 0, id: 300 })],
    ['sends a line without end', ({ response }) => void response.write('x'.repeat(1 << 20))],
    [
      'sends a token line that is too long',
      ({ response }) => void response.write(`{"type":"token","index":0,"id":65${' '.repeat(5000)}}\n`),
    ],
    ['gives up', ({ send }) => send({ type: 'error', code: 'internal', message: 'x', retryable: true })],
  ];
  test.each(fails)('%s', async (_, behaviour) => {
    const bad = await worker(behaviour, 'bad');
    const good = await worker(say('fine'), 'good');
    await using gateway = await testGateway([bad, good]);
    const response = await gateway.post({ ...base, stream: true, temperature: 1, provider: { order: [bad.node] } });
    expect((await readStream(response)).text).toBe('fine');
    const [first, second] = [bad.runs[0]!.request, good.runs[0]!.request];
    expect(second.seed).toBe(first.seed);
    expect(second.promptRoot).not.toBe(first.promptRoot);
    expect(second.node).toBe(good.node);
  });

  test('says nothing: after the deadline', async () => {
    let asked!: () => void;
    const wasAsked = new Promise<void>((resolve) => (asked = resolve));
    const silent = await worker(() => asked(), 'silent');
    const good = await worker(say('fine'), 'good');
    await using gateway = await testGateway([silent, good]);
    const response = gateway.post({ ...base, provider: { order: [silent.node] } });
    await wasAsked;
    gateway.clock.pass(16_000);
    expect(((await (await response).json()) as { choices: unknown }).choices).toMatchObject([{ message: { content: 'fine' } }]);
  });

  test('allow_fallbacks: false asks nobody else', async () => {
    const bad = await worker(({ response }) => void response.destroy(), 'bad');
    const good = await worker(say('fine'), 'good');
    await using gateway = await testGateway([bad, good]);
    const response = await gateway.post({ ...base, provider: { order: [bad.node], allow_fallbacks: false } });
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ error: { code: 'no_node_answered' } });
    expect(good.runs).toEqual([]);
  });
});

describe('a node that fails after the first token', () => {
  test('a stream ends with an error chunk, without finish and [DONE]', async () => {
    await using gateway = await testGateway([
      await worker(({ send, response }) => {
        send({ type: 'token', index: 0, id: 65 });
        response.end();
      }),
    ]);
    const { chunks, text, done } = await readStream(await gateway.post({ ...base, stream: true }));
    expect(text).toBe('A');
    expect(done).toBe(false);
    expect(chunks.at(-1)).toMatchObject({ error: { code: 'node_failed' } });
    expect(chunks.some(({ choices }) => choices?.[0]?.finish_reason)).toBe(false);
  });

  test('more tokens than asked for', async () => {
    await using gateway = await testGateway([
      await worker(({ send }) => [65, 66, 67].forEach((id, index) => send({ type: 'token', index, id }))),
    ]);
    const { chunks } = await readStream(await gateway.post({ ...base, stream: true, max_tokens: 2 }));
    expect(chunks.at(-1)!.error).toMatchObject({ code: 'node_failed', message: expect.stringMatching(/after the run had ended/) });
  });

  test('a node that falls silent: the client gets an error after the deadline', async () => {
    await using gateway = await testGateway([await worker(({ send }) => send({ type: 'token', index: 0, id: 65 }))]);
    const response = await gateway.post({ ...base, stream: true });
    gateway.clock.pass(31_000);
    const { chunks, done } = await readStream(response);
    expect(chunks.at(-1)!.error).toMatchObject({ code: 'node_failed', message: expect.stringMatching(/silent/) });
    expect(done).toBe(false);
  });

  test('a whole answer begins again at another node', async () => {
    const bad = await worker(({ send, response }) => {
      send({ type: 'token', index: 0, id: 65 });
      response.end();
    }, 'bad');
    await using gateway = await testGateway([bad, await worker(say('fine'), 'good')]);
    const body = (await (await gateway.post({ ...base, provider: { order: [bad.node] } })).json()) as { choices: unknown };
    expect(body.choices).toMatchObject([{ message: { content: 'fine' } }]);
  });
});

describe('an answer that its receipt does not cover is not passed on', () => {
  const lies: [string, (receipt: Receipt) => Receipt][] = [
    ['completion_tokens', (receipt) => ({ ...receipt, completionTokens: receipt.completionTokens + 1 })],
    ['ids_root', (receipt) => ({ ...receipt, idsRoot: ZERO_HEX32 })],
    ['thin_root', (receipt) => ({ ...receipt, thinRoot: ZERO_HEX32 })],
    ['request_hash', (receipt) => ({ ...receipt, requestHash: ZERO_HEX32 })],
    ['prices', (receipt) => ({ ...receipt, completionPrice: 10n ** 30n })],
    ['cumulative_amount', (receipt) => ({ ...receipt, cumulativeAmount: receipt.cumulativeAmount + 1n })],
    ['previous', (receipt) => ({ ...receipt, previous: modelId })],
  ];
  test.each(lies)('%s', async (check, beforeSign) => {
    const liar = await worker(say('abc'), 'liar');
    liar.beforeSign = beforeSign;
    const good = await worker(say('fine'), 'good');
    await using gateway = await testGateway([liar, good]);
    const only = { provider: { only: [liar.node] } };

    const whole = await gateway.post({ ...base, ...only });
    expect(whole.status).toBe(502);
    expect(await whole.json()).toMatchObject({
      error: { code: 'receipt_invalid', param: check, message: expect.stringContaining(liar.node) },
    });

    const { chunks, done } = await readStream(await gateway.post({ ...base, ...only, stream: true }));
    expect(chunks.at(-1)).toMatchObject({ error: { code: 'receipt_invalid' } });
    expect(done).toBe(false);
    expect(chunks.some(({ choices }) => choices?.[0]?.finish_reason)).toBe(false);

    const evidence = await readdir(join(gateway.dataDir, 'refused'));
    expect(evidence).toHaveLength(2);
    expect(await readdir(join(gateway.dataDir, 'bundles'))).toEqual([]);

    const nodes = (await (await fetch(`${gateway.url}/v1/nodes`)).json()) as { data: { id: string; refusals: number }[] };
    expect(nodes.data.find(({ id }) => id === liar.node)!.refusals).toBe(2);
    expect((await gateway.post({ ...base, provider: { order: [liar.node] } })).headers.get('x-commonweight-node')).toBe(good.node);
  });
});

describe('what the gateway remembers', () => {
  test('sequence numbers over a restart: a node that begins again from 0 is refused', async () => {
    const a = await worker(say('x'));
    await using gateway = await testGateway([a]);
    for (let i = 0; i < 2; i++) expect((await gateway.post(base)).status).toBe(200);
    await gateway.gateway.stop();
    let again = await startIn(gateway.dataDir, [a]);
    expect((await again.post(base)).status).toBe(200);
    await again.gateway.stop();
    const folder = join(gateway.dataDir, 'chains');
    const file = join(folder, (await readdir(folder))[0]!);
    const { segments } = JSON.parse(await readFile(file, 'utf8')) as { segments: { links: unknown[] }[] };
    // the format of an earlier gateway
    await writeFile(file, JSON.stringify({ links: segments[0]!.links }));
    again = await startIn(gateway.dataDir, [a]);
    expect((await again.post(base)).status).toBe(200);
    a.receipts.length = 0;
    expect(await (await again.post(base)).json()).toMatchObject({ error: { code: 'receipt_invalid', param: 'sequence' } });
    await again.gateway.stop();
  });

  test('a receipt that was lost on the way is fetched with the next one', async () => {
    const a = await worker(({ send, receiptFor, response, input }) => {
      const lost = receiptFor([65, STOP_ID], 'stop_id');
      if (a.receipts.length > 1) for (const [index, id] of [65, STOP_ID].entries()) send({ type: 'token', index, id });
      if (a.receipts.length > 1) send(lost);
      response.end();
      expect(input.request.node).toBe(a.node);
    });
    await using gateway = await testGateway([a]);
    expect((await gateway.post(base)).status).toBe(503);
    expect((await gateway.post(base)).status).toBe(200);
    expect(a.receipts.map(({ sequence }) => sequence)).toEqual([0, 1]);
  });

  test('an answer is delivered and kept when the node does not hand over the receipt before it; the gap is closed later', async () => {
    const a = await worker(({ send, receiptFor, response }) => {
      const lost = receiptFor([65, STOP_ID], 'stop_id');
      if (a.receipts.length > 1) for (const [index, id] of [65, STOP_ID].entries()) send({ type: 'token', index, id });
      if (a.receipts.length > 1) send(lost);
      response.end();
    });
    a.handsOver = () => a.receipts.length !== 2;
    const events: [string, unknown][] = [];
    await using gateway = await testGateway([a], {}, { ...silentLog, warn: (event, fields) => void events.push([event, fields]) });
    expect((await gateway.post(base)).status).toBe(503);
    events.length = 0;
    const response = await gateway.post(base);
    expect(await response.json()).toMatchObject({ choices: [{ message: { content: 'A' } }] });
    const id = receiptDigest(a.receipts[1]!, domain);
    expect(events).toEqual([['chain_gap', { node: a.node, receipt: id, missing: 1 }]]);
    expect(await readdir(join(gateway.dataDir, 'bundles'))).toEqual([`${id}.json`]);
    await gateway.gateway.stop();
    const again = await startIn(gateway.dataDir, [a]);
    expect((await again.post(base)).status).toBe(200);
    await again.gateway.stop();
    const [file] = await readdir(join(gateway.dataDir, 'chains'));
    const kept = JSON.parse(await readFile(join(gateway.dataDir, 'chains', file!), 'utf8')) as { segments: { links: unknown[] }[] };
    expect(kept.segments.map(({ links }) => links.length)).toEqual([3]);
  });

  test('a node that changed its session key a moment ago', async () => {
    const a = await worker(say('x'));
    await using gateway = await testGateway([a]);
    a.rotateSessionKey();
    expect((await gateway.post(base)).status).toBe(200);
  });

  test('nodes with endpoint, models, bond, health, prices, session key, refusals', async () => {
    const a = await worker(say('x'));
    await using gateway = await testGateway([a]);
    const { endpoint, sessionKey } = a.registered;
    expect(await (await fetch(`${gateway.url}/v1/nodes`)).json()).toMatchObject({
      data: [
        {
          id: a.node,
          endpoint,
          session_key: sessionKey,
          models: [modelId],
          bond: '1',
          health: { status: 'ok', queue: { limit: 8 } },
          prices: { prompt: '10', completion: '20' },
          refusals: 0,
        },
      ],
    });
    expect(await (await fetch(`${gateway.url}/health`)).json()).toEqual({
      status: 'ok',
      models: ['tiny'],
      nodes: { registered: 1, healthy: 1 },
    });
  });
});

describe('who is asked', () => {
  test('all nodes full: 429 with Retry-After', async () => {
    const full: Behaviour = ({ send, response }) => {
      send({ type: 'error', code: 'queue_full', message: 'full', retryable: true });
      response.end();
    };
    await using gateway = await testGateway([await worker(full, 'a'), await worker(full, 'b')]);
    const response = await gateway.post({ ...base, stream: true });
    expect(response.status).toBe(429);
    expect(response.headers.get('retry-after')).toBe('1');
    expect(await response.json()).toMatchObject({ error: { code: 'all_nodes_busy', type: 'rate_limit_error' } });
  });

  test('no node: 503', async () => {
    await using gateway = await testGateway([]);
    const response = await gateway.post(base);
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ error: { code: 'no_node_available' } });
  });

  test('an unknown node: 404 that names the field', async () => {
    await using gateway = await testGateway([await worker(say('x'))]);
    const response = await gateway.post({ ...base, provider: { only: [`0x${'12'.repeat(20)}`] } });
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ error: { code: 'node_not_found', param: 'provider.only[0]' } });
  });

  test('requests are spread, provider.ignore holds', async () => {
    const [a, b, c] = await Promise.all(['a', 'b', 'c'].map((name) => worker(say('x'), name)));
    await using gateway = await testGateway([a!, b!, c!]);
    for (let i = 0; i < 6; i++) await gateway.post(base);
    expect([a, b, c].map((node) => node!.runs.length)).toEqual([2, 2, 2]);
    for (let i = 0; i < 4; i++) await gateway.post({ ...base, provider: { ignore: [a!.node] } });
    expect([a, b, c].map((node) => node!.runs.length)).toEqual([2, 4, 4]);
  });
});

describe('errors in OpenAI’s shape', () => {
  test.each<[string, unknown, number, { code: string; param: string | null }]>([
    ['malformed JSON', '{"model":', 400, { code: 'malformed_json', param: null }],
    ['unknown field', { ...base, frobnicate: 1 }, 400, { code: 'unsupported_parameter', param: 'frobnicate' }],
    ['empty messages', { ...base, messages: [] }, 400, { code: 'invalid_value', param: 'messages' }],
    ['out of range', { ...base, temperature: 3 }, 400, { code: 'invalid_value', param: 'temperature' }],
    ['unknown model', { ...base, model: 'gpt-4o' }, 404, { code: 'model_not_found', param: 'model' }],
    [
      'prompt too long',
      { ...base, messages: [{ role: 'user', content: 'x'.repeat(200) }] },
      400,
      { code: 'context_length_exceeded', param: 'messages' },
    ],
    ['answer too long', { ...base, max_tokens: 124 }, 400, { code: 'context_length_exceeded', param: 'max_tokens' }],
    ['two limits', { ...base, max_tokens: 1, max_completion_tokens: 2 }, 400, { code: 'invalid_value', param: 'max_tokens' }],
    [
      'stream_options without stream',
      { ...base, stream_options: { include_usage: true } },
      400,
      { code: 'invalid_value', param: 'stream_options' },
    ],
    ['body too large', `"${'x'.repeat(1 << 20)}"`, 413, { code: 'body_too_long', param: null }],
  ])('%s', async (_, body, status, error) => {
    await using gateway = await testGateway([]);
    const response = await gateway.post(body);
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error: { ...error, type: 'invalid_request_error', message: expect.any(String) } });
  });

  test('content type, method, path', async () => {
    await using gateway = await testGateway([]);
    const code = async (response: Response): Promise<[number, string]> => [
      response.status,
      ((await response.json()) as { error: { code: string } }).error.code,
    ];
    expect(await code(await gateway.post('{}', { headers: { 'content-type': 'text/plain' } }))).toEqual([415, 'unsupported_media_type']);
    expect(await code(await fetch(`${gateway.url}/v1/chat/completions`))).toEqual([405, 'method_not_allowed']);
    expect(await code(await fetch(`${gateway.url}/v1/models`, { method: 'DELETE' }))).toEqual([405, 'method_not_allowed']);
    expect(await code(await fetch(`${gateway.url}/v1/nothing`))).toEqual([404, 'unknown_url']);
    expect(await code(await fetch(`${gateway.url}/v1/receipts/${ZERO_HEX32}`))).toEqual([404, 'receipt_not_found']);
  });

  test('pages of other origins and rebound names are kept out, pages of this machine let in', async () => {
    await using gateway = await testGateway([]);
    const from = (headers: Record<string, string>, method = 'GET'): Promise<Response> =>
      fetch(`${gateway.url}/v1/models`, { method, headers });
    expect((await from({ origin: 'https://example.org' })).status).toBe(403);
    expect((await from({ origin: 'null' })).status).toBe(403);
    const local = await from({ origin: 'http://localhost:5173' });
    expect(local.headers.get('access-control-allow-origin')).toBe('http://localhost:5173');
    const failed = await fetch(`${gateway.url}/v1/nothing`, { headers: { origin: 'http://127.0.0.1:1' } });
    expect([failed.status, failed.headers.get('access-control-allow-origin')]).toEqual([404, 'http://127.0.0.1:1']);
    const rebound = await new Promise<number | undefined>((resolve, reject) => {
      get(`${gateway.url}/v1/models`, { headers: { host: 'evil.example.org' } }, (response) => resolve(response.resume().statusCode)).on(
        'error',
        reject,
      );
    });
    expect(rebound).toBe(403);
    const preflight = await from(
      {
        origin: 'http://localhost:5173',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type,x-stainless-os,x-evil',
      },
      'OPTIONS',
    );
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-headers')).toBe('authorization, content-type, x-stainless-os');
  });
});

describe('receipts', () => {
  test('bundle and inclusion proof, checked against the root on chain', async () => {
    const a = await worker(say('x'));
    await using gateway = await testGateway([a]);
    for (let i = 0; i < 3; i++) await gateway.post(base);
    const id = receiptDigest(a.receipts[1]!, domain);
    const body = (await (await fetch(`${gateway.url}/v1/receipts/${id}`)).json()) as { bundle: unknown };
    expect(body).toMatchObject({ id, status: 'posted', batch: { root: a.postedBatch()!.root, count: 3 }, proof: { index: 1, count: 3 } });
    expect(receiptDigest(parseBundle(body.bundle).receipt, domain)).toBe(id);
  });

  test('pending until the chain has the batch', async () => {
    const a = await worker(say('x'));
    await using gateway = await testGateway([a], { batch: async () => undefined });
    await gateway.post(base);
    const response = await fetch(`${gateway.url}/v1/receipts/${receiptDigest(a.receipts[0]!, domain)}`);
    expect(await response.json()).toMatchObject({ status: 'pending', batch: { index: 0 } });
  });

  test('a batch on chain that does not contain the receipt', async () => {
    const a = await worker(say('x'));
    await using gateway = await testGateway([a], { batch: async () => ({ root: ZERO_HEX32, count: 1, postedAt: 1 }) });
    await gateway.post(base);
    const response = await fetch(`${gateway.url}/v1/receipts/${receiptDigest(a.receipts[0]!, domain)}`);
    expect(response.status).toBe(502);
    expect(await response.json()).toMatchObject({ error: { code: 'proof_invalid' } });
  });
});

describe('the openai client, unchanged', () => {
  test('models, whole answer, stream', async () => {
    await using gateway = await testGateway([await worker(say('Hello'))]);
    const client = clientFor(gateway.url);
    const models = await client.models.list();
    expect(models.data).toMatchObject([{ id: 'tiny', object: 'model', model_id: modelId }]);
    expect((await client.models.retrieve('tiny')).id).toBe('tiny');
    const answer = await client.chat.completions.create({ ...base, model: modelId });
    expect(answer.choices[0]!.message.content).toBe('Hello');
    const again = await client.chat.completions.create({
      ...base,
      messages: [...base.messages, answer.choices[0]!.message, ...base.messages],
    });
    expect(again.choices[0]!.finish_reason).toBe('stop');

    const stream = await client.chat.completions.create({ ...base, stream: true, stream_options: { include_usage: true } });
    let text = '';
    let usage: unknown;
    let receipt: unknown;
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? '';
      usage = chunk.usage;
      receipt = (chunk as { receipt?: unknown }).receipt;
    }
    expect(text).toBe('Hello');
    expect(usage).toMatchObject({ completion_tokens: 6 });
    expect(parseBundle(receipt).completionIds).toHaveLength(6);

    const helper = client.chat.completions.stream({ ...base, stream: true });
    expect((await helper.finalChatCompletion()).choices[0]!.message.content).toBe('Hello');
  });

  test('abort', async () => {
    const a = await worker(async ({ send, ended, receiptFor, response }) => {
      for (const [index, id] of encode('abc').entries()) send({ type: 'token', index, id });
      const { completionTokens } = await ended;
      send(receiptFor(encode('abc').slice(0, completionTokens), 'cancelled'));
      response.end();
    });
    await using gateway = await testGateway([a]);
    const stream = await clientFor(gateway.url).chat.completions.create({ ...base, stream: true });
    for await (const chunk of stream) if (chunk.choices[0]?.delta.content === 'c') stream.controller.abort();
    await gateway.gateway.stop();
    expect(a.ends).toMatchObject([{ reason: 'cancelled', completionTokens: 3 }]);
  });

  test('its own error classes', async () => {
    const liar = await worker(say('x'));
    liar.beforeSign = (receipt) => ({ ...receipt, thinRoot: ZERO_HEX32 });
    await using gateway = await testGateway([liar]);
    const { chat } = clientFor(gateway.url);
    await expect(chat.completions.create({ ...base, temperature: 5 })).rejects.toMatchObject({
      status: 400,
      param: 'temperature',
      constructor: OpenAI.BadRequestError,
    });
    await expect(chat.completions.create({ ...base, model: 'x' })).rejects.toMatchObject({
      status: 404,
      code: 'model_not_found',
      constructor: OpenAI.NotFoundError,
    });
    await expect(chat.completions.create(base)).rejects.toMatchObject({ status: 502, code: 'receipt_invalid' });
    const stream = await chat.completions.create({ ...base, stream: true, provider: { only: [liar.node] } } as never);
    await expect(
      (async () => {
        for await (const chunk of stream as unknown as AsyncIterable<unknown>) void chunk;
      })(),
    ).rejects.toMatchObject({ code: 'receipt_invalid' });
  });
});
