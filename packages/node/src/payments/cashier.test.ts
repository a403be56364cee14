import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ChainError } from '@commonweight/chain';
import { addressOfKey, signExactPayment } from '@commonweight/protocol';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Clock, systemClock } from '../platform/clock.ts';
import { RecordingLog } from '../worker/testing/recording-log.ts';
import { Cashier } from './cashier.ts';
import { PaymentBook } from './payment-book.ts';
import type { PaymentRail } from './rail.ts';
import { type PaymentTerms, makeOffers } from './terms.ts';
import { config, hash, identity, single } from './testing/reservations.ts';

const key = `0x${'51'.repeat(32)}` as const;
const from = addressOfKey(key);
const terms: PaymentTerms = {
  chainId: identity.chainId,
  asset: { address: config.token, name: 'Dollar', version: '1' },
  facilitator: identity.node,
  authorizer: identity.node,
  withdrawDelay: 86_400,
  url: 'http://node.example',
  payTo: () => config.receiver,
};

let folder: string;
let book: PaymentBook;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'commonweight-cashier-'));
  ({ book } = await PaymentBook.open(folder, identity));
  const header = signExactPayment(makeOffers(terms, hash(1), 100n)[2]!, { nonce: hash(3), validBefore: 1_900_000_000 }, key);
  await book.reserve({ ...single(1, 'exact', 100n), header, from }, () => undefined);
  await book.charge({ requestHash: hash(1), receipt: hash(51), cumulative: 100n, amount: 100n });
});
afterEach(async () => {
  await book.close();
  await rm(folder, { recursive: true });
});

/** A chain on which collecting goes this way. */
const cashierOn = (collect: PaymentRail['collect']): Cashier => {
  const silent = () => new Promise<never>(() => undefined);
  const rail: PaymentRail = { verify: silent, deposit: silent, escrow: silent, funds: silent, height: silent, collect };
  // what is waited for is over at once
  const clock: Clock = { ...systemClock, after: (_, callback) => systemClock.after(0, callback) };
  return new Cashier({ terms, book, rail, clock, log: new RecordingLog() });
};

test('stopping does not wait for a chain that is silent', async () => {
  const cashier = cashierOn(() => new Promise<never>(() => undefined));
  void cashier.collector.collect(hash(1));
  await cashier.close();
  // left for the next start
  expect([...book.state.collecting.keys()]).toEqual([hash(1)]);
});

describe('a payment that could not be collected is owed', () => {
  test('when the chain refuses it', async () => {
    const cashier = cashierOn(() => Promise.reject(new ChainError('chain_reverted', 'no funds')));
    await cashier.collector.collect(hash(1));
    expect(cashier.collector.owes(from)).toBe(true);
  });

  test('but not when the chain does not answer', async () => {
    const answers = [new ChainError('chain_unreachable', 'gone'), new ChainError('payment_refused', 'no funds')];
    const cashier = cashierOn(() => Promise.reject(answers.shift() ?? new ChainError('chain_timeout', 'slow')));
    await cashier.collector.collect(hash(1));
    expect(cashier.collector.owes(from)).toBe(false);
    await cashier.collector.collect(hash(1));
    expect(cashier.collector.owes(from)).toBe(true);
    // it stays so until the chain says otherwise
    await cashier.collector.collect(hash(1));
    expect(cashier.collector.owes(from)).toBe(true);
  });
});
