import fc from 'fast-check';
import { expect, it } from 'vitest';
import { big, int32, runs } from '../testing/arbitraries.ts';
import { ropeBig } from '../testing/restatements.ts';
import { rope } from './rope.ts';

const int16 = fc.integer({ min: -32_768, max: 32_767 });

it('rope equals the restatement and stays below 2^47', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(int32, int32, int16, int16), { minLength: 1, maxLength: 16 }), (pairs) => {
      const head = Int32Array.from(pairs.flatMap(([a, b]) => [a, b]));
      const table = Int16Array.from(pairs.flatMap(([, , c, s]) => [c, s]));
      expect(big(rope(head, table))).toEqual(ropeBig(big(head), big(table)));
    }),
    runs,
  );
});

it('saturates where both terms add up at their bounds', () => {
  const m = 2 ** 31 - 1;
  expect([...rope(Int32Array.of(m, -m), Int16Array.of(32_767, 32_767))]).toEqual([m, 0]);
  expect([...rope(Int32Array.of(m, m), Int16Array.of(-32_768, -32_768))]).toEqual([0, -m]);
});

it('position 0 shrinks by 2^-15 and turns nothing', () => {
  expect([...rope(Int32Array.of(1_000_000, -65_536, 3, 0), Int16Array.of(32_767, 0, 32_767, 0))]).toEqual([999_969, -65_534, 3, 0]);
});
