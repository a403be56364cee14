import { DecodeError } from './errors.ts';
import { limits } from './limits.ts';
import { Fields } from './read.ts';

/** Log probabilities of one token (SPEC section 14.1): natural logarithms, Q16, 0 or less. */
export interface TokenLogprobs {
  readonly logprob: number;
  /** The likeliest ids, in order; of equal logits the lower id first. */
  readonly top: readonly IdLogprob[];
}

export type IdLogprob = readonly [id: number, logprob: number];

/** L - Lmax - lnW is above this for every logit. */
const LOWEST = -(2 ** 33);

/** Reads untrusted log probabilities. */
export function parseTokenLogprobs(value: unknown, path: string): TokenLogprobs {
  const f = new Fields(value, path, ['logprob', 'top']);
  const logprob = f.integer('logprob', LOWEST, 0);
  const top = f.array('top', limits.topLogprobs).map((entry, i): IdLogprob => {
    const at = `${f.name('top')}[${i}]`;
    if (!Array.isArray(entry) || entry.length !== 2) throw new DecodeError(at, 'a pair of an id and its log probability', entry);
    const pair = new Fields({ id: entry[0] as unknown, logprob: entry[1] as unknown }, at, ['id', 'logprob']);
    return [pair.integer('id', 0, limits.matrixRows - 1), pair.integer('logprob', LOWEST, 0)];
  });
  const wrong = top.findIndex(([id, of], i) => {
    const before = top[i - 1];
    return before !== undefined && (of > before[1] || (of === before[1] && id <= before[0]));
  });
  if (wrong >= 0) throw new DecodeError(`${f.name('top')}[${wrong}]`, 'falling log probabilities, of equal ones rising ids', top[wrong]);
  return { logprob, top };
}

/** What a token shows of itself: its text, and the bytes that it stands for; null for a control token. */
export interface TokenText {
  readonly token: string;
  readonly bytes: readonly number[] | null;
}

/** OpenAI's object for one token. */
export interface LogprobEntry extends TokenText {
  readonly logprob: number;
  readonly top_logprobs: readonly (TokenText & { readonly logprob: number })[];
}

/** The one place where log probabilities become fractions: integer / 65,536, exact in binary64. */
export function logprobEntry(id: number, { logprob, top }: TokenLogprobs, textOf: (id: number) => TokenText): LogprobEntry {
  return {
    ...textOf(id),
    logprob: logprob / 65_536,
    top_logprobs: top.map(([of, value]) => ({ ...textOf(of), logprob: value / 65_536 })),
  };
}
