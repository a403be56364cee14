import { expect, it } from 'vitest';
import { attentionScaleOf, commitPointsOf } from './build-graph.ts';

it('commit points: every sixth layer and the last', () => {
  expect(commitPointsOf(30)).toEqual([5, 11, 17, 23, 29]);
  expect(commitPointsOf(7)).toEqual([5, 6]);
  expect(commitPointsOf(6)).toEqual([5]);
  expect(commitPointsOf(1)).toEqual([0]);
});

it('attention scale: the draft specification gives 47274 and -2 for 64', () => {
  expect(attentionScaleOf(64)).toEqual({ mantissa: 47_274, exponent: -2 });
  for (const dimension of [2, 16, 32, 80, 96, 128, 256]) {
    const { mantissa, exponent } = attentionScaleOf(dimension);
    expect(mantissa).toBeGreaterThanOrEqual(1 << 15);
    expect(mantissa).toBeLessThan(1 << 16);
    expect(mantissa * 2 ** (exponent - 16)).toBeCloseTo(Math.LOG2E / Math.sqrt(dimension), 5);
  }
});
