import { reexecute } from '@commonweight/engine';
import { type Bundle, type LogprobEntry, type TokenText, logprobEntry, prfKey } from '@commonweight/protocol';
import { beforeAll, describe, expect, it } from 'vitest';
import { decode, firstSeenFrom, makeBundle } from '../testing/make-bundle.ts';
import { decodeText, executor, job, manifest, model as base } from '../testing/tiny.ts';
import { verifyBundle } from '../verify-bundle.ts';

const tokenText = (id: number): TokenText => ({ token: decodeText([id]), bytes: id < 90 ? [id] : null });
const model = { ...base, tokenText };
let bundle: Bundle;
let shown: LogprobEntry[];

/** What a gateway shows, through JSON. */
function entriesOf({ promptIds, completionIds, request }: Bundle, top: number): LogprobEntry[] {
  const key = prfKey(request.modelId, request.sampler, request.seed, request.choice);
  const { logprobs } = reexecute({ executor, promptIds, completionIds, sampler: request.sampler, prfKey: key, logprobs: top });
  const entries = completionIds.map((id, i) => logprobEntry(id, logprobs[i]!, tokenText));
  return JSON.parse(JSON.stringify(entries)) as LogprobEntry[];
}

beforeAll(() => {
  bundle = makeBundle({ manifest, job, ...decode(executor, job), finishReason: 'length' });
  shown = entriesOf(bundle, 5);
});

const check = (answerLogprobs: readonly unknown[] | undefined, of = bundle, by = model as typeof base) => {
  const report = verifyBundle({ bundle: of, model: by, ...(answerLogprobs && { answerLogprobs }) });
  return { verdict: report.verdict, step: report.steps.find(({ id }) => id === 'logprobs'), notChecked: report.notChecked };
};

describe('log probabilities that were shown', () => {
  it('are verified to the last bit, whole or the beginning of them', () => {
    expect(check(shown)).toMatchObject({
      verdict: 'verified',
      step: { status: 'passed', detail: expect.stringContaining('all 12 tokens') },
    });
    expect(check(shown.slice(0, 3)).step).toMatchObject({ status: 'passed', detail: expect.stringContaining('the first 3 of 12') });
    expect(check(entriesOf(bundle, 0)).step?.status).toBe('passed');
  });

  it('leave no step when none were shown', () => expect(check(undefined).step).toBeUndefined());

  it('count as not checked without a tokenizer', () => {
    const { step, notChecked, verdict } = check(shown, bundle, base);
    expect(step).toMatchObject({ status: 'skipped' });
    expect(verdict).toBe('verified');
    expect(notChecked.join()).toMatch(/log probabilities/);
  });

  it('do not count the id that ended the answer', () => {
    const stopJob = { ...job, stopIds: [firstSeenFrom(bundle.completionIds, 4)] };
    const stopped = makeBundle({ manifest, job: stopJob, ...decode(executor, stopJob), finishReason: 'stop_id' });
    const count = stopped.completionIds.length - 1;
    expect(check(entriesOf(stopped, 2).slice(0, -1), stopped).step).toMatchObject({
      detail: expect.stringContaining(`all ${count} tokens`),
    });
    expect(check(entriesOf(stopped, 2), stopped).step).toMatchObject({ status: 'failed' });
  });

  const edited = (index: number, change: (entry: LogprobEntry) => object): unknown[] =>
    shown.map((entry, i) => (i === index ? { ...entry, ...change(entry) } : entry));

  it.each<[string, () => unknown[], RegExp]>([
    [
      'a changed number',
      () => edited(2, ({ logprob }) => ({ logprob: logprob - 1 / 65_536 })),
      /answer token 3: the model gives .* was shown; .*not signed/,
    ],
    ['another token', () => edited(0, () => ({ token: '?' })), /answer token 1: the token is/],
    ['other bytes', () => edited(1, () => ({ bytes: [1, 2] })), /answer token 2: the bytes are/],
    [
      'a changed alternative',
      () => edited(3, ({ top_logprobs: top }) => ({ top_logprobs: top.with(1, top[0]!) })),
      /answer token 4: top_logprobs\[1\]/,
    ],
    [
      'alternatives in another order',
      () => edited(3, ({ top_logprobs: top }) => ({ top_logprobs: top.toReversed() })),
      /top_logprobs\[0\]/,
    ],
    [
      'more alternatives than the vocabulary could have',
      () => edited(0, ({ top_logprobs: [top] }) => ({ top_logprobs: Array(21).fill(top) })),
      /expected 20|expected 5/,
    ],
    [
      'an alternative that is no object',
      () => edited(0, ({ top_logprobs: top }) => ({ top_logprobs: [...top.slice(1), 7] })),
      /top_logprobs/,
    ],
    ['more tokens than the answer', () => [...shown, shown[0]], /of 13 tokens were shown, the answer has 12/],
    ['a text', () => ['x', ...shown.slice(1)], /expected an object/],
  ])('refutes %s', (_, make, message) => {
    const { verdict, step } = check(make());
    expect(verdict).toBe('refuted');
    expect(step!.detail).toMatch(message);
  });
});
