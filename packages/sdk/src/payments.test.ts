import {
  type Address,
  type Bundle,
  type ChannelPayment,
  type Hex32,
  type PaymentOffer,
  type PaymentResponse,
  addressOfKey,
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
import { type Answer, answerOf, answering, body, events, factsAbout, json, modelId, stream, text } from './testing/gateway.ts';
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
let answers = 0n;
/** A new answer to what was paid with the request. */
const boughtBy = (request: Request, cumulativeAmount = 1042n): Bundle => {
  const { channel: paidBy, asset } = parsePaymentSignature(request.headers.get('payment-signature')!);
  return answerOf((receipt) => ({ ...receipt, cumulativeAmount }), {
    channel: paidBy,
    asset,
    cumulativeLimit: String(10n ** 6n + answers++),
  });
};
const answered =
  (fields: Partial<PaymentResponse>, cumulativeAmount?: bigint): Answer =>
  (request) =>
    json(body(boughtBy(request, cumulativeAmount)), { headers: { 'payment-response': settled(fields) } });

const terms: NodeTerms = { asset: dollar, promptPrice: 1_000_000n, completionPrice: 3_000_000n, payTo };
const wallet: WalletOptions = { privateKey, asset: dollar, maxPerRequest: 100n, maxTotal: 150n };
const channel = async () => ({ balance: 5000n, claimed: 1000n });
function calling(responses: readonly Answer[], options: { wallet?: Partial<WalletOptions>; facts?: Partial<NetworkFacts> } = {}) {
  const platform = answering(...responses);
  const facts = factsAbout(bundle, { terms: async () => terms, channel, ...options.facts });
  const client = new CommonweightClient({ baseURL: 'http://gateway.test/v1', facts, wallet: { ...wallet, ...options.wallet }, platform });
  const sent = () => platform.asked.map((request) => request.headers.get('payment-signature'));
  return { create: client.chat.completions.create, sent };
}
const STALE = 'invalid_batch_settlement_evm_cumulative_amount_mismatch';
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
    const paid = (request: Request): Response => {
      const bought = boughtBy(request);
      const last = { ...body(bought), choices: [], payment_response: settled(charge) };
      return stream([events(bought, [text])[0]!, JSON.stringify(last), '[DONE]']);
    };
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
    ['for a long time', [offer('batch-settlement', { extra: { receiverAuthorizer: node, withdrawDelay: 1e9 } })], {}, 'payment_terms'],
    ['by a payment that holds for a day', [offer('exact', { maxTimeoutSeconds: 86_400 })], {}, 'payment_terms'],
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

  test('and its node is not paid again, in no way', async () => {
    const { create, sent } = calling([
      demand([offer('batch-settlement')]),
      answered({ extra: { chargedAmount: '43' } }),
      demand([offer('exact'), offer('batch-settlement', { extra: { receiverAuthorizer: node, withdrawDelay: 901 } })]),
    ]);
    await expect(create(params)).rejects.toMatchObject({ code: 'payment_overcharged' });
    await expect(create(params)).rejects.toMatchObject({ name: 'PaymentRefused' });
    expect(sent()).toHaveLength(3);
  });
});

