import { describe, expect, test } from 'vitest';
import { base, say, worker } from './testing/chat.ts';
import type { Behaviour } from './testing/fake-worker.ts';
import { readStream } from './testing/read-stream.ts';
import { testGateway } from './testing/test-gateway.ts';

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
