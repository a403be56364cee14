import { describe, expect, it } from 'vitest';
import { paymentLimits } from '../limits.ts';
import type { Clock } from '../platform/clock.ts';
import { ChannelLine } from './channel-line.ts';
import { hash } from './testing/reservations.ts';

/** A clock that a test moves. */
function handClock() {
  let now = 0;
  const timers = new Set<{ at: number; callback: () => void }>();
  const clock: Clock = {
    now: () => now,
    sleep: () => Promise.reject(new Error('nobody sleeps here')),
    after: (ms, callback) => {
      const timer = { at: now + ms, callback };
      timers.add(timer);
      return () => timers.delete(timer);
    },
  };
  const pass = (ms: number): void => {
    now += ms;
    for (const timer of timers) {
      if (timer.at > now) continue;
      timers.delete(timer);
      timer.callback();
    }
  };
  return { clock, pass, timers };
}

const channel = hash(0);
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Enters with each quote, and notes whose turn it is. */
function setUp() {
  const { clock, pass, timers } = handClock();
  const line = new ChannelLine(clock);
  const turns: string[] = [];
  const enter = async (...quotes: string[]): Promise<void> => {
    for (const quote of quotes) void line.enter(channel, quote).then((mine) => turns.push(mine ? quote : `${quote} without`));
    await settle();
  };
  return { line, turns, enter, pass, timers };
}

describe('payments of one channel', () => {
  it('are looked at one at a time, those of others beside them', async () => {
    const { line, turns, enter, timers } = setUp();
    await enter('a', 'b', 'c');
    expect(await line.enter(hash(1), 'x')).toBe(true);
    expect(turns).toEqual(['a']);
    line.leave(channel);
    await settle();
    expect(turns).toEqual(['a', 'b']);
    line.leave(channel);
    await settle();
    line.leave(channel);
    await enter('d');
    expect(turns).toEqual(['a', 'b', 'c', 'd']);
    expect(timers.size).toBe(0);
  });

  it('wait for the one that was corrected', async () => {
    const { line, turns, enter, timers } = setUp();
    await enter('a', 'b');
    line.leave(channel, 'a');
    await enter('c');
    expect(turns).toEqual(['a']);
    await enter('a');
    expect(turns).toEqual(['a', 'a']);
    line.leave(channel);
    await settle();
    expect(turns).toEqual(['a', 'a', 'b']);
    expect(timers.size).toBe(0);
  });

  it('wait for it no longer than a while', async () => {
    const { line, turns, enter, pass } = setUp();
    await enter('a', 'b');
    line.leave(channel, 'a');
    pass(paymentLimits.correctionMs - 1);
    await settle();
    expect(turns).toEqual(['a']);
    pass(1);
    await settle();
    expect(turns).toEqual(['a', 'b']);
    // it comes too late and waits like all
    await enter('a');
    expect(turns).toEqual(['a', 'b']);
    line.leave(channel);
    await settle();
    expect(turns).toEqual(['a', 'b', 'a']);
  });

  it('find nobody waiting behind a full line', async () => {
    const { line, turns, enter } = setUp();
    await enter(...Array.from({ length: paymentLimits.corrections + 2 }, (_, i) => String(i)));
    expect(turns).toEqual(['0', `${paymentLimits.corrections + 1} without`]);
    line.close();
    await settle();
    expect(turns).toHaveLength(paymentLimits.corrections + 2);
  });
});
