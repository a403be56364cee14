import { expect, test } from 'vitest';
import { workerLimits } from '../limits.ts';
import { systemClock } from '../platform/clock.ts';
import { PriceGrace } from './price-grace.ts';

test('earlier prices hold until the change is on chain and a minute after it', () => {
  let time = 0;
  const modelId = `0x${'11'.repeat(32)}` as const;
  const price = { modelId, asset: `0x${'ee'.repeat(20)}` as const, promptPrice: 1n, completionPrice: 2n };
  const grace = new PriceGrace([price], { ...systemClock, now: () => time });
  time = 10 * workerLimits.priceGraceMs;
  expect(grace.of(modelId)).toEqual(price);
  expect(grace.of(`0x${'22'.repeat(32)}` as const)).toBeUndefined();
  grace.changed();
  time += workerLimits.priceGraceMs - 1;
  expect(grace.of(modelId)).toEqual(price);
  time++;
  expect(grace.of(modelId)).toBeUndefined();
});
