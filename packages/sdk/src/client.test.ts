import { describe, expect, test } from 'vitest';
import { stepTitles } from '@commonweight/verifier';
import { model as weights } from '@commonweight/verifier/testing';
import { CommonweightClient } from './client.ts';
import type { ClientOptions } from './client.ts';
import { AnswerRefused, ApiError } from './errors.ts';
import { answerOf, answering, body, events, factsAbout, json, modelId, stream, text } from './testing/gateway.ts';
import type { ChatCompletionChunk, ChatParams } from './types.ts';

const bundle = answerOf();
const params: ChatParams & { stream?: false } = { model: modelId, messages: [{ role: 'user', content: 'hi' }], max_tokens: 12 };
const client = (platform: ClientOptions['platform'] & object, options: Partial<ClientOptions> = {}) =>
  new CommonweightClient({ baseURL: 'http://gateway.test/v1/', facts: factsAbout(bundle), platform, ...options });
const whole = (response: Response, options: Partial<ClientOptions> = {}, asked: Partial<ChatParams> = {}) =>
  client(answering(response), options).chat.completions.create({ ...params, ...asked, stream: false });
const refused = (code: string) => expect.objectContaining({ name: 'AnswerRefused', code });

describe('a whole answer', () => {
  test('passes when its receipt holds; where to and what was asked', async () => {
    const platform = answering(json(body(bundle)));
    const answer = await client(platform, { apiKey: 'sk-1' }).chat.completions.create(params);
    expect(answer.choices[0]!.message.content).toBe(text);
    expect(answer.commonweight.report).toMatchObject({ verdict: 'unchecked', receipt: { node: bundle.receipt.node } });
    expect(answer.commonweight.report.checked).toContain(stepTitles['chain-node']);
    const [request] = platform.asked;
    expect([request!.url, request!.headers.get('authorization')]).toEqual(['http://gateway.test/v1/chat/completions', 'Bearer sk-1']);
    expect(await request!.json()).toMatchObject({ model: modelId, max_tokens: 12 });
  });

  test('is verified when the caller has the weights, and refuted when the text is another', async () => {
    const model = (id: string) => (id === modelId ? weights : undefined);
    expect((await whole(json(body(bundle)), { model })).commonweight.report.verdict).toBe('verified');
    await expect(whole(json(body(bundle, `${text.slice(0, -1)}?`)), { model })).rejects.toThrow(refused('receipt_refuted'));
  });

  test.each([
    ['prices above the agreed ones', answerOf((receipt) => ({ ...receipt, completionPrice: receipt.completionPrice + 1n }))],
    ['another count', answerOf((receipt) => ({ ...receipt, completionTokens: receipt.completionTokens + 1 }))],
  ])('is refused: %s', async (_, lie) => {
    const error = await whole(json(body(lie))).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(AnswerRefused);
    expect((error as AnswerRefused).report).toMatchObject({ verdict: 'refuted' });
  });

  test('is refused when another key than the node registered signed it', async () => {
    const facts = factsAbout(bundle, {
      node: async () => ({ registered: true as const, sessionKey: `0x${'99'.repeat(20)}` as const, bond: 1n, minimumBond: 1n }),
    });
    await expect(whole(json(body(bundle)), { facts })).rejects.toThrow(refused('receipt_refuted'));
  });

  test.each([
    ['another model', { model: `0x${'12'.repeat(32)}` }, 'another_request'],
    ['a name that means another model', { model: 'mine' }, 'another_request'],
    ['another limit', { max_tokens: 13 }, 'another_request'],
    ['another temperature', { temperature: 1 }, 'another_request'],
    ['another seed', { seed: 1 }, 'another_request'],
    ['another node', { provider: { only: [`0x${'ab'.repeat(20)}`] } }, 'another_request'],
  ])('is refused: it is for %s', async (_, asked, code) => {
    await expect(whole(json(body(bundle)), { models: { mine: `0x${'34'.repeat(32)}` as const } }, asked)).rejects.toThrow(refused(code));
  });

  test.each([
    ['from the future', 301],
    ['older than the call', -301],
  ])('is refused: %s', async (_, seconds) => {
    const dated = (by: number) => answerOf((receipt) => ({ ...receipt, issuedAt: receipt.issuedAt + by }));
    await expect(whole(json(body(dated(seconds))))).rejects.toThrow(refused('issued_at'));
    await expect(whole(json(body(dated(seconds - Math.sign(seconds)))))).resolves.toBeDefined();
  });

  test('is refused: it came before', async () => {
    const { chat } = client(answering(json(body(bundle)), json(body(bundle))));
    await chat.completions.create(params);
    await expect(chat.completions.create(params)).rejects.toThrow(refused('repeated'));
  });

  test('is refused: of another chain, without a receipt, with two choices, no JSON', async () => {
    const other = factsAbout(bundle, { chainId: 1 });
    await expect(whole(json(body(bundle)), { facts: other })).rejects.toThrow(refused('another_network'));
    await expect(whole(json({ ...body(bundle), receipt: undefined }))).rejects.toThrow(refused('no_receipt'));
    await expect(whole(json({ ...body(bundle), receipt: { version: 'x' } }))).rejects.toThrow(refused('no_receipt'));
    const { choices } = body(bundle);
    await expect(whole(json({ ...body(bundle), choices: [...choices, ...choices] }))).rejects.toThrow(refused('malformed'));
    await expect(whole(new Response('hello'))).rejects.toThrow(refused('malformed'));
  });

  test("a gateway's error is OpenAI's", async () => {
    const error = { message: 'no', code: 'model_not_found', param: 'model', type: 'invalid_request_error' };
    const failed = await whole(json({ error }, { status: 404 })).catch((reason: unknown) => reason);
    expect(failed).toBeInstanceOf(ApiError);
    expect(failed).toMatchObject({ status: 404, code: 'model_not_found', field: 'model', action: 'fix-input' });
    await expect(whole(new Response('?', { status: 503 }))).rejects.toMatchObject({ status: 503, code: 'api_error', retryable: true });
  });
});

