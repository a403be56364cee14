import { describe, expect, it } from 'vitest';
import { fixedPoint } from './grammar-fixed-point.ts';
import type { Alternative } from './grammar.ts';

/** Reads of the places of all alternatives so far. */
let reads = 0;

/** An alternative that counts how often its places are read. */
const counted = (...symbols: Alternative): Alternative =>
  new Proxy(symbols, {
    get: (target, key, receiver) => {
      if (typeof key === 'string' && /^\d+$/.test(key)) reads++;
      return Reflect.get(target, key, receiver) as unknown;
    },
  });

describe('fixedPoint', () => {
  it('reads every symbol once, however many alternatives wait for one rule', () => {
    const [waiting, others] = [2000, 500];
    const rules = [
      Array.from({ length: waiting }, (_, i) => counted(2 + (i % others), 1)),
      ...Array.from({ length: others + 1 }, () => [counted('=x')]),
    ];
    reads = 0;
    expect(fixedPoint(rules, true).every(Boolean)).toBe(true);
    expect(reads).toBe(2 * waiting + others + 1);
  });

  it('finds rules that hold only through others, and none that wait for themselves', () => {
    const rules = [[counted(1, 2)], [counted(3), counted(2, 2)], [counted('=x')], [counted(3)], [counted()]];
    expect(fixedPoint(rules, true)).toEqual([true, true, true, false, true]);
    expect(fixedPoint(rules, false)).toEqual([false, false, false, false, true]);
  });
});
