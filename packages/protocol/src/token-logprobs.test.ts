import { describe, expect, it } from 'vitest';
import { logprobEntry, parseTokenLogprobs } from './token-logprobs.ts';

describe('parseTokenLogprobs', () => {
  const good = { logprob: -65_536, top: [[7, -10], [3, -65_536], [9, -65_536]] }; // prettier-ignore

  it('reads what is in order', () => expect(parseTokenLogprobs(good, 'frame.logprobs')).toEqual(good));

  it.each<[string, unknown, string]>([
    ['a positive one', { ...good, logprob: 1 }, 'frame.logprobs.logprob'],
    ['a fraction', { ...good, logprob: -0.5 }, 'frame.logprobs.logprob'],
    ['one below every logit', { ...good, logprob: -(2 ** 34) }, 'frame.logprobs.logprob'],
    ['no list', { logprob: 0 }, 'frame.logprobs.top'],
    ['more than 20', { logprob: 0, top: Array.from({ length: 21 }, (_, id) => [id, 0]) }, 'frame.logprobs.top'],
    ['rising ones', { logprob: 0, top: [[1, -5], [2, -4]] }, 'frame.logprobs.top[1]'], // prettier-ignore
    ['equal ones with falling ids', { logprob: 0, top: [[2, -5], [1, -5]] }, 'frame.logprobs.top[1]'], // prettier-ignore
    ['an id twice', { logprob: 0, top: [[2, -5], [2, -5]] }, 'frame.logprobs.top[1]'], // prettier-ignore
    ['a number instead of a pair', { logprob: 0, top: [5] }, 'frame.logprobs.top[0]'],
    ['a negative id', { logprob: 0, top: [[-1, 0]] }, 'frame.logprobs.top[0].id'],
    ['an unknown field', { ...good, token: 'x' }, 'frame.logprobs.token'],
  ])('refuses %s', (_, value, field) => {
    expect(() => parseTokenLogprobs(value, 'frame.logprobs')).toThrow(expect.objectContaining({ field }));
  });
});

describe('logprobEntry', () => {
  it('is the integer / 65,536, exactly, and comes back from JSON as the same integer', () => {
    const textOf = (id: number) => ({ token: `t${id}`, bytes: [id] });
    const entry = logprobEntry(5, { logprob: -98_304, top: [[6, -1]] }, textOf);
    expect(entry).toEqual({ token: 't5', bytes: [5], logprob: -1.5, top_logprobs: [{ token: 't6', bytes: [6], logprob: -1 / 65_536 }] });
    const again = JSON.parse(JSON.stringify(entry)) as typeof entry;
    expect(again.top_logprobs[0]!.logprob * 65_536).toBe(-1);
  });
});
