import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ApiError } from '../api-error.ts';
import { chatRequestSchema } from './chat-request.ts';
import { toMillionths } from './millionths.ts';
import { parseBody } from './parse.ts';

const base = { model: 'm', messages: [{ role: 'user', content: 'hi' }] };
const parse = (fields: Record<string, unknown>) => parseBody(chatRequestSchema, { ...base, ...fields });

function refused(fields: Record<string, unknown>): ApiError {
  try {
    parse(fields);
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
  throw new Error(`accepted ${JSON.stringify(fields)}`);
}

describe('millionths', () => {
  test.each([
    [0.7, 700_000],
    [0.1 + 0.2, 300_000],
    [1e-6, 1],
    [4e-7, 0],
    [5e-7, 1],
    [1.2345675, 1_234_568],
    [2, 2_000_000],
    [0, 0],
    [1e3, 1_000_000_000],
    [1.5e-7, 0],
  ])('%d is %d', (value, expected) => expect(toMillionths(value)).toBe(expected));

  test('every value of at most six decimals is exact', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2_000_000 }), (n) => {
        const text = `${Math.floor(n / 1e6)}.${String(n % 1e6).padStart(6, '0')}`;
        expect(toMillionths(Number(text))).toBe(n);
      }),
    );
  });
});

describe('chat request: each fault names its field', () => {
  test.each<[string, Record<string, unknown>, string, RegExp]>([
    ['unknown field', { frobnicate: 1 }, 'frobnicate', /unknown or unsupported/],
    ['unknown field of a message', { messages: [{ role: 'user', content: 'x', name: 'a' }] }, 'messages[0].name', /unknown or unsupported/],
    ['no messages', { messages: [] }, 'messages', />=1/],
    ['messages missing', { messages: undefined }, 'messages', /missing/],
    ['model missing', { model: undefined }, 'model', /missing/],
    ['model of the wrong type', { model: 3 }, 'model', /expected string/],
    ['role', { messages: [{ role: 'tool', content: 'x' }] }, 'messages[0].role', /system, developer, user or assistant/],
    ['content missing', { messages: [{ role: 'user' }] }, 'messages[0].content', /missing|expected/],
    ['content of a wrong type', { messages: [{ role: 'user', content: 5 }] }, 'messages[0].content', /./],
    [
      'image part',
      { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'x' } }] }] },
      'messages[0].content[0].type',
      /only text parts/,
    ],
    ['lone surrogate', { messages: [{ role: 'user', content: 'a\ud800' }] }, 'messages[0].content', /surrogate/],
    ['temperature too high', { temperature: 2.1 }, 'temperature', /<=2/],
    ['temperature negative', { temperature: -1 }, 'temperature', />=0/],
    ['temperature too low for the sampler', { temperature: 0.005 }, 'temperature', /0.01/],
    ['temperature of a wrong type', { temperature: '1' }, 'temperature', /expected number/],
    ['top_p above 1', { top_p: 1.5 }, 'top_p', /<=1/],
    ['top_p zero', { top_p: 0 }, 'top_p', /temperature 0/],
    ['top_k negative', { top_k: -1 }, 'top_k', />=0/],
    ['top_k fractional', { top_k: 1.5 }, 'top_k', /int/],
    ['max_tokens zero', { max_tokens: 0 }, 'max_tokens', />=1/],
    ['max_completion_tokens fractional', { max_completion_tokens: 2.5 }, 'max_completion_tokens', /int/],
    ['n', { n: 2 }, 'n', /one request per choice/],
    ['seed fractional', { seed: 1.5 }, 'seed', /integer/],
    ['seed too large', { seed: 2 ** 60 }, 'seed', /lose digits/],
    ['empty stop string', { stop: '' }, 'stop', />=1/],
    ['too many stop strings', { stop: ['a', 'b', 'c', 'd', 'e'] }, 'stop', /<=4/],
    ['long stop string', { stop: ['x'.repeat(65)] }, 'stop[0]', /<=64/],
    ['stop of a wrong type', { stop: 5 }, 'stop', /./],
    ['provider id', { provider: { only: ['node-1'] } }, 'provider.only[0]', /node id/],
    ['provider unknown field', { provider: { sort: 'price' } }, 'provider.sort', /unknown or unsupported/],
    ['tools', { tools: [{ type: 'function', function: { name: 'f' } }] }, 'tools', /not supported/],
    ['response_format of another type', { response_format: { type: 'xml' } }, 'response_format.type', /./],
    ['response_format without its schema', { response_format: { type: 'json_schema' } }, 'response_format.json_schema', /missing/],
    [
      'response_format with a bad name',
      { response_format: { type: 'json_schema', json_schema: { name: 'a b', schema: {} } } },
      'response_format.json_schema.name',
      /letters/,
    ],
    ['logprobs of a wrong type', { logprobs: 3 }, 'logprobs', /boolean/],
    ['top_logprobs above 20', { logprobs: true, top_logprobs: 21 }, 'top_logprobs', /<=20/],
    ['top_logprobs fractional', { logprobs: true, top_logprobs: 1.5 }, 'top_logprobs', /int/],
    ['logit_bias above 100', { logit_bias: { 1: 101 } }, 'logit_bias.1', /-100 to 100/],
    ['logit_bias below -100', { logit_bias: { 1: -100.5 } }, 'logit_bias.1', /-100 to 100/],
    ['logit_bias of a wrong type', { logit_bias: { 1: '5' } }, 'logit_bias.1', /expected number/],
    ['logit_bias as a list', { logit_bias: [1] }, 'logit_bias', /expected record/],
    ['logit_bias by a text', { logit_bias: { the: 5 } }, 'logit_bias', /token ids in decimal digits, got "the"/],
    ['logit_bias by another spelling', { logit_bias: { '01': 5 } }, 'logit_bias', /token ids/],
    [
      'logit_bias of too many',
      { logit_bias: Object.fromEntries(Array.from({ length: 1025 }, (_, id) => [id, 1])) },
      'logit_bias',
      /at most 1024 ids, got 1025/,
    ],
    ['presence_penalty above 2', { presence_penalty: 2.1 }, 'presence_penalty', /<=2/],
    ['frequency_penalty below -2', { frequency_penalty: -2.1 }, 'frequency_penalty', />=-2/],
    ['repetition_penalty zero', { repetition_penalty: 0 }, 'repetition_penalty', />=0.01/],
    ['repetition_penalty above 2', { repetition_penalty: 2.5 }, 'repetition_penalty', /<=2/],
    ['min_p above 1', { min_p: 1.1 }, 'min_p', /<=1/],
    ['store', { store: true }, 'store', /must be false/],
    ['stream', { stream: 'yes' }, 'stream', /boolean/],
    ['stream_options', { stream_options: { include_usage: 1 } }, 'stream_options.include_usage', /boolean/],
  ])('%s', (_, fields, param, message) => {
    const error = refused(fields);
    expect(error.status).toBe(400);
    expect(error.field).toBe(param);
    expect(error.message).toContain(param);
    expect(error.message).toMatch(message);
  });

  test('a body that is no object', () => {
    expect(() => parseBody(chatRequestSchema, [])).toThrow(/body/);
  });
});

