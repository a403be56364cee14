import {
  type ChannelPayment,
  type Hex32,
  type PaymentOffer,
  type PaymentResponse,
  addressOfKey,
  bundleToJson,
  encodePaymentRequired,
  encodePaymentResponse,
  parsePaymentSignature,
  signDigest,
  voucherDigest,
} from '@commonweight/protocol';
import { domain } from '@commonweight/verifier/testing';
import { describe, expect, test } from 'vitest';
import { CommonweightClient } from './client.ts';
import type { NetworkFacts, NodeTerms } from './facts.ts';
import type { WalletOptions } from './pay/payer.ts';
import { answerOf, answering, body, events, factsAbout, json, modelId, stream, text } from './testing/gateway.ts';
import type { ChatParams } from './types.ts';

/** 6 prompt tokens at 1 and 12 of the answer at 3; 1,000 were charged on its account before. */
const bundle = answerOf();
const COST = '42';
const { node } = bundle.receipt;
const dollar = `0x${'d0'.repeat(20)}` as const;
const payTo = `0x${'5b'.repeat(20)}` as const;
const privateKey = `0x${'77'.repeat(32)}` as Hex32;
const params: ChatParams & { stream?: false } = { model: modelId, messages: [{ role: 'user', content: 'hi' }] };

const offer = (scheme: PaymentOffer['scheme'], fields: Partial<PaymentOffer> = {}): PaymentOffer => ({
  scheme,
  network: `eip155:${domain.chainId}`,
  amount: COST,
  asset: dollar,
  payTo,
  maxTimeoutSeconds: 300,
  extra: {
    name: 'Test Dollar',
    version: '1',
    ...(scheme === 'batch-settlement' && { receiverAuthorizer: node, withdrawDelay: 900 }),
    ...(scheme === 'upto' && { facilitatorAddress: node }),
  },
  ...fields,
});
const demand = (accepts: readonly PaymentOffer[], error = 'pay first'): Response => {
  const required = encodePaymentRequired({ x402Version: 2, error, resource: { url: 'http://node.test/v1/run' }, accepts });
  return json({ error: { message: error } }, { status: 402, headers: { 'payment-required': required, 'x-commonweight-node': node } });
};
const settled = (fields: Partial<PaymentResponse>): string =>
  encodePaymentResponse({ success: true, transaction: '', network: `eip155:${domain.chainId}`, ...fields });
const answered = (fields: Partial<PaymentResponse>): Response => json(body(bundle), { headers: { 'payment-response': settled(fields) } });

const terms: NodeTerms = { asset: dollar, promptPrice: 1_000_000n, completionPrice: 3_000_000n, payTo };
const wallet: WalletOptions = { privateKey, asset: dollar, maxPerRequest: 100n, maxTotal: 150n };
const channel = async () => ({ balance: 5000n, claimed: 1000n });
function calling(responses: readonly Response[], options: { wallet?: Partial<WalletOptions>; facts?: Partial<NetworkFacts> } = {}) {
  const platform = answering(...responses);
  const facts = factsAbout(bundle, { terms: async () => terms, channel, ...options.facts });
  const client = new CommonweightClient({ baseURL: 'http://gateway.test/v1', facts, wallet: { ...wallet, ...options.wallet }, platform });
  const sent = () => platform.asked.map((request) => request.headers.get('payment-signature'));
  return { create: client.chat.completions.create, sent };
}
const payments = (sent: readonly (string | null)[]) => sent.map((header) => header && parsePaymentSignature(header));

