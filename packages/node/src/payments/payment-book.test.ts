import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkAsset } from './check-asset.ts';
import { misfit } from './fits.ts';
import { PaymentBook } from './payment-book.ts';
import { channel, config, hash, identity, onChannel, payer, single } from './testing/reservations.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'commonweight-payments-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const open = async (): Promise<PaymentBook> => (await PaymentBook.open(folder, identity)).book;
const anyway = (): void => undefined;

/** What the journal says, from the disk. */
const snapshot = ({ state }: PaymentBook) => ({
  channels: [...state.channels.values()],
  runs: [...state.runs.keys()],
  collecting: [...state.collecting.values()].map(({ reservation, amount }) => [reservation.requestHash, amount]),
  deposits: [...state.deposits.keys()],
});

describe('books of payments', () => {
  it('add up channels, and are the same after a restart', async () => {
    const book = await open();
    await book.reserve(onChannel(0, 10n, 10n, { config, deposit: { amount: 100n, salt: hash(1) }, header: 'eyJ9' }), anyway);
    await book.reserve(onChannel(1, 20n, 30n), anyway);
    expect(book.state.channels.get(channel)).toMatchObject({ charged: 0n, reserved: 30n, depositing: 100n });
    // the second ends first: its receipt counts only itself
    await book.charge({ requestHash: hash(1), receipt: hash(11), cumulative: 7n, amount: 7n });
    await book.charge({ requestHash: hash(0), receipt: hash(10), cumulative: 12n, amount: 5n });
    await book.deposited(hash(0), hash(99));
    await book.claimed(channel, 7n, hash(98));
    await book.covered(channel, hash(11));
    await book.reserve(onChannel(2, 4n, 16n), anyway);
    await book.release(hash(2));
    expect(book.state.channels.get(channel)).toMatchObject({
      charged: 12n,
      reserved: 0n,
      depositing: 0n,
      claimed: 7n,
      voucher: { maxClaimableAmount: 30n },
      uncovered: [{ receipt: hash(10), cumulative: 12n }],
    });
    const before = snapshot(book);
    await book.close();
    const again = await open();
    expect(snapshot(again)).toEqual(before);
    await again.close();
  });

  it('keep a single payment until it is on chain and covered, and know it for ever', async () => {
    const book = await open();
    for (const [n, scheme] of (['exact', 'upto'] as const).entries()) {
      await book.reserve(single(n, scheme, 9n), anyway);
      await book.charge({ requestHash: hash(n), receipt: hash(10 + n), cumulative: 4n, amount: 4n });
    }
    // `exact` moves what was signed, `upto` what was used
    expect([...book.state.collecting.values()].map(({ amount }) => amount)).toEqual([9n, 4n]);
    for (const n of [0, 1]) {
      await book.settled(hash(n), hash(90));
      await book.covered(hash(5000 + n), hash(10 + n));
    }
    await book.reserve(single(2, 'upto', 9n), anyway);
    await book.charge({ requestHash: hash(2), receipt: hash(12), cumulative: 0n, amount: 0n });
    expect(snapshot(book)).toEqual({ channels: [], runs: [], collecting: [], deposits: [] });
    await book.close();
    const again = await open();
    expect([0, 1, 2, 3].map((n) => again.state.isUsed(hash(5000 + n)))).toEqual([true, true, true, false]);
    await expect(again.reserve(single(0, 'exact', 9n), anyway)).rejects.toMatchObject({ code: 'payment_disorder' });
    await again.close();
  });

  it('give a single payment back whose run got no receipt', async () => {
    const book = await open();
    await book.reserve(single(0, 'exact', 9n), anyway);
    expect(book.state.isUsed(hash(5000))).toBe(true);
    await book.release(hash(0));
    expect(book.state.isUsed(hash(5000))).toBe(false);
    await book.close();
  });

  it('tie a node to its asset while money is to come in it', async () => {
    const book = await open();
    const another = identity.node;
    const refused = expect.objectContaining({ code: 'config', field: 'asset' }) as Error;
    await book.reserve(onChannel(0, 10n, 10n, { config }), anyway);
    await book.charge({ requestHash: hash(0), receipt: hash(10), cumulative: 5n, amount: 5n });
    expect(() => checkAsset(book.state, another)).toThrow(refused);
    checkAsset(book.state, config.token);
    await book.claimed(channel, 5n);
    expect(() => checkAsset(book.state, another)).toThrow(refused);
    await book.covered(channel, hash(10));
    checkAsset(book.state, another);
    await book.close();
  });

  it('remember whose payment failed after delivery', async () => {
    const book = await open();
    await book.reserve({ ...single(0, 'upto', 9n), block: 12n }, anyway);
    await book.charge({ requestHash: hash(0), receipt: hash(10), cumulative: 4n, amount: 4n });
    expect(book.state.collecting.get(hash(0))!.reservation.block).toBe(12n);
    await book.failed(hash(0), 'expired', 1_790_000_100);
    await book.close();
    const again = await open();
    expect(again.state.failedAt(payer)).toBe(1_790_000_100);
    expect(again.state.isUsed(hash(5000))).toBe(true);
    // its receipt is still shown: the money may have come in a transfer that was not found
    expect(again.state.channels.get(hash(5000))!.uncovered).toMatchObject([{ receipt: hash(10) }]);
    await again.covered(hash(5000), hash(10));
    expect(again.state.channels.has(hash(5000))).toBe(false);
    expect(again.state.isUsed(hash(5000))).toBe(true);
    await again.close();
  });

  it('refuse records that do not follow, and stay as they were', async () => {
    const book = await open();
    await book.reserve(onChannel(0, 10n, 10n, { config, deposit: { amount: 100n, salt: hash(1) }, header: 'eyJ9' }), anyway);
    const before = snapshot(book);
    const wrong = [
      () => book.charge({ requestHash: hash(0), receipt: hash(10), cumulative: 11n, amount: 11n }),
      () => book.charge({ requestHash: hash(1), receipt: hash(10), cumulative: 1n, amount: 1n }),
      () => book.release(hash(1)),
      () => book.settled(hash(0)),
      () => book.deposited(hash(1)),
      () => book.failed(hash(1), 'why', 1),
      () => book.claimed(hash(77), 1n),
    ];
    for (const write of wrong) await expect(write()).rejects.toMatchObject({ code: 'journal_order', action: 'stop' });
    // what payers can cause is refused and ends nothing
    const refused = [
      onChannel(0, 10n, 20n),
      onChannel(1, 10n, 20n, { payer: identity.node }),
      onChannel(1, 10n, 20n, { channel: hash(77) }),
    ];
    for (const each of refused)
      await expect(book.reserve(each, anyway)).rejects.toMatchObject({ code: 'payment_disorder', action: 'fix-input' });
    expect(snapshot(book)).toEqual(before);
    await book.close();
    await expect(PaymentBook.open(folder, { ...identity, chainId: 1 })).rejects.toMatchObject({ code: 'journal_of_another_node' });
  });

  it('take of a payment what is new: of two with one deposit, side by side, the second is a voucher', async () => {
    const book = await open();
    const deposit = { config, deposit: { amount: 100n, salt: hash(1) }, header: 'eyJ9' };
    const both = await Promise.all([0, 1].map((n) => book.reserve(onChannel(n, 10n, 20n, deposit), anyway)));
    expect(both.map((news) => [news.deposit !== undefined, news.header !== undefined, news.config !== undefined])).toEqual([
      [true, true, true],
      [false, false, false],
    ]);
    expect(book.state.channels.get(channel)).toMatchObject({ depositing: 100n, reserved: 20n });
    expect(book.state.promised(payer, config.token)).toBe(100n);
    await book.close();
  });

  it('ask whether a payment fits when nothing can come between the answer and the record', async () => {
    const book = await open();
    // ten payments with one voucher: the channel's sum lets one of them through
    const all = await Promise.allSettled(
      Array.from({ length: 10 }, (_, n) => {
        const reservation = onChannel(n, 10n, 10n, n === 0 ? { config } : {});
        return book.reserve({ ...reservation, config }, () => {
          const wrong = misfit(reservation, book.state.channels, () => false, { available: 100n, ownMoney: false });
          if (wrong) throw new Error(wrong);
        });
      }),
    );
    expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(book.state.channels.get(channel)!.reserved).toBe(10n);
    await book.close();
  });
});

