import {
  type ChannelConfig,
  ZERO_ADDRESS,
  parsePaymentSignature,
  signChannelPayment,
  signExactPayment,
  signUptoPayment,
} from '@commonweight/protocol';
import { describe, expect, test } from 'vitest';
import { paymentLimits } from '../limits.ts';
import { checkPayment } from './check-payment.ts';
import { type PaymentTerms, makeOffers } from './terms.ts';
import { config, hash, identity } from './testing/reservations.ts';

const key = `0x${'51'.repeat(32)}` as const;
const now = 1_790_000_000;
const terms: PaymentTerms = {
  chainId: identity.chainId,
  asset: { address: config.token, name: 'D', version: '1' },
  facilitator: identity.node,
  authorizer: identity.node,
  withdrawDelay: config.withdrawDelay,
  url: 'http://node',
  payTo: () => config.receiver,
};
const offers = makeOffers(terms, hash(1), 100n);
const [channel, upto, exact] = offers as [(typeof offers)[0], (typeof offers)[0], (typeof offers)[0]];
const check = (header: string) => checkPayment(parsePaymentSignature(header), offers, now);

const deposit = (validBefore: number, change: Partial<ChannelConfig> = {}): string =>
  signChannelPayment(
    channel,
    { config: { ...config, ...change }, voucher: 100n, deposit: { amount: 100n, salt: hash(4), validBefore } },
    key,
  );

describe('what is sent later has to hold until then', () => {
  const least = now + paymentLimits.authorizationLeftSeconds;
  const signed = {
    exact: (validBefore: number) => signExactPayment(exact, { nonce: hash(2), validBefore }, key),
    upto: (validBefore: number) => signUptoPayment(upto, { nonce: hash(2), validBefore }, key),
    'a deposit': deposit,
  };
  for (const [name, sign] of Object.entries(signed)) {
    test(`${name}`, () => {
      expect(check(sign(least))).toHaveProperty('offer');
      expect(check(sign(least - 1))).toMatchObject({ refused: expect.stringContaining(`ends at ${least - 1}`) as string });
    });
  }
});

test('a channel without a key for its vouchers is refused: its contract could take every signature back', () => {
  expect(check(deposit(now + 3000, { payerAuthorizer: ZERO_ADDRESS }))).toMatchObject({
    refused: expect.stringContaining('payerAuthorizer') as string,
  });
});