describe('a corrective 402', () => {
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
    // what an earlier client signed is not this one's to count
    const { create, sent } = calling(responses, { facts, wallet: { maxTotal: 50n } });
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

describe('the total counts what was signed', () => {
  const signed = (sent: readonly (string | null)[]): bigint[] =>
    payments(sent).flatMap((payment) =>
      payment ? [payment.scheme === 'batch-settlement' ? payment.maxClaimableAmount : payment.amount] : [],
    );
  const caps = expect.objectContaining({ code: 'payment_cap_total' });

  test.each(['exact', 'upto'] as const)('a single payment that is said not to have been taken: %s', async (scheme) => {
    const asked = () => demand([offer(scheme, { amount: '90' })]);
    const { create, sent } = calling([asked(), asked(), asked(), asked()], { wallet: { schemes: [scheme] } });
    await expect(create(params)).rejects.toMatchObject({ code: 'payment_not_taken' });
    await expect(create(params)).rejects.toEqual(caps);
    expect(signed(sent())).toEqual([90n]);
  });

  test('what a corrective 402 adds to a channel', async () => {
    const known = offer('batch-settlement');
    const stale = (sum: number) =>
      demand([{ ...known, extra: { ...known.extra, channelState: { chargedCumulativeAmount: String(sum) } } }], STALE);
    const responses = Array.from({ length: 4 }, (_, i) => 1000 + 84 * i).flatMap((at) => [
      demand([known]),
      stale(at + 42),
      answered({ extra: { chargedAmount: COST } }, BigInt(at + 84)),
    ]);
    const { create, sent } = calling(responses);
    await create(params);
    await expect(create(params)).rejects.toEqual(caps);
    // 1,000 were claimed before
    expect(signed(sent())).toEqual([1042n, 1084n, 1126n]);
  });

  test('a voucher that was refused at every node', async () => {
    const asked = () => demand([offer('batch-settlement', { amount: '60' })]);
    const elsewhere = `0x${'5c'.repeat(20)}` as const;
    const other = () => demand([offer('batch-settlement', { amount: '60', payTo: elsewhere })]);
    let to: Address = payTo;
    const { create, sent } = calling([asked(), asked(), asked(), asked(), other(), other(), other(), other()], {
      facts: { terms: async () => ({ ...terms, payTo: to }) },
      wallet: { maxTotal: 100n },
    });
    // the same voucher again costs nothing more
    for (let i = 0; i < 2; i++) await expect(create(params)).rejects.toMatchObject({ code: 'payment_not_taken' });
    to = elsewhere;
    await expect(create(params)).rejects.toEqual(caps);
    expect(signed(sent())).toEqual([1060n, 1060n]);
  });
});

describe('an answer is sold once', () => {
  const charge = { extra: { chargedAmount: COST } };
  const sell = (bought: Bundle): Response => json(body(bought), { headers: { 'payment-response': settled(charge) } });

  test("one that was paid by another channel, or in another asset, is not this payment's", async () => {
    for (const change of [{ channel: `0x${'c1'.repeat(32)}` as Hex32 }, { asset: payTo }]) {
      const foreign = (request: Request) => {
        const { channel: own, asset } = boughtBy(request).request;
        return sell(answerOf(undefined, { channel: own, asset, ...change }));
      };
      const { create } = calling([demand([offer('batch-settlement')]), foreign]);
      await expect(create(params)).rejects.toMatchObject({ name: 'AnswerRefused', code: 'another_payment' });
    }
    const { create } = calling([demand([offer('exact')]), sell(bundle)]);
    await expect(create(params)).rejects.toMatchObject({ code: 'another_payment' });
  });

  test('not again on the same channel', async () => {
    let bought: Bundle | undefined;
    const same = (request: Request) => sell((bought ??= boughtBy(request)));
    const { create } = calling([demand([offer('batch-settlement')]), same, demand([offer('batch-settlement')]), same]);
    await create(params);
    await expect(create(params)).rejects.toMatchObject({ name: 'AnswerRefused', code: 'repeated' });
  });
});

describe('deposits', () => {
  const SHORT = 'invalid_batch_settlement_evm_cumulative_exceeds_balance';
  const known = offer('batch-settlement');
  const empty = { channel: async () => ({ balance: 1000n, claimed: 1000n }) };
  const deposits = (sent: readonly (string | null)[]) =>
    payments(sent).map((payment) => (payment && (payment as ChannelPayment).deposit?.amount) ?? null);

  test('one that never arrived is made again, at once', async () => {
    const paid = answered({ extra: { chargedAmount: COST } });
    const { create, sent } = calling([demand([known]), json({}, { status: 502 }), demand([known]), demand([known], SHORT), paid], {
      facts: empty,
    });
    await expect(create(params)).rejects.toMatchObject({ status: 502 });
    await create(params);
    // the lost call counts: 84 are missing, which three times the amount covers
    expect(deposits(sent())).toEqual([null, 126n, null, null, 126n]);
  });

  test('those that may still be used count towards the cap of the channel until they cannot', async () => {
    const lost = [demand([known]), json({}, { status: 502 })];
    const short = [demand([known]), demand([known], SHORT)];
    const options = { facts: empty, wallet: { maxTotal: 10_000n, maxDeposit: 200n } };
    const { create } = calling([...lost, ...short], options);
    await expect(create(params)).rejects.toMatchObject({ status: 502 });
    await expect(create(params)).rejects.toMatchObject({ code: 'payment_cap_request', message: expect.stringMatching(/74 more/) });
  });

  test('runs beside the one with the deposit wait until the node has taken it', async () => {
    const paid = (sum: bigint) => answered({ extra: { chargedAmount: COST } }, sum) as (request: Request) => Response;
    let asked = 0;
    const first = async (request: Request): Promise<Response> => {
      // whatever would be sent beside it has been by now
      await new Promise((resolve) => setImmediate(resolve));
      asked = sent().length;
      return paid(1042n)(request);
    };
    const { create, sent } = calling([demand([known]), demand([known]), first, paid(1084n)], { facts: empty });
    await Promise.all([create(params), create(params)]);
    expect([asked, deposits(sent())]).toEqual([3, [null, null, 126n, null]]);
  });

  test('a demand that cannot be read holds nobody back', async () => {
    const unread = json({}, { status: 402, headers: { 'payment-required': '?' } });
    const { create, sent } = calling([demand([known]), unread, demand([known]), answered({ extra: { chargedAmount: COST } }, 1084n)], {
      facts: empty,
    });
    await expect(create(params)).rejects.toThrow('payment-required');
    await create(params);
    expect(deposits(sent())).toEqual([null, 126n, null, null]);
  });
});
