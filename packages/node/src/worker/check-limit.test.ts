import { describe, expect, it } from 'vitest';
import { checkLimit } from './check-limit.ts';

const prices = { promptPrice: 1_000_000n, completionPrice: 2_000_000n };
/** At most 3 + 2 * 4 = 11 at the node's prices, which are below the signed ones. */
const run = (cumulativeLimit: bigint | number) => ({
  promptTokens: 3,
  maxTokens: 4,
  promptPrice: '1000000',
  completionPrice: '3000000',
  cumulativeLimit: String(cumulativeLimit),
});
const refusal = (check: () => void): unknown => {
  try {
    check();
  } catch (error) {
    return error;
  }
  return 'accepted';
};

describe('what a request must allow its account to reach', () => {
  it('its own maximum, after what is billed', () => {
    expect(refusal(() => checkLimit(run(11), [], 0n, prices))).toBe('accepted');
    expect(refusal(() => checkLimit(run(111), [], 100n, prices))).toBe('accepted');
    expect(refusal(() => checkLimit(run(110), [], 100n, prices))).toMatchObject({
      code: 'limit_too_low',
      field: 'request.cumulativeLimit',
      retryable: false,
      details: { expected: '111', got: '110' },
    });
  });

  it('the maxima of the runs in progress, because they may end first', () => {
    expect(refusal(() => checkLimit(run(132), [run(1000), run(1000)], 100n, prices))).toMatchObject({ details: { expected: '133' } });
    expect(refusal(() => checkLimit(run(133), [run(1000), run(133)], 100n, prices))).toBe('accepted');
  });

  it('a run in progress must allow for this one, because this one may end first', () => {
    expect(refusal(() => checkLimit(run(1000), [run(1000), run(132)], 100n, prices))).toMatchObject({
      code: 'channel_busy',
      retryable: true,
      details: { expected: '133', got: '132' },
    });
  });

  it('nothing where nothing is charged', () => {
    const free = { promptPrice: 0n, completionPrice: 0n };
    expect(refusal(() => checkLimit(run(0), [run(0), run(0)], 0n, free))).toBe('accepted');
  });
});
