import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ChainError } from '@commonweight/chain';
import type { Hex32 } from '@commonweight/protocol';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { paymentLimits } from '../limits.ts';
import { systemClock } from '../platform/clock.ts';
import { RecordingLog } from '../worker/testing/recording-log.ts';
import { ChannelClaims, type ChannelClaimsOptions } from './channel-claims.ts';
import { PaymentBook } from './payment-book.ts';
import { channel, config, hash, identity, onChannel } from './testing/reservations.ts';

const COUNT = 8;
const BAD = 5;
let folder: string;
let book: PaymentBook;
let now = 0;
const log = new RecordingLog();
const idOf = (n: number): Hex32 => (n === 0 ? channel : hash(600 + n));

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'commonweight-claims-'));
  ({ book } = await PaymentBook.open(folder, identity));
  for (let n = 0; n < COUNT; n++) {
    await book.reserve(onChannel(n, 100n, 100n, { channel: idOf(n), config: { ...config, salt: idOf(n) } }), () => undefined);
    await book.charge({ requestHash: hash(n), receipt: hash(50 + n), cumulative: 100n, amount: 100n });
  }
});
afterEach(async () => {
  await book.close();
  await rm(folder, { recursive: true });
});

/** As the contract: one row that does not hold reverts all. */
function escrow(refuses: (id: Hex32) => boolean) {
  const claimed = new Set<Hex32>();
  const sizes: number[] = [];
  const channels: ChannelClaimsOptions['channels'] = {
    channel: (id) =>
      Promise.resolve({ balance: 1000n, totalClaimed: claimed.has(id) ? 100n : 0n, withdrawRequestedAt: 0, refundNonce: 0n }),
    lastClaim: (id) => Promise.resolve(claimed.has(id) ? { transaction: hash(9), block: 1n, total: 100n } : undefined),
    claim: (rows) => {
      sizes.push(rows.length);
      if (rows.some((row) => refuses(row.config.salt)))
        return Promise.reject(new ChainError('chain_reverted', 'the claim was refused', { details: { reason: 'InvalidSignature' } }));
      for (const row of rows) claimed.add(row.config.salt);
      return Promise.resolve(hash(9));
    },
  };
  const clock = { ...systemClock, now: () => now };
  return { claims: new ChannelClaims({ book, channels, isDeep: () => Promise.resolve(true), clock, log }), channels, claimed, sizes };
}

test('a channel whose claim is refused holds up no other, and rests for longer and longer', async () => {
  let bad = true;
  const { claims, claimed, sizes } = escrow((id) => bad && id === idOf(BAD));
  await claims.claim();
  expect([...claimed]).toEqual([0, 1, 2, 3, 4, 6, 7].map(idOf));
  // halved until it stands alone
  expect(sizes).toEqual([8, 4, 4, 2, 1, 1, 2]);
  expect(book.state.channels.get(idOf(BAD))!.refused).toBe('InvalidSignature');
  expect(claims.due()).toEqual([]);
  for (const rest of [1, 2, 4]) {
    now += rest * paymentLimits.claimRestMs - 1;
    expect(claims.due()).toEqual([]);
    now += 1;
    expect(claims.due().map(({ id }) => id)).toEqual([idOf(BAD)]);
    await claims.claim();
  }
  bad = false;
  now += paymentLimits.claimRestMaximumMs;
  await claims.claim();
  expect(claimed.has(idOf(BAD))).toBe(true);
  expect(book.state.channels.get(idOf(BAD))).toMatchObject({ claimed: 100n });
  expect(book.state.channels.get(idOf(BAD))!.refused).toBeUndefined();
});

test('a chain that does not answer sets nothing aside', async () => {
  const { claims } = escrow(() => false);
  const gone = new ChannelClaims({
    book,
    isDeep: () => Promise.resolve(true),
    clock: systemClock,
    log,
    channels: { ...escrow(() => false).channels, claim: () => Promise.reject(new ChainError('chain_unreachable', 'gone')) },
  });
  await expect(gone.claim()).rejects.toMatchObject({ code: 'chain_unreachable' });
  expect(gone.due()).toHaveLength(COUNT);
  await claims.claim();
  expect(claims.due()).toEqual([]);
});

test('a refusal is kept in the books', async () => {
  await escrow((id) => id === idOf(BAD)).claims.claim();
  await book.close();
  ({ book } = await PaymentBook.open(folder, identity));
  expect(book.state.channels.get(idOf(BAD))!.refused).toBe('InvalidSignature');
});
