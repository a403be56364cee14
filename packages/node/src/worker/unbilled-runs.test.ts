import { type Address, CommonweightError } from '@commonweight/protocol';
import { expect, test } from 'vitest';
import { workerLimits as limits } from '../limits.ts';
import { systemClock } from '../platform/clock.ts';
import { UnbilledRuns } from './unbilled-runs.ts';

const payer = (n: number): Address => `0x${n.toString(16).padStart(40, '0')}` as Address;

test('a payer who drops too many runs waits until the oldest is forgotten; others do not', () => {
  let now = 1_000_000;
  const runs = new UnbilledRuns({ ...systemClock, now: () => now });
  for (let i = 0; i < limits.unbilledRuns; i++) {
    runs.check(payer(1));
    runs.add(payer(1));
    now += 1000;
  }
  const refusal = (): unknown => {
    try {
      return runs.check(payer(1));
    } catch (error) {
      return error;
    }
  };
  expect(refusal()).toBeInstanceOf(CommonweightError);
  expect(refusal()).toMatchObject({ code: 'unbilled_limit', retryable: true, message: expect.stringMatching(/try again in 568 s/) });
  runs.check(payer(2));
  now += 567_999;
  expect(refusal()).toMatchObject({ message: expect.stringMatching(/try again in 1 s/) });
  now += 1;
  runs.check(payer(1));
  runs.add(payer(1));
  expect(refusal()).toMatchObject({ message: expect.stringMatching(/try again in 1 s/) });
});

test('so many payers are remembered, the one who lost a run longest ago is forgotten first', () => {
  const runs = new UnbilledRuns({ ...systemClock, now: () => 0 });
  for (let i = 0; i < limits.unbilledRuns; i++) for (const n of [1, 2]) runs.add(payer(n));
  runs.add(payer(1));
  for (let n = 3; n < limits.unbilledPayers + 2; n++) runs.add(payer(n));
  runs.check(payer(2));
  expect(() => runs.check(payer(1))).toThrow(/dropped without a signed end/);
});