describe('a payment fits', () => {
  const fits = async (reserved: [bigint, bigint][], next: [bigint, bigint], funds: { available?: bigint; ownMoney?: boolean } = {}) => {
    const book = await open();
    for (const [n, [maximum, upTo]] of reserved.entries())
      await book.reserve(onChannel(n, maximum, upTo, n === 0 ? { config } : {}), anyway);
    const reservation = onChannel(50, next[0], next[1], { config });
    const { available = 1000n, ownMoney = false } = funds;
    const wrong = misfit(reservation, book.state.channels, () => false, { available, ownMoney });
    await book.close();
    await rm(folder, { recursive: true });
    return wrong;
  };

  it('when its voucher reaches over what is reserved', async () => {
    expect(await fits([[10n, 10n]], [10n, 20n])).toBeUndefined();
    expect(await fits([[10n, 10n]], [10n, 19n])).toBe('stale');
  });

  it('by an earlier, higher voucher only when the payer himself asks', async () => {
    expect(await fits([[10n, 30n]], [10n, 10n], { ownMoney: true })).toBeUndefined();
    expect(await fits([[10n, 30n]], [10n, 10n])).toBe('stale');
  });

  it('when the money is there', async () => {
    expect(await fits([[10n, 10n]], [10n, 20n], { available: 20n })).toBeUndefined();
    expect(await fits([[10n, 10n]], [10n, 20n], { available: 19n })).toBe('balance');
  });
});
