import { isCheckpointDue, streamHead } from '@commonweight/protocol';
import { type Outcome, failed, passed } from '../outcome.ts';
import type { PartialSubject } from '../subject.ts';
import { type Decode, mostOmitted, quote, whole, withText } from './answer.ts';
import { checkPayer } from './request.ts';

/** The checkpoint is for this request, and the payer ordered it on this chain. */
export function checkPartialRequest(subject: PartialSubject): Outcome {
  const { bundle, requestHash } = subject;
  const got = bundle.checkpoint.requestHash;
  return got === requestHash ? checkPayer(subject) : failed(`the request hashes to ${requestHash}, the checkpoint is for ${got}`);
}

export function checkPartialCounts({ bundle: { checkpoint, completionIds, request } }: PartialSubject): Outcome {
  const { completionTokens } = checkpoint;
  if (completionTokens !== completionIds.length)
    return failed(`the checkpoint covers ${completionTokens} tokens, the bundle holds ${completionIds.length}`);
  if (!isCheckpointDue(completionTokens)) return failed(`no checkpoint is due after ${completionTokens} tokens`);
  if (completionTokens > request.maxTokens)
    return failed(`the request allows at most ${request.maxTokens} tokens, ${completionTokens} are signed`);
  return passed(`${completionTokens} answer tokens are signed and present`);
}

export function checkHead({ bundle: { checkpoint, completionIds, nonce }, requestHash }: PartialSubject): Outcome {
  const head = streamHead(requestHash, nonce, completionIds);
  return head === checkpoint.head
    ? passed(`${completionIds.length} ids, head ${head}`)
    : failed(`the ids and the nonce give the head ${head}, the node signed ${checkpoint.head}`);
}

/** An answer that was to go on has no stop id but as its last token. */
export function checkPartialStop({ bundle: { completionIds, request } }: PartialSubject): Outcome {
  const at = completionIds.findIndex((id) => request.stopIds.includes(id));
  if (at < 0) return passed('no stop id among the covered tokens');
  if (at === completionIds.length - 1) return passed(`the last covered token is the stop id ${completionIds[at]}`);
  return failed(`the stop id ${completionIds[at]} is at index ${at}, yet the answer goes on to ${completionIds.length} tokens`);
}

/** Shown text begins with what the covered ids decode to, or is a beginning of it; what it shows beyond them nobody signed (SPEC section 28). */
export const checkPartialText = (subject: PartialSubject): Outcome =>
  withText(subject, (shown, decode) => compareText(shown, subject, decode));

function compareText(shown: string, { bundle }: PartialSubject, decode: Decode): Outcome {
  const decoded = decode(bundle.completionIds);
  const covered = whole(decoded);
  if (shown.startsWith(covered)) {
    const beyond = shown.length - covered.length;
    const same = `the ids decode to the first ${covered.length} characters of the text`;
    if (beyond === 0) return passed('the ids decode to the text');
    return {
      ...passed(same),
      open: `the ${beyond} characters ${quote(shown.slice(covered.length))} at the end of the text: no signature covers them`,
    };
  }
  if (!decoded.startsWith(shown)) return failed(`the ids decode to ${quote(decoded)}, another text was shown`);
  const omitted = decoded.slice(shown.length);
  const most = mostOmitted(decoded, bundle, decode);
  if (omitted.length <= most) return passed(`the text is what the ids decode to without its end ${quote(omitted)}, which was held back`);
  return failed(
    `the ids go on with ${quote(omitted)}: ${omitted.length} UTF-16 units were not shown, a stop string and the last token are at most ${most}`,
  );
}
