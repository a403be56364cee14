import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseBundle, receiptDigest, samplerSettings } from '@commonweight/protocol';
import { describe, expect, test } from 'vitest';
import { gatewayLimits as limits } from '../limits.ts';
import { STOP_ID, domain } from './testing/answer-fixture.ts';
import { encode } from './testing/byte-model.ts';
import { base, bundleFile, say, worker } from './testing/chat.ts';
import type { Behaviour } from './testing/fake-worker.ts';
import { readStream } from './testing/read-stream.ts';
import { testGateway } from './testing/test-gateway.ts';

describe('chat completions', () => {
  test('a whole answer: text, usage, receipt; the bundle is on disk', async () => {
    const a = await worker(say('Tokyo 🗼'));
    await using gateway = await testGateway([a]);
    const response = await gateway.post(base);
    expect(response.status).toBe(200);
    const body = (await response.json()) as { receipt: unknown; choices: unknown; usage: unknown };
    expect(body.choices).toMatchObject([{ message: { role: 'assistant', content: 'Tokyo 🗼' }, finish_reason: 'stop' }]);
    expect(body.usage).toEqual({
      prompt_tokens: 5,
      completion_tokens: 11,
      total_tokens: 16,
      prompt_tokens_details: { cached_tokens: 0 },
    });
    const bundle = parseBundle(body.receipt);
    const id = receiptDigest(bundle.receipt, domain);
    expect(bundle.completionIds).toEqual([...encode('Tokyo 🗼'), STOP_ID]);
    expect(response.headers.get('x-commonweight-receipt')).toBe(id);
    expect(response.headers.get('x-commonweight-node')).toBe(a.node);
    expect(await readdir(join(gateway.dataDir, 'bundles'))).toEqual([bundleFile(bundle.receipt)]);
  });

  test('what the node says of its cache is shown in the usage; a node that speaks of another prompt gives no answer', async () => {
    const prefilled =
      (total: number): Behaviour =>
      async (run) => {
        run.send({ type: 'prefill', done: 5, total, cached: 4 });
        await say('x')(run);
      };
    await using gateway = await testGateway([await worker(prefilled(5))]);
    const usage = { prompt_tokens: 5, prompt_tokens_details: { cached_tokens: 4 } };
    expect(await (await gateway.post(base)).json()).toMatchObject({ usage });
    const { chunks } = await readStream(await gateway.post({ ...base, stream: true, stream_options: { include_usage: true } }));
    expect(chunks.at(-1)).toMatchObject({ usage });
    await using other = await testGateway([await worker(prefilled(6))]);
    expect(await (await other.post(base)).json()).toMatchObject({ error: { code: 'no_node_answered' } });
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
    const { receipt, end } = parseBundle(body.receipt);
    expect(receipt).toMatchObject({ finishReason: 'stop_id', completionTokens: 12 });
    expect(end?.end).toEqual({ requestHash: receipt.requestHash, completionTokens: 7, reason: 'stop_string' });
    expect(end?.end).toEqual(a.ends[0]);
  });

  test('a stop string that is complete with the last token: nobody has to be told, the bundle says where the text ends', async () => {
    const a = await worker(say('one END'));
    await using gateway = await testGateway([a]);
    const last = encode('one END').length;
    a.behaviour = ({ answer }) => answer(encode('one END'));
    const body = (await (await gateway.post({ ...base, stop: 'END', max_tokens: last })).json()) as { choices: unknown; receipt: unknown };
    expect(body.choices).toMatchObject([{ message: { content: 'one ' }, finish_reason: 'stop' }]);
    const { receipt, end } = parseBundle(body.receipt);
    expect(receipt.finishReason).toBe('length');
    expect(end?.end).toMatchObject({ completionTokens: last, reason: 'stop_string' });
    expect(a.ends).toEqual([]);
  });

  test('seed, sampler and defaults go into the signed request as integers', async () => {
    const a = await worker(say('x'));
    await using gateway = await testGateway([a]);
    const more = {
      min_p: 0.1,
      repetition_penalty: 1.2,
      presence_penalty: 0.5,
      frequency_penalty: -0.25,
      logit_bias: { '9': -1, '4': 2.5 },
    };
    await gateway.post({ ...base, temperature: 0.7, top_p: 0.9, top_k: 40, seed: -1, ...more });
    await gateway.post(base);
    await gateway.post(base);
    const [first, second, third] = a.runs.map(({ request }) => request);
    expect(first).toMatchObject({
      sampler: {
        temperature: 700_000,
        topP: 900_000,
        topK: 40,
        minP: 100_000,
        repetitionPenalty: 1_200_000,
        presencePenalty: 500_000,
        frequencyPenalty: -250_000,
        logitBias: [
          [4, 2_500_000],
          [9, -1_000_000],
        ],
      },
      seed: `0x${'ff'.repeat(16)}`,
      maxTokens: 123,
      stopIds: [STOP_ID],
    });
    expect(second!.sampler).toEqual(samplerSettings());
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
    expect(await readdir(join(gateway.dataDir, 'bundles'))).toEqual([bundleFile(a.receipts[0]!)]);
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
