import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Checkpoint, ZERO_HEX32, parsePartialBundle, streamHead } from '@commonweight/protocol';
import { describe, expect, test } from 'vitest';
import { STOP_ID } from './testing/answer-fixture.ts';
import { encode } from './testing/byte-model.ts';
import { base, say, worker } from './testing/chat.ts';
import { readStream } from './testing/read-stream.ts';
import { silentLog, testGateway } from './testing/test-gateway.ts';

const text = 'The quick brown fox jumps over the lazy dog';

async function evidence(dataDir: string): Promise<Record<string, unknown>[]> {
  const folder = join(dataDir, 'refused');
  const files = (await readdir(folder)).toSorted();
  return Promise.all(files.map(async (file) => JSON.parse(await readFile(join(folder, file), 'utf8')) as Record<string, unknown>));
}

describe('a checkpoint that contradicts what the node sent', () => {
  const lies: [string, string, (checkpoint: Checkpoint) => readonly Checkpoint[]][] = [
    ['wrong head', 'checkpoint', (checkpoint) => [{ ...checkpoint, head: ZERO_HEX32 }]],
    ['too many tokens', 'checkpoint', (checkpoint) => [{ ...checkpoint, completionTokens: 32 }]],
    ['too few tokens', 'checkpoint', (checkpoint) => [{ ...checkpoint, completionTokens: 1 }]],
    ['an odd number of tokens', 'checkpoint', (checkpoint) => [{ ...checkpoint, completionTokens: 15 }]],
    ['two heads over the same tokens', 'equivocation', (checkpoint) => [checkpoint, { ...checkpoint, head: ZERO_HEX32 }]],
  ];
  test.each(lies)('%s: refused, kept as evidence, the node avoided', async (_, check, lie) => {
    const a = await worker(say(text), 'liar');
    a.beforeCheckpoint = (checkpoint) => (checkpoint.completionTokens === 16 ? lie(checkpoint) : [checkpoint]);
    const good = await worker(say(text), 'good');
    const events: [string, unknown][] = [];
    await using gateway = await testGateway([a, good], {}, { ...silentLog, warn: (event, fields) => void events.push([event, fields]) });
    const { chunks, text: shown } = await readStream(await gateway.post({ ...base, stream: true, provider: { only: [a.node] } }));
    expect(shown).toBe(text.slice(0, 16));
    const { error } = chunks.at(-1)!;
    expect(error).toMatchObject({ code: 'checkpoint_invalid', param: check });
    // the last good one is still the node's word
    const covered = check === 'equivocation' ? 16 : 1;
    expect(parsePartialBundle(error!.partial).completionIds).toEqual(encode(text).slice(0, covered));
    expect(events).toContainEqual(['answer_refused', { node: a.node, check }]);

    const [kept, ...more] = await evidence(gateway.dataDir);
    expect(more).toEqual([]);
    expect(kept).toMatchObject({ node: a.node, check });
    const { nonce, completionIds, checkpoint } = parsePartialBundle(kept!['partial']);
    expect(completionIds).toEqual(encode(text).slice(0, 16));
    expect(streamHead(checkpoint.requestHash, nonce, completionIds)).not.toBe(
      checkpoint.completionTokens === 16 ? checkpoint.head : undefined,
    );
    expect((await gateway.post(base)).headers.get('x-commonweight-node')).toBe(good.node);
  });

  test('signed by a key that is not registered', async () => {
    const a = await worker(say(text), 'liar');
    a.beforeCheckpoint = (checkpoint) => {
      if (checkpoint.completionTokens === 16) a.rotateSessionKey();
      return [checkpoint];
    };
    const { registered } = a;
    await using gateway = await testGateway([a], { listNodes: async () => [registered] });
    const { chunks } = await readStream(await gateway.post({ ...base, stream: true }));
    expect(chunks.at(-1)!.error).toMatchObject({ code: 'checkpoint_invalid', param: 'checkpoint' });
    expect(parsePartialBundle(chunks.at(-1)!.error!.partial).completionIds).toHaveLength(1);
  });

  test('a node that changed its session key a moment ago', async () => {
    const a = await worker(say(text));
    await using gateway = await testGateway([a]);
    a.rotateSessionKey();
    expect((await readStream(await gateway.post({ ...base, stream: true }))).done).toBe(true);
  });
});

describe('a malformed stream proves nothing', () => {
  const faults: [string, RegExp, (checkpoint: Checkpoint) => readonly Checkpoint[]][] = [
    ['no checkpoint before the next token', /did not sign its checkpoint after token 16/, () => []],
    ['the same checkpoint twice', /a checkpoint over 16 tokens after token 16/, (checkpoint) => [checkpoint, checkpoint]],
  ];
  test.each(faults)('%s', async (_, message, change) => {
    const a = await worker(say(text));
    a.beforeCheckpoint = (checkpoint) => (checkpoint.completionTokens === 16 ? change(checkpoint) : [checkpoint]);
    await using gateway = await testGateway([a]);
    const { chunks } = await readStream(await gateway.post({ ...base, stream: true }));
    expect(chunks.at(-1)!.error).toMatchObject({ code: 'node_failed', message: expect.stringMatching(message) });
    expect(await evidence(gateway.dataDir)).toEqual([]);
  });

  test('no checkpoint before the receipt', async () => {
    const a = await worker(say('x'.repeat(15)));
    a.beforeCheckpoint = (checkpoint) => (checkpoint.completionTokens === 16 ? [] : [checkpoint]);
    await using gateway = await testGateway([a]);
    const { chunks } = await readStream(await gateway.post({ ...base, stream: true }));
    expect(chunks.at(-1)!.error).toMatchObject({ code: 'node_failed', message: expect.stringMatching(/checkpoint after token 16/) });
  });
});

test('a receipt over other tokens than a checkpoint over the same number: equivocation, with both signatures kept', async () => {
  const ids = [...encode(text.slice(0, 15)), STOP_ID];
  const a = await worker(({ send, receiptFor, response }) => {
    for (const [index, id] of ids.entries()) send({ type: 'token', index, id });
    send(receiptFor(ids.with(3, 65), 'stop_id'));
    response.end();
  });
  await using gateway = await testGateway([a]);
  const { chunks } = await readStream(await gateway.post({ ...base, stream: true }));
  expect(chunks.at(-1)!.error).toMatchObject({ code: 'checkpoint_invalid', param: 'equivocation', unproven_tokens: 0 });
  const [kept] = await evidence(gateway.dataDir);
  expect(kept).toMatchObject({
    check: 'equivocation',
    bundle: { completionIds: ids, receipt: { completionTokens: 16 } },
    checkpoint: { checkpoint: { completionTokens: 16 } },
  });
});
