import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type ChannelPayment, type PaymentOffer, parseBundle, parsePaymentSignature } from '@commonweight/protocol';
import OpenAI from 'openai';
import { describe, expect, test } from 'vitest';
import { base, say } from '../testing/chat.ts';
import { encode } from '../testing/byte-model.ts';
import type { Behaviour, FakeWorker } from '../testing/fake-worker.ts';
import { readStream } from '../testing/read-stream.ts';
import { dollar, honestOffer, honestSettlement, seller, sellingGateway, walletSettings } from './testing/seller.ts';
import { address } from './testing/wallet.ts';

const ask = { ...base, max_tokens: 20 };
/** 5 prompt tokens and 20 of the answer. */
const MAXIMUM = 45n;
const vouchers = (node: FakeWorker): bigint[] =>
  node.payments.map((header) => (parsePaymentSignature(header) as ChannelPayment).maxClaimableAmount);

test('the first run asks for the terms, the second pays at once; each voucher covers what was charged and its own maximum', async () => {
  const node = await seller('a');
  await using gateway = await sellingGateway([node], walletSettings);
  for (let i = 0; i < 3; i++) {
    const answer = (await (await gateway.post(ask)).json()) as { receipt: unknown };
    const { request, receipt } = parseBundle(answer.receipt);
    const payment = parsePaymentSignature(node.payments.at(-1)!);
    expect(request).toMatchObject({ channel: payment.channel, asset: dollar, cumulativeLimit: '400' });
    expect(receipt.cumulativeAmount).toBe(BigInt(i + 1) * 17n);
  }
  expect([node.runs.length, vouchers(node)]).toEqual([3, [MAXIMUM, 17n + MAXIMUM, 34n + MAXIMUM]]);
  const paid = gateway.logged.filter(([event]) => event === 'paid').map(([, fields]) => [fields['amount'], fields['sum']]);
  expect(paid).toEqual([
    ['17', '17'],
    ['17', '34'],
    ['17', '51'],
  ]);
});

test('twelve streams beside each other on one channel', async () => {
  const node = await seller('a');
  await using gateway = await sellingGateway([node], walletSettings);
  await gateway.post(ask);
  const answers = await Promise.all(Array.from({ length: 8 }, async () => readStream(await gateway.post({ ...ask, stream: true }))));
  expect(answers.map(({ text, done }) => [text, done])).toEqual(answers.map(() => ['Hello', true]));
  expect(node.receipts.at(-1)!.cumulativeAmount).toBe(9n * 17n);
  expect(new Set(node.payments.map((header) => parsePaymentSignature(header).channel)).size).toBe(1);
});

describe('a node that asks for more than it may is not paid, and another one answers', () => {
  test.each<[string, string, (honest: PaymentOffer) => Partial<PaymentOffer>]>([
    ['more than the registry allows', 'price', ({ amount }) => ({ amount: String(BigInt(amount) + 1n) })],
    ['to another receiver', 'receiver', () => ({ payTo: address('thief') })],
    ['in another asset', 'asset', () => ({ asset: address('another token') })],
    ['on another chain', 'network', () => ({ network: 'eip155:1' })],
    ['valid for longer than an hour', 'timeout', () => ({ maxTimeoutSeconds: 3601 })],
    ['with money that is held for longer', 'delay', ({ extra }) => ({ extra: { ...extra, withdrawDelay: 2_592_001 } })],
    ['with another authorizer', 'authorizer', ({ extra }) => ({ extra: { ...extra, receiverAuthorizer: address('thief') } })],
  ])('%s', async (_, reason, change) => {
    const honest = await seller('honest');
    const liar: FakeWorker = await seller('liar', {
      offers: () => {
        const offer = honestOffer(liar.node, 'batch-settlement', MAXIMUM);
        return [{ ...offer, ...change(offer) }];
      },
    });
    await using gateway = await sellingGateway([liar, honest], walletSettings);
    const response = await gateway.post({ ...ask, provider: { order: [liar.node, honest.node] } });
    expect([response.status, response.headers.get('x-commonweight-node')]).toEqual([200, honest.node]);
    expect([liar.runs.length, liar.payments.length]).toEqual([0, 0]);
    expect(gateway.logged).toContainEqual(['payment_refused', { node: liar.node, reason }]);
    const only = await gateway.post({ ...ask, provider: { only: [liar.node] } });
    expect([only.status, await only.json()]).toMatchObject([503, { error: { code: 'no_node_answered' } }]);
  });
});

