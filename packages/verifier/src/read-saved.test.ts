import { type Bundle, DecodeError, PARTIAL_VERSION, bundleToJson } from '@commonweight/protocol';
import { beforeAll, describe, expect, it } from 'vitest';
import { readSaved } from './read-saved.ts';
import { SavedError } from './saved-error.ts';
import { decode, makeBundle } from './testing/make-bundle.ts';
import { executor, job, manifest } from './testing/tiny.ts';

let bundle: Bundle;
let receipt: Record<string, unknown>;
beforeAll(() => {
  bundle = makeBundle({ manifest, job, ...decode(executor, job), finishReason: 'length' });
  receipt = bundleToJson(bundle);
});

const body = (): Record<string, unknown> => ({
  id: 'chatcmpl-1',
  object: 'chat.completion',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Tokyo\n' }, finish_reason: 'length' }],
  usage: { prompt_tokens: 6, completion_tokens: 12, total_tokens: 18 },
  receipt,
});

const events = (): string[] => [
  ': keepalive',
  '',
  'data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}',
  '',
  'data: {"choices":[{"index":0,"delta":{"content":"To"}}]}',
  ': keepalive',
  'data: {"choices":[{"index":0,"delta":{"content":"kyo"}}]}',
  'data: {"choices":[{"index":0,"delta":{},"finish_reason":"length"}]}',
  `data: ${JSON.stringify({ choices: [], receipt })}`,
  '',
  'data: [DONE]',
  '',
];

const errorOf = (text: string): SavedError => {
  try {
    readSaved(text);
  } catch (error) {
    if (error instanceof SavedError) return error;
    throw error;
  }
  throw new Error('expected readSaved to throw');
};

describe('what a client saves', () => {
  it('reads a response body, with its text', () => {
    expect(readSaved(JSON.stringify(body()))).toEqual({ bundle, answerText: 'Tokyo\n', kind: 'response' });
    expect(readSaved(`\uFEFF${JSON.stringify(body(), null, 2)}\n`).kind).toBe('response');
    expect(readSaved(JSON.stringify({ ...body(), choices: [{ index: 0, text: 'Kyo' }] })).answerText).toBe('Kyo');
  });

  it.each(['\n', '\r\n'])('reads a stream with line ends %j', (end) => {
    expect(readSaved(events().join(end))).toEqual({ bundle, answerText: 'Tokyo', kind: 'stream' });
  });

  it('reads a stream that lacks only [DONE]', () => {
    expect(readSaved(events().slice(0, -3).join('\n'))).toMatchObject({ bundle });
  });

  it("reads a bundle and the gateway's receipt bodies", () => {
    for (const value of [receipt, { bundle: receipt, status: 'posted' }, { id: '0x00', receipt, status: 'pending' }]) {
      expect(readSaved(JSON.stringify(value))).toEqual({ bundle, kind: 'bundle' });
    }
  });
});

