import { type TokenLogprobs, parseBundle } from '@commonweight/protocol';
import { describe, expect, test } from 'vitest';
import { STOP_ID } from './testing/answer-fixture.ts';
import { encode } from './testing/byte-model.ts';
import { base, worker } from './testing/chat.ts';
import type { Behaviour } from './testing/fake-worker.ts';
import { readStream } from './testing/read-stream.ts';
import { testGateway } from './testing/test-gateway.ts';

/** Every token has the log probability -(index + 1) / 2, the likeliest ids are the token and the stop id. */
const lpOf = (id: number, index: number, top: number): TokenLogprobs => ({
  logprob: -32_768 * (index + 1),
  top: ([[id, -32_768 * (index + 1)], [id === STOP_ID ? 0 : STOP_ID, -65_536 * (index + 2)]] as const).slice(0, top), // prettier-ignore
});
const sayWith =
  (text: string, change: (logprobs: TokenLogprobs, index: number) => TokenLogprobs | undefined = (logprobs) => logprobs): Behaviour =>
  ({ input, send, receiptFor, response }) => {
    const ids = [...encode(text), STOP_ID];
    for (const [index, id] of ids.entries()) {
      const logprobs = input.logprobs === undefined ? undefined : change(lpOf(id, index, input.logprobs), index);
      send({ type: 'token', index, id, ...(logprobs && { logprobs }) });
    }
    send(receiptFor(ids, 'stop_id'));
    response.end();
  };

interface Shown {
  readonly content: readonly { token: string; bytes: number[] | null; logprob: number; top_logprobs: unknown[] }[];
}

describe('log probabilities', () => {
  test('a whole answer: one entry a token with text, bytes of half characters, names of control tokens', async () => {
    const a = await worker(sayWith('aé'));
    await using gateway = await testGateway([a]);
    const body = (await (await gateway.post({ ...base, logprobs: true, top_logprobs: 2 })).json()) as {
      choices: { logprobs: Shown }[];
      receipt: unknown;
    };
    expect(body.choices[0]!.logprobs).toEqual({
      content: [
        { token: 'a', bytes: [97], logprob: -0.5, top_logprobs: [{ token: 'a', bytes: [97], logprob: -0.5 }, { token: '<2>', bytes: null, logprob: -2 }] }, // prettier-ignore
        { token: '\ufffd', bytes: [195], logprob: -1, top_logprobs: [{ token: '\ufffd', bytes: [195], logprob: -1 }, { token: '<2>', bytes: null, logprob: -3 }] }, // prettier-ignore
        { token: '\ufffd', bytes: [169], logprob: -1.5, top_logprobs: [{ token: '\ufffd', bytes: [169], logprob: -1.5 }, { token: '<2>', bytes: null, logprob: -4 }] }, // prettier-ignore
      ],
      refusal: null,
    });
    expect(a.runs[0]!.logprobs).toBe(2);
    // they are outside of what is signed
    expect(JSON.stringify(parseBundle(body.receipt).request)).not.toContain('logprobs');
  });

  test('a stream: every token once, with the text that it completes; held back text keeps them', async () => {
    await using gateway = await testGateway([await worker(sayWith('aéE!'))]);
    const { chunks } = await readStream(await gateway.post({ ...base, stream: true, logprobs: true, stop: 'END' }));
    const pieces = chunks.flatMap(({ choices }) => choices as unknown as { delta: { content?: string }; logprobs: Shown | null }[]);
    expect(pieces.filter(({ logprobs }) => logprobs).map(({ delta, logprobs }) => [delta.content, logprobs!.content.length])).toEqual([
      ['a', 1],
      ['é', 2],
      ['E!', 2],
    ]);
    expect(pieces[0]!.logprobs).toBeNull();
  });

  test('a cut text: entries up to the token that completed the stop string', async () => {
    const a = await worker(sayWith('ab\n\ncd'));
    a.confirmsEnds = false;
    await using gateway = await testGateway([a]);
    const body = (await (await gateway.post({ ...base, logprobs: true, stop: '\n\n' })).json()) as {
      choices: { message: { content: string }; logprobs: Shown }[];
    };
    expect(body.choices[0]!.message.content).toBe('ab');
    expect(body.choices[0]!.logprobs.content.map(({ token }) => token)).toEqual(['a', 'b', '\n', '\n']);
    expect(body.choices[0]!.logprobs.content[0]!.top_logprobs).toEqual([]);
  });

  test('none are asked for without the wish, and null is shown', async () => {
    const a = await worker(sayWith('a'));
    await using gateway = await testGateway([a]);
    const body = (await (await gateway.post(base)).json()) as { choices: unknown };
    expect(body.choices).toMatchObject([{ logprobs: null }]);
    expect(a.runs[0]!.logprobs).toBeUndefined();
  });

  test.each<[string, Behaviour]>([
    ['leaves them out', sayWith('ab', (logprobs, index) => (index === 1 ? undefined : logprobs))],
    ['sends fewer', sayWith('ab', ({ logprob, top }) => ({ logprob, top: top.slice(1) }))],
    [
      'sends ids beyond the vocabulary',
      sayWith('ab', ({ logprob, top: [first] }) => ({ logprob, top: [first!, [1_000_000, -(2 ** 30)]] })),
    ],
    ['contradicts itself', sayWith('ab', ({ logprob, top }) => ({ logprob: logprob - 1, top }))],
  ])('a node that %s has failed', async (_, behaviour) => {
    await using gateway = await testGateway([await worker(behaviour)]);
    const response = await gateway.post({ ...base, logprobs: true, top_logprobs: 2 });
    expect(response.status).toBeGreaterThanOrEqual(500);
  });

  test('top_logprobs needs logprobs, ids of logit_bias must exist', async () => {
    await using gateway = await testGateway([await worker(sayWith('a'))]);
    const refused = async (fields: object) => ((await (await gateway.post({ ...base, ...fields })).json()) as { error: object }).error;
    expect(await refused({ top_logprobs: 2 })).toMatchObject({ param: 'top_logprobs', type: 'invalid_request_error' });
    expect(await refused({ logit_bias: { '5': 1, '999999': 1 } })).toMatchObject({ param: 'logit_bias.999999' });
  });
});
