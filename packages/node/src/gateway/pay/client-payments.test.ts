import { type Hex32, type PaymentOffer, encodePaymentResponse, parsePaymentRequired, parsePaymentSignature } from '@commonweight/protocol';
import { describe, expect, test } from 'vitest';
import { base } from '../testing/chat.ts';
import type { FakeWorker } from '../testing/fake-worker.ts';
import { readStream } from '../testing/read-stream.ts';
import type { TestGateway } from '../testing/test-gateway.ts';
import {
  clientSettings,
  dollar,
  exactPayment,
  honestOffer,
  honestSettlement,
  seller,
  sellingGateway,
  splitterOf,
} from './testing/seller.ts';
import { address } from './testing/wallet.ts';

const ask = { ...base, max_tokens: 20 };
const nonce = (n: number): Hex32 => `0x${String(n).padStart(64, '0')}` as Hex32;
const post = (gateway: TestGateway, body: unknown, payment?: string): Promise<Response> =>
  gateway.post(body, { headers: { 'content-type': 'application/json', ...(payment !== undefined && { 'payment-signature': payment }) } });
const offersOf = (response: Response): readonly PaymentOffer[] => parsePaymentRequired(response.headers.get('payment-required')!).accepts;

describe('without a payment', () => {
  test("the node's 402 reaches the client as it came", async () => {
    const node = await seller('a');
    await using gateway = await sellingGateway([node], clientSettings);
    for (const stream of [false, true]) {
      const response = await post(gateway, { ...ask, stream });
      expect([response.status, await response.json()]).toMatchObject([
        402,
        { error: { type: 'payment_required', code: 'payment_required' } },
      ]);
      expect(offersOf(response)).toEqual([honestOffer(node.node, 'batch-settlement', 45n), honestOffer(node.node, 'exact', 45n)]);
      expect(response.headers.get('x-commonweight-node')).toBe(node.node);
    }
    expect(node.runs).toHaveLength(0);
  });

  test('a demand that the registry does not cover is not passed on', async () => {
    const honest = await seller('honest');
    const liar: FakeWorker = await seller('liar', {
      offers: () => [honestOffer(liar.node, 'exact', 45n), { ...honestOffer(liar.node, 'upto', 45n), payTo: address('thief') }],
    });
    await using gateway = await sellingGateway([liar, honest], clientSettings);
    const response = await post(gateway, { ...ask, provider: { order: [liar.node] } });
    expect([response.status, offersOf(response)[0]!.payTo]).toEqual([402, splitterOf(honest.node)]);
    expect(gateway.logged).toContainEqual(['payment_refused', { node: liar.node, reason: 'receiver' }]);
  });
});

describe('an offer that the gateway cannot check is not passed on', () => {
  test.each<[string, Record<string, unknown>]>([
    ['its chain, written otherwise', { network: 'eip155:031337' }],
    ['every chain', { network: 'eip155:*' }],
    ['no EVM chain', { network: 'solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp' }],
    ['a scheme that nobody knows', { scheme: 'deferred' }],
  ])('%s', async (_, strange) => {
    const honest = await seller('honest');
    const liar: FakeWorker = await seller('liar', {
      offers: () => [
        { ...honestOffer(liar.node, 'exact', 45n), payTo: address('thief'), ...strange },
        honestOffer(liar.node, 'exact', 45n),
      ],
    });
    await using gateway = await sellingGateway([liar, honest], clientSettings);
    const response = await post(gateway, { ...ask, provider: { order: [liar.node] } });
    expect([response.status, offersOf(response)[0]!.payTo]).toEqual([402, splitterOf(honest.node)]);
    expect(Buffer.from(response.headers.get('payment-required')!, 'base64').toString()).not.toContain(address('thief'));
    expect(gateway.logged).toContainEqual(['payment_refused', { node: liar.node, reason: 'unknown_offer' }]);
  });
});

