import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Receipt, ZERO_HEX32, parseBundle, receiptDigest, postedRootOf } from '@commonweight/protocol';
import { describe, expect, test } from 'vitest';
import type { GatewayLog } from './log.ts';
import { STOP_ID, domain } from './testing/answer-fixture.ts';
import { modelId } from './testing/byte-model.ts';
import { base, bundleFile, say, worker } from './testing/chat.ts';
import { readStream } from './testing/read-stream.ts';
import { silentLog, startIn, testGateway } from './testing/test-gateway.ts';

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

describe('prices', () => {
  test('a request carries the registered price; a node that asks more, itself or in the registry, is not asked and is logged', async () => {
    const dear = await worker(say('x'), 'dear');
    const greedy = await worker(say('x'), 'greedy');
    const fair = await worker(say('fine'), 'fair');
    dear.price = { ...dear.price, promptPrice: 1_000_001n };
    greedy.asked = { ...greedy.asked, completion: '21' };
    const logged: unknown[] = [];
    const warn: GatewayLog['warn'] = (event, fields) => void (event === 'price_refused' && logged.push([fields!['node'], fields!['code']]));
    await using gateway = await testGateway([dear, greedy, fair], {}, { ...silentLog, warn });
    for (let i = 0; i < 3; i++) expect((await gateway.post(base)).headers.get('x-commonweight-node')).toBe(fair.node);
    expect([dear.runs.length, greedy.runs.length]).toEqual([0, 0]);
    expect(fair.runs[0]!.request).toMatchObject({ promptPrice: '10', completionPrice: '20' });
    expect(logged).toEqual([
      [dear.node, 'above_maximum'],
      [greedy.node, 'above_registry'],
    ]);
    const only = await gateway.post({ ...base, provider: { only: [greedy.node] } });
    expect([only.status, await only.json()]).toMatchObject([503, { error: { code: 'price_refused' } }]);
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
    expect(await readdir(join(gateway.dataDir, 'bundles'))).toEqual([bundleFile(a.receipts[1]!)]);
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
    await using gateway = await testGateway([a], { batch: async () => ({ root: postedRootOf(ZERO_HEX32), count: 1, postedAt: 1 }) });
    await gateway.post(base);
    const response = await fetch(`${gateway.url}/v1/receipts/${receiptDigest(a.receipts[0]!, domain)}`);
    expect(response.status).toBe(502);
    expect(await response.json()).toMatchObject({ error: { code: 'proof_invalid' } });
  });
});
