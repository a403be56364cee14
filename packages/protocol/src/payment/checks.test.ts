import { describe, expect, test } from 'vitest';
import { type Address, type Hex32, ZERO_HEX32, toHex, utf8 } from '../bytes.ts';
import { type Receipt, receiptAmount } from '../receipt.ts';
import { sha256 } from '../sha256.ts';
import { type RunPrice, checkOffer } from './check-offer.ts';
import { checkSettlement } from './check-settlement.ts';
import type { PaymentOffer } from './requirements.ts';
import { type PaymentResponse, encodePaymentResponse } from './response.ts';

const hash = (text: string): Hex32 => toHex(sha256(utf8(text)));
const address = (text: string): Address => hash(text).slice(0, 42) as Address;
const node = address('operator');
const offer: PaymentOffer = {
  scheme: 'batch-settlement',
  network: 'eip155:31337',
  amount: '1000',
  asset: address('dollar'),
  payTo: address('splitter'),
  maxTimeoutSeconds: 300,
  extra: { name: 'Test Dollar', version: '1', receiverAuthorizer: node, withdrawDelay: 900 },
};

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
    ['timeout', { maxTimeoutSeconds: 3601 }],
    ['delay', { extra: { ...offer.extra, withdrawDelay: 2_592_001 } }],
    ['delay', { extra: { ...offer.extra, withdrawDelay: '900' } }],
    ['delay', { extra: { receiverAuthorizer: node } }],
  ])('with another %s is refused', (refusal, fields) => {
    const lie = { ...offer, ...fields };
    expect(() => checkOffer(lie, price)).toThrow(expect.objectContaining({ name: 'OfferRefused', refusal, code: `offer_${refusal}` }));
  });
});

describe('a settlement', () => {
  const receipt: Omit<Receipt, 'cumulativeAmount'> = {
    node,
    payer: address('payer'),
    modelId: hash('model'),
    requestHash: hash('request'),
    idsRoot: hash('ids'),
    thinRoot: hash('thin'),
    promptTokens: 3,
    completionTokens: 3,
    finishReason: 'stop_id',
    promptPrice: 10_000_000n,
    completionPrice: 20_000_000n,
    asset: offer.asset,
    channel: hash('channel'),
    batch: 0,
    sequence: 0,
    previous: ZERO_HEX32,
    issuedAt: 1,
  };
  const billed = receiptAmount(receipt);
  const priced: Receipt = { ...receipt, cumulativeAmount: billed + 7n };
  const base: PaymentResponse = { success: true, transaction: '', network: 'eip155:31337' };
  const charge = (chargedAmount: bigint, sum: bigint): PaymentResponse => ({
    ...base,
    extra: { chargedAmount: String(chargedAmount), channelState: { chargedCumulativeAmount: String(sum) } },
  });
  const check = (response: PaymentResponse | undefined, scheme: PaymentOffer['scheme'] = 'batch-settlement', amount = '500'): void =>
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
    expect(() => check(response, scheme)).toThrow(expect.objectContaining({ name: 'Overcharged', code: 'payment_overcharged' }));
  });

  test('that cannot be read is refused', () => {
    expect(() => checkSettlement('????', priced, { scheme: 'exact', amount: '1' })).toThrow(
      expect.objectContaining({ name: 'Overcharged' }),
    );
  });
});
