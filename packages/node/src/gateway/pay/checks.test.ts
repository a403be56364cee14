import { type PaymentOffer, encodePaymentResponse, type PaymentResponse, receiptAmount } from '@commonweight/protocol';
import { describe, expect, test } from 'vitest';
import { honestAnswer } from '../testing/answer-fixture.ts';
import { type RunPrice, checkOffer } from './check-offer.ts';
import { checkSettlement } from './check-settlement.ts';
import { address, node, offer } from './testing/wallet.ts';

describe('an offer', () => {
  const price: RunPrice = { node, chainId: 31_337, asset: offer.asset, maximum: 1000n, payTo: offer.payTo };

  test('at the registered price or below it is taken', () => {
    for (const amount of ['0', '999', '1000']) expect(() => checkOffer({ ...offer, amount }, price)).not.toThrow();
    expect(() => checkOffer({ ...offer, scheme: 'exact', extra: {} }, price)).not.toThrow();
    const upper = node.replace(/[a-f]/g, (digit) => digit.toUpperCase());
    expect(() => checkOffer({ ...offer, extra: { ...offer.extra, receiverAuthorizer: upper } }, price)).not.toThrow();
  });

  test.each<[string, Partial<PaymentOffer>]>([
    ['price', { amount: '1001' }],
    ['receiver', { payTo: address('thief') }],
    ['asset', { asset: address('another token') }],
    ['network', { network: 'eip155:1' }],
    ['authorizer', { extra: { ...offer.extra, receiverAuthorizer: address('thief') } }],
    ['authorizer', { extra: {} }],
  ])('with another %s is refused', (refusal, fields) => {
    const lie = { ...offer, ...fields };
    expect(() => checkOffer(lie, price)).toThrow(expect.objectContaining({ name: 'OfferRefused', refusal, code: `offer_${refusal}` }));
  });
});

describe('a settlement', () => {
  const { receipt } = honestAnswer().answered;
  const billed = receiptAmount({ ...receipt, promptPrice: 10_000_000n, completionPrice: 20_000_000n });
  const priced = { ...receipt, promptPrice: 10_000_000n, completionPrice: 20_000_000n, cumulativeAmount: billed + 7n };
  const base: PaymentResponse = { success: true, transaction: '', network: 'eip155:31337' };
  const charge = (chargedAmount: bigint, sum: bigint): PaymentResponse => ({
    ...base,
    extra: { chargedAmount: String(chargedAmount), channelState: { chargedCumulativeAmount: String(sum) } },
  });
  const check = (response: PaymentResponse | undefined, scheme: PaymentOffer['scheme'] = 'batch-settlement', amount = 500n): void =>
    checkSettlement(response && encodePaymentResponse(response), priced, { scheme, amount });

  test('of what the receipt says is taken, and so is one that is still on its way', () => {
    expect(() => check(charge(billed, billed + 7n))).not.toThrow();
    expect(() => check({ ...base, amount: String(billed) }, 'upto')).not.toThrow();
    expect(() => check({ ...base, amount: '500' }, 'exact')).not.toThrow();
    expect(() => check({ ...base, success: false, errorReason: 'settlement_pending' }, 'exact')).not.toThrow();
  });

  test.each<[string, PaymentResponse | undefined, PaymentOffer['scheme']]>([
    ['more than the receipt', charge(billed + 1n, billed + 7n), 'batch-settlement'],
    ['another sum', charge(billed, billed + 8n), 'batch-settlement'],
    ['more than the receipt', { ...base, amount: String(billed + 1n) }, 'upto'],
    ['more than the offer', { ...base, amount: '501' }, 'exact'],
    ['nothing', undefined, 'batch-settlement'],
  ])('that says %s is refused', (_, response, scheme) => {
    expect(() => check(response, scheme)).toThrow(expect.objectContaining({ name: 'ReceiptInvalid', check: 'settlement' }));
  });

  test('that cannot be read is refused', () => {
    expect(() => checkSettlement('????', priced, { scheme: 'exact', amount: 1n })).toThrow(
      expect.objectContaining({ check: 'settlement' }),
    );
  });
});
