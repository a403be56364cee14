import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ChannelAccount } from './channel-account.ts';

describe('one run after the other', () => {
  test('each voucher covers what was charged and the new maximum', () => {
    const account = new ChannelAccount({ balance: 100n });
    expect(account.reserve('a', 30n)).toBe(30n);
    account.charge('a', 10n, 10n);
    expect(account.reserve('b', 30n)).toBe(40n);
    account.release('b');
    expect(account.voucherFor(5n)).toBe(15n);
    expect(account.books).toEqual({ charged: 10n, balance: 100n, signed: 40n, unheard: 0n });
    expect([account.missing(90n), account.missing(91n)]).toEqual([0n, 1n]);
  });

  test('a receipt above its own maximum, or a sum that nothing explains, is an overcharge and books nothing', () => {
    const account = new ChannelAccount({ charged: 5n });
    account.reserve('a', 10n);
    for (const [amount, sum] of [
      [11n, 16n],
      [10n, 16n],
    ] as const) {
      expect(() => account.charge('a', amount, sum)).toThrow(expect.objectContaining({ code: 'payment_overcharged', action: 'stop' }));
    }
    expect([account.books.charged, account.inFlight]).toEqual([5n, 10n]);
    account.charge('a', 10n, 15n);
    expect(account.books.charged).toBe(15n);
  });

  test('one run is paid for once', () => {
    const account = new ChannelAccount();
    account.reserve('a', 1n);
    expect(() => account.reserve('a', 1n)).toThrow(expect.objectContaining({ code: 'payment_twice' }));
    account.charge('a', 1n, 1n);
    expect(() => account.charge('a', 1n, 2n)).toThrow(expect.objectContaining({ code: 'payment_unknown' }));
  });
});

describe('what was never heard of', () => {
  test('stays reserved until a receipt tells what became of it', () => {
    const charged = new ChannelAccount();
    charged.reserve('a', 20n);
    charged.lose('a');
    expect(charged.reserve('b', 10n)).toBe(30n);
    charged.charge('b', 10n, 25n);
    expect(charged.books).toMatchObject({ charged: 25n, unheard: 0n });
  });

  test('is not let go while something else is in flight', () => {
    const account = new ChannelAccount({ unheard: 20n });
    account.reserve('a', 10n);
    account.reserve('b', 10n);
    account.charge('a', 10n, 10n);
    expect(account.books).toMatchObject({ charged: 10n, unheard: 20n });
    account.charge('b', 10n, 40n);
    expect(account.books).toMatchObject({ charged: 40n, unheard: 0n });
  });

  test('a correction is believed up to what was signed, and when it says more than is known', () => {
    const account = new ChannelAccount({ charged: 10n, signed: 40n });
    expect([account.correct(10n), account.correct(41n)]).toEqual([false, false]);
    expect(account.correct(40n)).toBe(true);
    expect(account.books).toMatchObject({ charged: 10n, unheard: 30n });
    expect(account.reserve('a', 5n)).toBe(45n);
    account.charge('a', 5n, 15n);
    expect(account.books).toMatchObject({ charged: 15n, unheard: 0n });
  });
});

test('parallel runs in any order: an honest node is never refused, a voucher always covers it, and the books end with what it charged', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ maximum: fc.nat(50), cost: fc.nat(50), pick: fc.nat(7), begin: fc.boolean() }), { maxLength: 60 }),
      (steps) => {
        const account = new ChannelAccount({ balance: 10_000n });
        const running: { id: string; maximum: bigint; cost: bigint }[] = [];
        let charged = 0n;
        for (const [i, { maximum: max, cost: part, pick, begin }] of steps.entries()) {
          const maximum = BigInt(max);
          if (begin) {
            const before = account.books.signed;
            const voucher = account.reserve(String(i), maximum);
            const reserved = running.reduce((sum, run) => sum + run.maximum, 0n);
            expect(voucher).toBe(charged + reserved + maximum);
            expect(account.books.signed).toBe(voucher > before ? voucher : before);
            running.push({ id: String(i), maximum, cost: BigInt(Math.min(part, max)) });
          } else {
            const [run] = running.splice(pick % Math.max(running.length, 1), 1);
            if (!run) continue;
            charged += run.cost;
            account.charge(run.id, run.cost, charged);
          }
          expect(account.books.charged).toBe(charged);
        }
      },
    ),
  );
});
