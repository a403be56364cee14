import { get } from 'node:http';
import { ZERO_HEX32 } from '@commonweight/protocol';
import { describe, expect, test } from 'vitest';
import { base } from './testing/chat.ts';
import { testGateway } from './testing/test-gateway.ts';

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