describe('a node that says that it took more than its receipt', () => {
  test('is refused, kept as evidence, and paid nothing more', async () => {
    const liar = await seller('liar', {
      settle: (receipt, payment) => {
        const honest = honestSettlement(receipt, payment);
        return { ...honest, extra: { ...honest.extra, chargedAmount: '18' } };
      },
    });
    await using gateway = await sellingGateway([liar], walletSettings);
    const stream = await readStream(await gateway.post({ ...ask, stream: true }));
    expect([stream.done, stream.chunks.at(-1)!.error]).toMatchObject([false, { code: 'receipt_invalid', param: 'settlement' }]);
    expect(gateway.logged).toContainEqual(['payment_refused', { node: liar.node, reason: 'overcharged' }]);
    expect(await readdir(join(gateway.dataDir, 'refused'))).toHaveLength(1);
    const again = await gateway.post({ ...ask, provider: { only: [liar.node] } });
    expect([again.status, await again.json()]).toMatchObject([503, { error: { message: expect.stringMatching(/nothing more is paid/) } }]);
    expect(liar.runs).toHaveLength(1);
  });
});

describe('a corrective 402', () => {
  const STALE = 'invalid_batch_settlement_evm_cumulative_amount_mismatch';
  /** Says on the runs `stale` that the sum to sign upon is `sum`. */
  const correcting = async (sum: string, stale: (n: number) => boolean): Promise<FakeWorker> => {
    let payments = 0;
    const node: FakeWorker = await seller('a', {
      refuses: () => (stale(++payments) ? STALE : undefined),
      offers: () => {
        const offer = honestOffer(node.node, 'batch-settlement', MAXIMUM);
        return [{ ...offer, extra: { ...offer.extra, channelState: { chargedCumulativeAmount: sum } } }];
      },
    });
    return node;
  };

  test('is followed once, up to what was signed before', async () => {
    const node = await correcting('30', (n) => n === 1);
    await using gateway = await sellingGateway([node], walletSettings);
    expect((await gateway.post(ask)).status).toBe(200);
    expect(vouchers(node)).toEqual([MAXIMUM, 30n + MAXIMUM]);
  });

  test('is not followed twice, nor above what was signed', async () => {
    for (const [sum, payments] of [
      ['30', [MAXIMUM, 30n + MAXIMUM]],
      ['46', [MAXIMUM]],
    ] as const) {
      const node = await correcting(sum, () => true);
      await using gateway = await sellingGateway([node], walletSettings);
      expect((await gateway.post(ask)).status).toBe(503);
      expect([vouchers(node), node.runs.length]).toEqual([payments, 0]);
    }
  });

  test('a node that asks less than the registry allows gets what it asks', async () => {
    const node: FakeWorker = await seller('cheap', {
      offers: () => [honestOffer(node.node, 'batch-settlement', 40n)],
      refuses: ({ amount }) => (amount === 40n ? undefined : 'amount: expected 40'),
    });
    await using gateway = await sellingGateway([node], walletSettings);
    for (let i = 0; i < 2; i++) expect((await gateway.post(ask)).status).toBe(200);
    expect(vouchers(node)).toEqual([40n, 17n + MAXIMUM, 17n + 40n]);
  });
});

describe('money that ends', () => {
  test("is told in OpenAI's words", async () => {
    const node = await seller('a');
    await using gateway = await sellingGateway([node], walletSettings);
    const { chat } = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'none', maxRetries: 0 });
    await expect(chat.completions.create({ ...base, max_tokens: 120 })).resolves.toBeDefined();
    const dear = { ...base, messages: [{ role: 'user' as const, content: 'x'.repeat(60) }], max_tokens: 64 };
    const small = await sellingGateway([await seller('b')], {
      asset: dollar,
      payments: { mode: 'wallet', maxPerRequest: '100', maxPerDay: '100', maxDeposit: '600', depositStep: '400' },
    });
    await using _ = small;
    const poor = new OpenAI({ baseURL: `${small.url}/v1`, apiKey: 'none', maxRetries: 0 });
    // the first request to a node only asks for its terms: the caps come before anything is signed
    await expect(poor.chat.completions.create(dear)).rejects.toMatchObject({ status: 402, code: 'request_too_dear', param: 'max_tokens' });
    for (let i = 0; i < 4; i++) await poor.chat.completions.create(ask);
    await expect(poor.chat.completions.create(ask)).rejects.toMatchObject({
      status: 429,
      code: 'insufficient_quota',
      constructor: OpenAI.RateLimitError,
    });
  });
});

test('a run that the node gives up is not counted; one that breaks off stays reserved until a receipt tells', async () => {
  const gives: Behaviour[] = [
    say('Hello'),
    ({ send, response }) => {
      send({ type: 'error', code: 'queue_full', message: 'full', retryable: true });
      response.end();
    },
    ({ send, response }) => {
      send({ type: 'token', index: 0, id: encode('H')[0]! });
      response.end();
    },
    say('Hello'),
    say('Hello'),
  ];
  const node = await seller('a', {}, (run) => gives.shift()!(run));
  await using gateway = await sellingGateway([node], walletSettings);
  const statuses: number[] = [];
  for (let i = 0; i < 5; i++) statuses.push((await gateway.post({ ...ask, provider: { only: [node.node] } })).status);
  expect(statuses).toEqual([200, 429, 503, 200, 200]);
  expect(vouchers(node)).toEqual([MAXIMUM, 17n + MAXIMUM, 17n + MAXIMUM, 17n + MAXIMUM + MAXIMUM, 34n + MAXIMUM]);
});