describe('chat request: what is accepted', () => {
  test('content parts are joined, developer means system', () => {
    const { messages } = parse({
      messages: [
        { role: 'developer', content: 'be brief' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'a' },
            { type: 'text', text: 'b' },
          ],
        },
      ],
    });
    expect(messages).toEqual([
      { role: 'system', content: 'be brief' },
      { role: 'user', content: 'ab' },
    ]);
  });

  test('an answer of this API can be sent back as history', () => {
    const history = { role: 'assistant', content: 'x', refusal: null, tool_calls: [], annotations: [], audio: null, function_call: null };
    expect(parse({ messages: [history, ...base.messages] }).messages[0]).toEqual({ role: 'assistant', content: 'x' });
  });

  test('fields that ask for nothing', () => {
    expect(() =>
      parse({
        user: 'u',
        metadata: { a: 'b' },
        store: false,
        service_tier: 'auto',
        parallel_tool_calls: true,
        response_format: { type: 'text' },
        n: 1,
        tools: [],
        tool_choice: 'none',
        modalities: ['text'],
        seed: null,
        stop: null,
        temperature: null,
      }),
    ).not.toThrow();
  });

  test('numbers leave as millionths, one stop string as a list', () => {
    const request = parse({ temperature: 0.7, top_p: 0.95, stop: 'END', seed: -5 });
    expect(request).toMatchObject({ temperature: 700_000, top_p: 950_000, stop: ['END'], seed: -5 });
    expect(parse({ min_p: 0.05, repetition_penalty: 1.1, presence_penalty: -0.5, frequency_penalty: -2e-7 })).toMatchObject({
      min_p: 50_000,
      repetition_penalty: 1_100_000,
      presence_penalty: -500_000,
      frequency_penalty: 0,
    });
  });

  test('a bias becomes pairs in order of ids; one that rounds to nothing is none', () => {
    expect(parse({ logit_bias: { '10': -100, '9': 0.5, '8': 0, '7': 1e-7, '1048575': 100 } }).logit_bias).toEqual([
      [9, 500_000],
      [10, -100_000_000],
      [1_048_575, 100_000_000],
    ]);
    expect(Object.is(parse({ presence_penalty: -1e-9 }).presence_penalty, 0)).toBe(true);
  });
});
