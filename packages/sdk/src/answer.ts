import type { Bundle } from '@commonweight/protocol';
import type { Report } from '@commonweight/verifier';
import type { ChatCompletion } from './types.ts';

/** What is known about an answer beside its text. */
export interface Verified {
  /** Everything that verification needs besides the model: keep it. */
  readonly bundle: Bundle;
  readonly report: Report;
  /** What it cost, in the smallest unit of `asset`; 0 where nobody asks for money. */
  readonly paid: bigint;
}

/** OpenAI's object with what was checked. */
export type CheckedCompletion = ChatCompletion & { readonly commonweight: Verified };
