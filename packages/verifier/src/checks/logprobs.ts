import { type AskedPart, type LogprobEntry, type TokenText, limits as protocolLimits, logprobEntry } from '@commonweight/protocol';
import { type Outcome, failed, passed, skipped } from '../outcome.ts';
import type { Reexecution } from '../reexecute.ts';
import { isRecord } from '../read-json.ts';
import type { AskedSubject } from '../subject.ts';

/** The most likeliest ids that any shown token names. */
export function shownTop(shown: readonly unknown[]): number {
  const lengths = shown.map((entry) => (isRecord(entry) && Array.isArray(entry['top_logprobs']) ? entry['top_logprobs'].length : 0));
  return Math.min(
    protocolLimits.topLogprobs,
    lengths.reduce((a, b) => Math.max(a, b), 0),
  );
}

type LogprobsSubject = Pick<AskedSubject, 'bundle' | 'answerLogprobs' | 'model'>;

/** Log probabilities that were shown (OpenAI's objects) against those of the re-executed model: the same text, bytes and number, to the last bit. */
export function logprobsOutcome(run: Reexecution, { bundle, answerLogprobs: shown, model }: LogprobsSubject): Outcome {
  if (!shown) return skipped('none were shown');
  const textOf = model?.tokenText;
  if (!textOf) return skipped("the tokenizer of the receipt's model is not here");
  const ids = textIds(bundle);
  if (shown.length > ids.length)
    return failed(`log probabilities of ${shown.length} tokens were shown, the answer has ${ids.length} with text`);
  for (const [i, entry] of shown.entries()) {
    const { logprob, top } = run.logprobs[i]!;
    const count = isRecord(entry) && Array.isArray(entry['top_logprobs']) ? entry['top_logprobs'].length : 0;
    const expected = logprobEntry(ids[i]!, { logprob, top: top.slice(0, count) }, textOf);
    const fault = difference(entry, expected);
    if (fault !== undefined)
      return failed(`answer token ${i + 1}: ${fault}; log probabilities are not signed: anybody on the way may have changed them`);
  }
  const all = shown.length === ids.length ? `all ${ids.length} tokens` : `the first ${shown.length} of ${ids.length} tokens`;
  return passed(`the model gives the log probabilities that were shown, of ${all}`);
}

/** The same for an answer that broke off: of what was shown, the part that belongs to covered tokens. */
export const coveredLogprobsOutcome = (run: Reexecution, { bundle, answerLogprobs, model }: LogprobsSubject): Outcome =>
  logprobsOutcome(run, {
    bundle,
    ...(model && { model }),
    ...(answerLogprobs && { answerLogprobs: answerLogprobs.slice(0, textIds(bundle).length) }),
  });

/** An id that ended the answer has no text. */
const textIds = ({ completionIds, request }: AskedPart): readonly number[] =>
  request.stopIds.includes(completionIds.at(-1)!) ? completionIds.slice(0, -1) : completionIds;

function difference(entry: unknown, expected: LogprobEntry): string | undefined {
  const own = oneDifference(entry, expected);
  if (own !== undefined) return own;
  const shown = (entry as Readonly<Record<string, unknown>>)['top_logprobs'];
  if (!Array.isArray(shown) || shown.length !== expected.top_logprobs.length)
    return `expected ${expected.top_logprobs.length} likeliest tokens in top_logprobs`;
  for (const [i, of] of expected.top_logprobs.entries()) {
    const fault = oneDifference(shown[i], of);
    if (fault !== undefined) return `top_logprobs[${i}]: ${fault}`;
  }
  return undefined;
}

function oneDifference(shown: unknown, { token, bytes, logprob }: TokenText & { readonly logprob: number }): string | undefined {
  if (!isRecord(shown)) return 'expected an object with token, bytes and logprob';
  const quoted = (value: unknown): string => String(JSON.stringify(value)).slice(0, 80);
  if (shown['token'] !== token) return `the token is ${quoted(token)}, ${quoted(shown['token'])} was shown`;
  if (JSON.stringify(shown['bytes']) !== JSON.stringify(bytes))
    return `the bytes are ${quoted(bytes)}, ${quoted(shown['bytes'])} was shown`;
  if (shown['logprob'] !== logprob) return `the model gives ${logprob}, ${quoted(shown['logprob'])} was shown`;
  return undefined;
}
