import { type Bundle, endDigest, fromHex, idsRoot, recoverSigner, toHex } from '@commonweight/protocol';
import { limits } from '../limits.ts';
import { type Outcome, failed, passed, same, skipped } from '../outcome.ts';
import type { Subject } from '../subject.ts';

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
  if (finishReason !== 'stop_string' && finishReason !== 'cancelled') {
    return signed
      ? failed(`the receipt says ${finishReason}, yet the bundle holds an end by ${signed.end.reason}`)
      : skipped(`not needed for ${finishReason}`);
  }
  if (!signed) return failed(`the receipt says ${finishReason}, which needs the payer's signed end: the bundle holds none`);
  const { end, signature } = signed;
  const matches = same(
    [
      ['requestHash', requestHash, end.requestHash],
      ['completionTokens', receipt.completionTokens, end.completionTokens],
      ['finishReason', finishReason, end.reason],
    ],
    `the payer ended the answer after ${end.completionTokens} tokens (${end.reason})`,
  );
  if (matches.status === 'failed') return matches;
  const signer = recoverSigner(endDigest(end, domain), signature);
  return signer === bundle.request.payer
    ? matches
    : failed(`expected the signature of the payer ${bundle.request.payer}, got ${signer ?? 'a malformed one'}`);
}

/** Shown text is what the ids decode to; a stop string and what follows it are not shown. */
export function checkText({ bundle, answerText, model }: Subject): Outcome {
  if (answerText === undefined) return skipped('a bundle holds ids only, no text');
  if (model?.decode === undefined) return skipped("the model's tokenizer is not here");
  return compareText(answerText, model.decode(bundle.completionIds), bundle.receipt.finishReason);
}

function compareText(shown: string, decoded: string, finishReason: Bundle['receipt']['finishReason']): Outcome {
  // ids that end inside a character decode to U+FFFD, which a gateway may hold back
  if (shown === decoded || shown === decoded.replace(/\uFFFD+$/, '')) return passed('the ids decode to the text');
  const quote = JSON.stringify(decoded.slice(0, limits.quote));
  if (!decoded.startsWith(shown)) return failed(`the ids decode to ${quote}, another text was shown`);
  const beginning = `the text is the beginning of what the ids decode to, ${quote}`;
  if (finishReason === 'stop_string' || finishReason === 'cancelled')
    return passed(`${beginning}; which stop string ended it is not in the receipt`);
  // a stop string that is complete in the last tokens may come too late for the node to end there
  return skipped(`${beginning}; whether a stop string ended it or somebody cut it, the receipt cannot say`);
}
