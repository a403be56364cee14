import {
  type Bundle,
  type End,
  type Hex32,
  type Receipt,
  endDigest,
  fromHex,
  idsRoot,
  limits as protocolLimits,
  modelIdOf,
  recoverSigner,
  toHex,
} from '@commonweight/protocol';
import { limits } from '../limits.ts';
import { type Outcome, failed, passed, same, skipped } from '../outcome.ts';
import type { AskedSubject, Subject, VerifierModel } from '../subject.ts';

export function checkIds({ bundle: { promptIds, completionIds, nonce, receipt } }: Subject): Outcome {
  const root = toHex(idsRoot([...promptIds, ...completionIds], fromHex(nonce, 32)));
  return root === receipt.idsRoot
    ? passed(`${promptIds.length + completionIds.length} ids, root ${root}`)
    : failed(`the ids and the nonce give the root ${root}, the node signed ${receipt.idsRoot}`);
}

export function checkCounts({ bundle: { promptIds, completionIds, request, receipt } }: Subject): Outcome {
  if (completionIds.length > request.maxTokens) {
    return failed(`completionTokens: the request allows at most ${request.maxTokens}, the answer has ${completionIds.length}`);
  }
  return same(
    [
      ['promptTokens', receipt.promptTokens, promptIds.length],
      ['completionTokens', receipt.completionTokens, completionIds.length],
    ],
    `${receipt.promptTokens} prompt and ${receipt.completionTokens} answer tokens are billed and present`,
  );
}

/** An answer ends at the first stop id, else at the limit, else where the payer's signed end says. */
export function checkStop({ bundle: { completionIds, request, receipt } }: Subject): Outcome {
  const at = completionIds.findIndex((id) => request.stopIds.includes(id));
  const count = completionIds.length;
  if (at >= 0 && at < count - 1)
    return failed(`the stop id ${completionIds[at]} is at index ${at}, yet the answer goes on to ${count} tokens`);
  const { finishReason } = receipt;
  if (at >= 0) {
    return finishReason === 'stop_id'
      ? passed(`ends with the stop id ${completionIds[at]}`)
      : failed(`the answer ends with the stop id ${completionIds[at]}, the receipt says ${finishReason}`);
  }
  switch (finishReason) {
    case 'stop_id':
      return failed('the receipt says stop_id, the answer does not end with a stop id: it was cut short');
    case 'length':
      return count === request.maxTokens
        ? passed(`ends at the limit of ${count} tokens`)
        : failed(`the receipt says length, the answer has ${count} of ${request.maxTokens} tokens: it was cut short`);
    case 'stop_string':
    case 'cancelled':
      return passed(`no stop id before the end that the payer ordered (${finishReason})`);
  }
}

export function checkEnd({ bundle, requestHash }: Subject): Outcome {
  const { receipt, end: signed, domain } = bundle;
  const { finishReason } = receipt;
  const needed = finishReason === 'stop_string' || finishReason === 'cancelled';
  if (!signed) {
    if (!needed) return skipped(`not needed for ${finishReason}`);
    return failed(`the receipt says ${finishReason}, which needs the payer's signed end: the bundle holds none`);
  }
  const { end, signature } = signed;
  const matches = needed ? matchEnd(end, receipt, requestHash) : matchLateEnd(end, receipt, requestHash);
  if (matches.status === 'failed') return matches;
  const signer = recoverSigner(endDigest(end, domain), signature);
  return signer === bundle.request.payer
    ? matches
    : failed(`expected the signature of the payer ${bundle.request.payer}, got ${signer ?? 'a malformed one'}`);
}

const matchEnd = (end: End, { completionTokens, finishReason }: Receipt, requestHash: Hex32): Outcome =>
  same(
    [
      ['requestHash', requestHash, end.requestHash],
      ['completionTokens', completionTokens, end.completionTokens],
      ['finishReason', finishReason, end.reason],
    ],
    `the payer ended the answer after ${end.completionTokens} tokens (${end.reason})`,
  );