describe('a stream', () => {
  const streamed = (response: Response) => client(answering(response)).chat.completions.create({ ...params, stream: true });
  const read = async (response: Response): Promise<{ chunks: ChatCompletionChunk[]; verdict: string | undefined }> => {
    const answer = await streamed(response);
    const chunks: ChatCompletionChunk[] = [];
    for await (const chunk of answer) chunks.push(chunk);
    return { chunks, verdict: answer.commonweight?.report.verdict };
  };

  test('chunks as they come, the receipt only after it was checked', async () => {
    const { chunks, verdict } = await read(stream(events(bundle, [text.slice(0, 3), text.slice(3)])));
    expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('')).toBe(text);
    expect([chunks.length, verdict]).toEqual([3, 'unchecked']);
  });

  test.each([
    ['ends without a receipt', events(undefined, [text]), refused('no_receipt')],
    [
      'has a receipt that does not hold',
      events(
        answerOf((receipt) => ({ ...receipt, promptTokens: 5 })),
        [text],
      ),
      refused('receipt_refuted'),
    ],
    ['has two', [...events(bundle, [text]).slice(0, -1), ...events(bundle, [])], refused('malformed')],
    ['has an event that is no JSON', ['{'], refused('malformed')],
    [
      'has an error',
      ['{"error":{"code":"node_failed","message":"x"}}'],
      expect.objectContaining({ name: 'ApiError', code: 'node_failed' }),
    ],
  ])('throws when it %s', async (_, list, error) => {
    await expect(read(stream(list))).rejects.toThrow(error);
  });

  test('who leaves the loop hangs up', async () => {
    let cancelled = false;
    const bytes = new TextEncoder().encode(`data: ${events(bundle, [text])[0]}\n\n`);
    const body = new ReadableStream<Uint8Array>({ pull: (controller) => controller.enqueue(bytes), cancel: () => void (cancelled = true) });
    for await (const chunk of await streamed(new Response(body))) {
      expect(chunk.choices).toHaveLength(1);
      break;
    }
    expect(cancelled).toBe(true);
  });
});