describe('what cannot be checked', () => {
  it('names a stream that was cut before its receipt, at any character', () => {
    const text = events().join('\n');
    const end = text.indexOf('\n\ndata: [DONE]');
    const start = text.indexOf('data:');
    for (let length = start + 5; length < end; length += 97) expect(errorOf(text.slice(0, length)).code).toBe('saved-cut');
    expect(errorOf(text.slice(0, end - 1)).message).toMatch(/cut before its receipt/);
  });

  it.each([
    ['an empty file', '', 'saved-format', /empty/],
    ['a web page', '<html>', 'saved-format', /expected a JSON body or a stream/],
    ['a cut body', '{"choices": [', 'saved-format', /was the file cut/],
    ['an answer of another provider', '{"choices": []}', 'saved-no-receipt', /no field `receipt`/],
    ['an error', '{"error": {"message": "model not found"}}', 'saved-error-body', /model not found/],
    ['an error in a stream', 'data: {"error": {"message": "the node lied"}}', 'saved-error-body', /line 1.*the node lied/],
    ['a bare receipt', '{"receipt": {"node": "0x"}, "signature": "0x"}', 'saved-no-receipt', /without the token ids/],
    ['deep nesting', `{"a":${'['.repeat(100_000)}`, 'saved-size', /levels/],
  ] as const)('%s', (_, text, code, message) => {
    const error = errorOf(text);
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
  });

  it('counts brackets outside strings only', () => {
    const value = { ...body(), user: `${'['.repeat(500)}"\\` };
    expect(readSaved(JSON.stringify(value)).kind).toBe('response');
  });

  it('refuses a body or stream that could show another text than the one that is checked', () => {
    const [honest] = body()['choices'] as Record<string, unknown>[];
    const lie = { index: 1, message: { content: 'Kyoto' } };
    const shown: readonly unknown[] = [[lie, honest], [honest, lie], [{ ...lie, index: 0, text: 'Tokyo\n' }], [{ ...honest, index: 1 }]];
    for (const choices of shown) expect(errorOf(JSON.stringify({ ...body(), choices })).message).toMatch(/text of choice 0 alone/);
    const { receipt: bundleJson, ...rest } = body();
    expect(errorOf(JSON.stringify({ ...rest, bundle: bundleJson })).code).toBe('saved-no-receipt');

    const chunks = [
      [
        { index: 0, delta: { content: 'To' } },
        { index: 0, delta: { content: 'no' } },
      ],
      [{ index: 0, text: 'To', delta: { content: 'Kyo' } }],
      [{ index: 1, delta: { content: 'To' } }],
    ];
    for (const choices of chunks) {
      const lines = events();
      lines[4] = `data: ${JSON.stringify({ choices })}`;
      expect(errorOf(lines.join('\n')).message).toMatch(/line 5: expected one choice with one text/);
    }
  });

  it('refuses a second receipt, and names the field of a malformed bundle', () => {
    const twice = [`data: ${JSON.stringify({ choices: [], receipt })}`, `data: ${JSON.stringify({ choices: [], receipt })}`].join('\n');
    expect(errorOf(twice).message).toMatch(/line 2: expected one receipt/);
    const wrong = JSON.stringify({ ...body(), receipt: { ...receipt, nonce: '0x00' } });
    expect(() => readSaved(wrong)).toThrow(DecodeError);
    expect(() => readSaved(wrong)).toThrow(/receipt\.nonce/);
    expect(errorOf(JSON.stringify({ ...body(), choices: 'none' })).message).toMatch(/text of choice 0/);
  });
});

describe('an answer that broke off', () => {
  const partial = () => {
    const { receipt: _, signature, digests: __, ...asked } = bundle;
    const checkpoint = { requestHash: bundle.receipt.requestHash, completionTokens: 12, head: bundle.receipt.idsRoot };
    return { ...asked, version: PARTIAL_VERSION, checkpoint, signature } as const;
  };
  const error = () => ({ message: 'node 0x33 broke the answer off', type: 'server_error', partial: partial(), unproven_tokens: 2 });

  it('is read from the error event that ends the stream, with the text before it', () => {
    const stream = [...events().slice(0, 7), `data: ${JSON.stringify({ error: error() })}`, ''];
    expect(readSaved(stream.join('\n'))).toEqual({ partial: partial(), answerText: 'Tokyo', kind: 'stream' });
    expect(errorOf([...stream, events()[6]].join('\n')).message).toMatch(/nothing after the error/);
    expect(errorOf([...stream, 'data: [DONE]'].join('\n')).code).toBe('saved-format');
    expect(errorOf([...events().slice(0, 9), stream.at(-2)].join('\n')).code).toBe('saved-error-body');
  });

  it('is read from an error body, from GET /v1/requests/:hash and as it is', () => {
    expect(readSaved(JSON.stringify({ error: error() }))).toEqual({ partial: partial(), kind: 'response' });
    expect(readSaved(JSON.stringify({ object: 'commonweight.request', partial: partial() }))).toEqual({
      partial: partial(),
      kind: 'bundle',
    });
    expect(readSaved(JSON.stringify(partial()))).toEqual({ partial: partial(), kind: 'bundle' });
  });

  it('a malformed one names the field', () => {
    const broken = { ...error(), partial: { ...partial(), checkpoint: { completionTokens: 12 } } };
    expect(() => readSaved(JSON.stringify({ error: broken }))).toThrow(DecodeError);
    expect(() => readSaved(JSON.stringify({ error: broken }))).toThrow(/error\.partial\.checkpoint/);
  });
});
