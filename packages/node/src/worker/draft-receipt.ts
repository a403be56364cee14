import {
  CommonweightError,
  type FinishReason,
  IdsCommitment,
  type RunRequest,
  ThinCommitment,
  committedPositions,
  fromHex,
  toHex,
} from '@commonweight/protocol';
import type { Draft } from '../journal/ledger.ts';
import { nativeSha256 } from '../platform/sha256.ts';
import { type Offer, chargedPrices } from './check-run.ts';

export interface Answer {
  readonly completionIds: readonly number[];
  readonly finishReason: FinishReason;
  /** Of at least the positions that the receipt covers. */
  readonly digests: Uint8Array;
}

/**
 * The receipt's content for exactly these completion ids, and the digests that it covers.
 * @param points - commit points a position
 * @throws CommonweightError `not_processed` when the digests do not reach that far: the prompt was not run to its end
 */
export function draftReceipt(
  { request, promptIds, nonce }: RunRequest,
  requestHash: `0x${string}`,
  answer: Answer,
  points: number,
  offer: Offer,
  issuedAt: number,
): { draft: Draft; digests: Uint8Array } {
  const { completionIds, finishReason } = answer;
  const size = 32 * points * committedPositions(promptIds.length, completionIds.length);
  if (answer.digests.length < size) {
    throw new CommonweightError('the run was ended before its prompt was processed: there is no receipt, nothing is billed', {
      code: 'not_processed',
    });
  }
  const digests = answer.digests.slice(0, size);
  const ids = new IdsCommitment(fromHex(nonce, 32), promptIds, nativeSha256);
  for (const id of completionIds) ids.append(id);
  return {
    digests,
    draft: {
      payer: request.payer,
      modelId: request.modelId,
      requestHash,
      idsRoot: toHex(ids.root()),
      thinRoot: toHex(ThinCommitment.fromBytes(points, digests, nativeSha256).root()),
      promptTokens: promptIds.length,
      completionTokens: completionIds.length,
      finishReason,
      ...chargedPrices(request, offer),
      asset: offer.asset,
      channel: request.channel,
      issuedAt,
    },
  };
}