/** A stop string was complete, and the run over under its own rules before the node heard of it: what came after is billed and not shown. */
function matchLateEnd(end: End, { completionTokens, finishReason }: Receipt, requestHash: Hex32): Outcome {
  if (end.requestHash !== requestHash) return failed(`requestHash: expected ${requestHash}, the end says ${end.requestHash}`);
  if (end.reason !== 'stop_string') return failed(`the receipt says ${finishReason}, yet the bundle holds an end by ${end.reason}`);
  if (end.completionTokens > completionTokens)
    return failed(`the receipt covers ${completionTokens} tokens, yet the end names ${end.completionTokens}`);
  return passed(
    `the payer ended the text with token ${end.completionTokens} (stop_string); the run of ${completionTokens} tokens was over before the node heard of it`,
  );
}

/** Shown text is what the ids decode to; a stop string and what follows it in the last token are not shown (SPEC section 27). */
export const checkText = (subject: Subject): Outcome => withText(subject, (shown, decode) => compareText(shown, subject.bundle, decode));

/** Compares the text that was shown, where there is one and it can be decoded here. */
export function withText({ answerText, model, modelId }: AskedSubject, compare: (shown: string, decode: Decode) => Outcome): Outcome {
  if (answerText === undefined) return skipped('a bundle holds ids only, no text');
  if (model?.decode === undefined || modelIdOf(model.manifest) !== modelId)
    return skipped("the tokenizer of the answer's model is not here");
  const { decode } = model;
  try {
    return compare(answerText, decode);
  } catch (error) {
    // a decoder is the caller's: that it fails says nothing about the answer, and must not cost the other steps
    return skipped(`the tokenizer here failed: ${error instanceof Error ? error.message : String(error)}`.slice(0, limits.quote));
  }
}

export type Decode = NonNullable<VerifierModel['decode']>;

function compareText(shown: string, bundle: Bundle, decode: Decode): Outcome {
  const { request, receipt } = bundle;
  const late = lateEnd(bundle);
  const completionIds = late ? bundle.completionIds.slice(0, late.completionTokens) : bundle.completionIds;
  const decoded = decode(completionIds);
  if (shown === decoded || shown === whole(decoded)) return passed('the ids decode to the text');
  if (!decoded.startsWith(shown)) return failed(`the ids decode to ${quote(decoded)}, another text was shown`);
  const omitted = decoded.slice(shown.length);
  const most = mostOmitted(decoded, { completionIds, request }, decode);
  if (omitted.length > most) {
    return failed(
      `the ids go on with ${quote(omitted)}: ${omitted.length} UTF-16 units were not shown, a stop string and the last token are at most ${most}`,
    );
  }
  const without = `the text is what the ids decode to without its end ${quote(omitted)}`;
  const { finishReason } = receipt;
  if (late)
    return passed(`${without}; the payer's signed end names token ${late.completionTokens}, which stop string it was is not in the bundle`);
  if (finishReason === 'stop_string') return passed(`${without}; which stop string ended it is not in the receipt`);
  if (finishReason === 'cancelled') return passed(`${without}; the payer broke the answer off`);
  // a stop string that is complete in the last tokens may come too late for the node to end there
  return skipped(`${without}; whether a stop string ended it or somebody cut it, the receipt cannot say`);
}

/** The payer's end of an answer that had ended by itself before: the text stops there, the receipt does not. */
const lateEnd = ({ end, receipt: { finishReason } }: Bundle): End | undefined =>
  finishReason === 'stop_string' || finishReason === 'cancelled' ? undefined : end?.end;

/** UTF-16 units that a shown text may leave out at its end. */
export function mostOmitted(
  decoded: string,
  { completionIds, request }: Pick<Bundle, 'completionIds' | 'request'>,
  decode: Decode,
): number {
  // a stop string is complete in the last token at the latest; a stop id after it has no text
  const ids = request.stopIds.includes(completionIds.at(-1)!) ? completionIds.slice(0, -1) : completionIds;
  const lastToken = decoded.length - whole(decode(ids.slice(0, -1))).length;
  return protocolLimits.stopStringLength + lastToken;
}

/** Ids that end inside a character decode to U+FFFD, which a gateway may hold back. */
export const whole = (decoded: string): string => decoded.replace(/\uFFFD+$/, '');

export const quote = (text: string): string => JSON.stringify(text.length > limits.quote ? `${text.slice(0, limits.quote)}...` : text);