describe('pays what the chain says, and nothing else', () => {
  test('exact: unpaid, then paid', async () => {
    const { create, sent } = calling([demand([offer('exact')]), answered({ amount: COST })]);
    const answer = await create(params);
    expect(answer.commonweight.paid).toBe(42n);
    expect(payments(sent())).toMatchObject([null, { scheme: 'exact', from: addressOfKey(privateKey), payTo, amount: 42n, asset: dollar }]);
  });

  test('a channel before single payments, on a stream too; the next voucher covers what was charged', async () => {
    const charge = { extra: { chargedAmount: COST, channelState: { chargedCumulativeAmount: '1042' } } };
    const [data, last, done] = [events(bundle, [text])[0]!, { ...body(bundle), choices: [], receipt: bundleToJson(bundle) }, '[DONE]'];
    const paid = stream([data, JSON.stringify({ ...last, payment_response: settled(charge) }), done]);
    const offers = [offer('exact'), offer('batch-settlement')];
    const { create, sent } = calling([demand(offers), paid, demand(offers), json({}, { status: 500 })]);
    const answer = await create({ ...params, stream: true });
    for await (const chunk of answer) expect(chunk.choices.length).toBeLessThan(2);
    expect(answer.commonweight).toMatchObject({ paid: 42n, report: { verdict: 'unchecked' } });
    await expect(create(params)).rejects.toMatchObject({ status: 500 });
    expect(payments(sent())).toMatchObject([
      null,
      { scheme: 'batch-settlement', maxClaimableAmount: 1042n },
      null,
      { maxClaimableAmount: 1084n },
    ]);
    expect(payments(sent())[1]).not.toHaveProperty('deposit');
  });

  test('an empty channel gets a deposit', async () => {
    const charge = { extra: { chargedAmount: COST } };
    const facts = { channel: async () => ({ balance: 1000n, claimed: 1000n }) };
    const { create, sent } = calling([demand([offer('batch-settlement')]), answered(charge)], { facts });
    await create(params);
    expect((payments(sent())[1] as ChannelPayment).deposit).toMatchObject({ amount: 126n });
  });

  test.each<[string, PaymentOffer[], Partial<NodeTerms> | undefined, string]>([
    ['more than the cap of a request', [offer('exact', { amount: '101' })], {}, 'payment_cap_request'],
    ['to another receiver', [offer('exact', { payTo: dollar })], {}, 'payment_receiver'],
    ['in another asset than registered', [offer('exact', { asset: payTo })], {}, 'payment_asset'],
    ['in an asset that the caller does not pay in', [offer('exact')], { asset: payTo }, 'payment_asset'],
    ['on another chain', [offer('exact', { network: 'eip155:1' })], {}, 'payment_network'],
    ['with a channel that another one can empty', [offer('batch-settlement', { extra: {} })], {}, 'payment_receiver'],
    ['for a long time', [offer('batch-settlement', { extra: { receiverAuthorizer: node, withdrawDelay: 1e9 } })], {}, 'payment_price'],
    ['by a scheme that the caller does not use', [offer('upto')], {}, 'payment_not_possible'],
    ['for what is free', [offer('exact')], undefined, 'payment_price'],
  ])('refuses: %s', async (_, offers, change, code) => {
    const facts = { terms: async () => (change ? { ...terms, ...change } : undefined) };
    const { create, sent } = calling([demand(offers)], { facts });
    await expect(create(params)).rejects.toMatchObject({ name: 'PaymentRefused', code });
    expect(sent()).toEqual([null]);
  });

  test('refuses without a wallet, without facts, and for a name that nobody has mapped', async () => {
    const platform = answering(demand([offer('exact')]));
    const poor = new CommonweightClient({ baseURL: 'http://gateway.test/v1', platform });
    await expect(poor.chat.completions.create(params)).rejects.toMatchObject({ code: 'payment_not_possible' });
    expect(() => new CommonweightClient({ baseURL: 'x', wallet })).toThrow(expect.objectContaining({ code: 'payment_not_possible' }));
    await expect(calling([demand([offer('exact')])]).create({ ...params, model: 'tiny' })).rejects.toMatchObject({
      code: 'payment_not_possible',
      message: expect.stringMatching(/models/),
    });
  });

  test('the total holds, also for what may have been lost', async () => {
    const { create } = calling([
      demand([offer('exact', { amount: '90' })]),
      json({}, { status: 502 }),
      demand([offer('exact', { amount: '61' })]),
    ]);
    await expect(create(params)).rejects.toMatchObject({ status: 502 });
    await expect(create(params)).rejects.toMatchObject({ code: 'payment_cap_total' });
  });
});

describe('an answer that cost too much is refused', () => {
  test.each<[string, PaymentOffer, Partial<PaymentResponse>]>([
    ['the node took more than its receipt', offer('batch-settlement'), { extra: { chargedAmount: '43' } }],
    ['the node took more than its offer', offer('exact'), { amount: '43' }],
    ['the offer was above the registered prices', offer('exact', { amount: '43' }), { amount: '43' }],
  ])('%s', async (_, asked, settlement) => {
    const { create } = calling([demand([asked]), answered(settlement), demand([asked])]);
    await expect(create(params)).rejects.toMatchObject({ name: 'AnswerRefused', code: 'payment_overcharged' });
  });

  test('and its channel is not used again', async () => {
    const { create, sent } = calling([
      demand([offer('batch-settlement')]),
      answered({ extra: { chargedAmount: '43' } }),
      demand([offer('batch-settlement')]),
    ]);
    await expect(create(params)).rejects.toMatchObject({ code: 'payment_overcharged' });
    await expect(create(params)).rejects.toMatchObject({ name: 'PaymentRefused' });
    expect(sent()).toHaveLength(3);
  });
});

describe('a corrective 402', () => {
  const STALE = 'invalid_batch_settlement_evm_cumulative_amount_mismatch';
  const corrected = (sum: string, signed: string, signature: string): Response => {
    const extra = { channelState: { chargedCumulativeAmount: sum }, voucherState: { signedMaxClaimable: signed, signature } };
    const known = offer('batch-settlement');
    return demand([{ ...known, extra: { ...known.extra, ...extra } }], STALE);
  };

  test("is followed when it shows the caller's own voucher, once", async () => {
    const facts = { channel: async () => ({ balance: 5000n, claimed: 900n }) };
    const first = calling([demand([offer('batch-settlement')]), json({}, { status: 500 })], { facts });
    await expect(first.create(params)).rejects.toMatchObject({ status: 500 });
    const { channel: id } = payments(first.sent())[1] as ChannelPayment;
    const voucher = signDigest(voucherDigest({ channelId: id, maxClaimableAmount: 1000n }, domain.chainId), privateKey);

    const responses = [
      demand([offer('batch-settlement')]),
      corrected('1000', '1000', voucher),
      answered({ extra: { chargedAmount: COST } }),
    ];
    const { create, sent } = calling(responses, { facts });
    await create(params);
    expect(payments(sent())).toMatchObject([null, { maxClaimableAmount: 942n }, { maxClaimableAmount: 1042n }]);

    const other = signDigest(voucherDigest({ channelId: id, maxClaimableAmount: 1000n }, domain.chainId), `0x${'78'.repeat(32)}` as Hex32);
    for (const lie of [corrected('1001', '1000', voucher), corrected('1000', '1000', other)]) {
      await expect(calling([demand([offer('batch-settlement')]), lie], { facts }).create(params)).rejects.toMatchObject({
        code: 'payment_not_taken',
      });
    }
  });
});
