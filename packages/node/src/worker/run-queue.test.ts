import { describe, expect, it } from 'vitest';
import { RunQueue } from './run-queue.ts';

const never = new AbortController().signal;

describe('run queue', () => {
  it('runs one at a time, first come first served, and tells who waits how many are ahead', async () => {
    const queue = new RunQueue({ slots: 1, limit: 3 });
    const order: string[] = [];
    const ahead: Record<string, number[]> = { b: [], c: [], d: [] };
    const leaveA = await queue.enter(() => expect.unreachable('the first does not wait'), never);
    const waiting = ['b', 'c', 'd'].map((name) =>
      queue
        .enter((n) => ahead[name]!.push(n), never)
        .then((leave) => {
          order.push(name);
          return leave;
        }),
    );
    expect([queue.running, queue.waiting, queue.full]).toEqual([1, 3, true]);
    leaveA();
    leaveA();
    (await waiting[0]!)();
    (await waiting[1]!)();
    (await waiting[2]!)();
    expect(order).toEqual(['b', 'c', 'd']);
    expect(ahead).toEqual({ b: [1], c: [2, 1], d: [3, 2, 1] });
    expect([queue.running, queue.waiting, queue.full]).toEqual([0, 0, false]);
  });

  it('runs as many side by side as it has slots, and fills a slot as soon as one is free', async () => {
    const queue = new RunQueue({ slots: 3, limit: 1 });
    const leave = await Promise.all([1, 2, 3].map(() => queue.enter(() => expect.unreachable('there is room'), never)));
    const ahead: number[] = [];
    const fourth = queue.enter((n) => ahead.push(n), never);
    expect([queue.running, queue.waiting, queue.full, ahead]).toEqual([3, 1, true, [1]]);
    leave[1]!();
    await fourth;
    expect([queue.running, queue.waiting, queue.full]).toEqual([3, 0, false]);
    leave[0]!();
    leave[2]!();
    expect(queue.running).toBe(1);
  });

  it('refuses what does not fit', async () => {
    const queue = new RunQueue({ slots: 1, limit: 0 });
    const leave = await queue.enter(() => {}, never);
    await expect(queue.enter(() => {}, never)).rejects.toMatchObject({ code: 'queue_full', retryable: true });
    leave();
    (await queue.enter(() => {}, never))();
  });

  it('lets go of a waiter that gives up, and keeps the order of the others', async () => {
    const queue = new RunQueue({ slots: 1, limit: 2 });
    const leave = await queue.enter(() => {}, never);
    const gone = new AbortController();
    const ahead: number[] = [];
    const quitter = queue.enter(() => {}, gone.signal);
    const patient = queue.enter((n) => ahead.push(n), never);
    gone.abort(new Error('gone'));
    await expect(quitter).rejects.toThrow('gone');
    expect([ahead, queue.waiting]).toEqual([[2, 1], 1]);
    leave();
    (await patient)();
    await expect(queue.enter(() => {}, gone.signal)).rejects.toThrow('gone');
    expect(queue.running).toBe(0);
  });
});
