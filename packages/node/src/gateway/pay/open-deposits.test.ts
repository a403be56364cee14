import { describe, expect, test } from 'vitest';
import { gatewayLimits as limits } from '../../limits.ts';
import { OpenDeposits } from './open-deposits.ts';

describe('deposits that the chain has not shown', () => {
  test('are pending from the look that missed them until they are seen or have expired', () => {
    const deposits = new OpenDeposits();
    deposits.signed(10n, 100);
    deposits.signed(20n, 200);
    // they are part of the balance in the books
    expect(deposits.pending(0)).toBe(0n);
    deposits.read(0n);
    expect([deposits.pending(0), deposits.pending(100 + limits.depositMarginSeconds)]).toEqual([30n, 20n]);
    deposits.read(20n);
    expect(deposits.pending(0)).toBe(10n);
    deposits.read(30n);
    expect(deposits.pending(0)).toBe(0n);
  });

  test('which of them came is not known: the one that holds longest stays', () => {
    const deposits = new OpenDeposits();
    deposits.signed(10n, 200);
    deposits.signed(10n, 100);
    deposits.read(10n);
    expect([deposits.pending(99), deposits.pending(100 + limits.depositMarginSeconds)]).toEqual([10n, 10n]);
  });

  test('what is taken out makes no room', () => {
    const deposits = new OpenDeposits();
    deposits.signed(10n, 100);
    deposits.read(10n);
    deposits.signed(5n, 100);
    deposits.read(0n);
    expect(deposits.pending(0)).toBe(5n);
  });

  test('more than can be told apart lose nothing', () => {
    const deposits = new OpenDeposits();
    const count = BigInt(3 * limits.openDeposits);
    for (let i = 0n; i < count; i++) {
      deposits.signed(1n, 100);
      if (i % 2n === 0n) deposits.read(0n);
    }
    deposits.read(0n);
    expect(deposits.pending(0)).toBe(count);
  });
});
