import { ZERO_HEX32, parseBundle } from '@commonweight/protocol';
import OpenAI from 'openai';
import { describe, expect, test } from 'vitest';
import { encode, modelId } from './testing/byte-model.ts';
import { base, say, worker } from './testing/chat.ts';
import { testGateway } from './testing/test-gateway.ts';

const clientFor = (url: string): OpenAI => new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none', maxRetries: 0 });

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

    const named = await client.chat.completions.create({ ...base, stream: true }).withResponse();
    const hash = named.response.headers.get('x-commonweight-request');
    let last: unknown;
    for await (const chunk of named.data) last = chunk;
    expect(parseBundle((last as { receipt?: unknown }).receipt).receipt.requestHash).toBe(hash);

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
