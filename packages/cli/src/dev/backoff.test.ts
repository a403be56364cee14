import { describe, expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { Backoff } from './backoff.ts';

describe('Backoff', () => {
  test('doubles, stays below its limit, and gives up', () => {
    const backoff = new Backoff();
    const pauses = Array.from({ length: limits.restarts }, () => backoff.next(0));
    expect(pauses.slice(0, 3)).toEqual([250, 500, 1000]);
    expect(Math.max(...pauses.map(Number))).toBeLessThanOrEqual(limits.restartLongest);
    expect(backoff.next(0)).toBeUndefined();
  });

  test('forgets crashes after a long run', () => {
    const backoff = new Backoff();
    for (let i = 0; i < limits.restarts; i++) backoff.next(0);
    expect(backoff.next(limits.restartForgiven)).toBe(limits.restartFirst);
  });
});