describe('with a payment', () => {
  test('it reaches the node that it names, unchanged; the settlement comes back in the header, or in the last chunk of a stream', async () => {
    const [node, other] = [await seller('a'), await seller('b')];
    await using gateway = await sellingGateway([other, node], clientSettings);
    const payments = [1, 2].map((n) => exactPayment(honestOffer(node.node, 'exact', 45n), nonce(n)));
    node.beforeSign = (receipt) => ({ ...receipt, cumulativeAmount: 17n });

    const whole = await post(gateway, ask, payments[0]);
    expect([whole.status, whole.headers.get('x-commonweight-node')]).toEqual([200, node.node]);
    const settled = (n: number): string => encodePaymentResponse(honestSettlement(node.receipts[n]!, parsePaymentSignature(payments[n]!)));
    expect(whole.headers.get('payment-response')).toBe(settled(0));

    const response = await post(gateway, { ...ask, stream: true }, payments[1]);
    const { text, done, chunks } = await readStream(response);
    expect([text, done, response.headers.get('payment-response')]).toEqual(['Hello', true, null]);
    expect(chunks.filter((chunk) => 'payment_response' in chunk)).toEqual([chunks.at(-1)]);
    expect(chunks.at(-1)).toMatchObject({ choices: [], payment_response: settled(1) });

    expect([node.payments, other.payments]).toEqual([payments, []]);
    const requests = node.runs.map(({ request: { channel, asset, cumulativeLimit } }) => ({ channel, asset, cumulativeLimit }));
    expect(requests).toEqual(
      payments.map((one) => ({ channel: parsePaymentSignature(one).channel, asset: dollar, cumulativeLimit: '45' })),
    );
  });

  test('that nobody can read, or that is to nobody, is refused', async () => {
    const node = await seller('a');
    await using gateway = await sellingGateway([node], clientSettings);
    const malformed = await post(gateway, ask, 'e30=');
    expect([malformed.status, await malformed.json()]).toMatchObject([400, { error: { code: 'payment_malformed' } }]);
    const strange = exactPayment({ ...honestOffer(node.node, 'exact', 45n), payTo: address('nobody') }, nonce(1));
    const refused = await post(gateway, ask, strange);
    expect([refused.status, await refused.json()]).toMatchObject([402, { error: { code: 'payment_receiver' } }]);
    expect(node.payments).toEqual([]);
  });

  test('that the node does not take, its new demand reaches the client', async () => {
    const node = await seller('a', { refuses: () => 'invalid_exact_evm_payload_signature' });
    await using gateway = await sellingGateway([node], clientSettings);
    const response = await post(gateway, ask, exactPayment(honestOffer(node.node, 'exact', 45n), nonce(1)));
    expect(response.status).toBe(402);
    expect(parsePaymentRequired(response.headers.get('payment-required')!).error).toBe('invalid_exact_evm_payload_signature');
  });

  test('of which the node says that it took more than its receipt, the answer is refused', async () => {
    const liar = await seller('liar', { settle: (receipt, payment) => ({ ...honestSettlement(receipt, payment), amount: '46' }) });
    await using gateway = await sellingGateway([liar], clientSettings);
    const response = await post(gateway, ask, exactPayment(honestOffer(liar.node, 'exact', 45n), nonce(1)));
    expect([response.status, await response.json()]).toMatchObject([502, { error: { code: 'receipt_invalid', param: 'settlement' } }]);
  });
});

test('pages of this machine may send and read payments', async () => {
  await using gateway = await sellingGateway([await seller('a')], clientSettings);
  const headers = {
    origin: 'http://localhost:3000',
    'access-control-request-headers': 'content-type,payment-signature,access-control-expose-headers',
  };
  const response = await fetch(`${gateway.url}/v1/chat/completions`, { method: 'OPTIONS', headers });
  expect(response.headers.get('access-control-allow-headers')).toBe('content-type, payment-signature, access-control-expose-headers');
  expect(response.headers.get('access-control-expose-headers')).toMatch(/payment-required, payment-response/);
});
