import type { Hex32 } from '@commonweight/protocol';
import { expect, it } from 'vitest';
import { OpenAmounts } from './open-amounts.ts';

const account = (byte: string): Hex32 => `0x${byte.repeat(32)}` as Hex32;

it('sums what is open on each account', () => {
  const open = new OpenAmounts();
  const first = open.add(account('01'), 10n);
  const second = open.add(account('01'), 5n);
  open.add(account('02'), 7n);
  expect([open.of(account('01')), open.of(account('02')), open.of(account('03'))]).toEqual([15n, 7n, 0n]);
  first.settle();
  expect(open.of(account('01'))).toBe(5n);
  second.settle();
  expect([open.of(account('01')), open.of(account('02'))]).toEqual([0n, 7n]);
});
