import { CommonweightError } from '@commonweight/protocol';
import { ApiError } from '../api-error.ts';

/** What a wallet may spend, in the asset's smallest unit. */
export interface SpendingCaps {
  /** For one request at most. */
  readonly maxPerRequest: bigint;
  /** For all requests of one UTC day. */
  readonly maxPerDay: bigint;
  /** That lies, or can still come to lie, in the channels with one node for one model, and is not charged yet. */
  readonly maxDeposit: bigint;
  /** Put into a channel at once, when a run does not need more. */
  readonly depositStep: bigint;
}

/** @throws ApiError when a run that may cost `maximum` is more than the caps allow. @param committed - charged today, and what may still be charged. */
export function requireWithin(caps: SpendingCaps, maximum: bigint, committed: bigint): void {
  if (maximum > caps.maxPerRequest) {
    throw new ApiError(
      `max_tokens: this request may cost ${maximum}, at most ${caps.maxPerRequest} may be spent on one (maxPerRequest); ask for fewer tokens`,
      { status: 402, code: 'request_too_dear', param: 'max_tokens' },
    );
  }
  if (committed + maximum > caps.maxPerDay) {
    throw new ApiError(
      `you exceeded the budget of today: ${committed} of ${caps.maxPerDay} (maxPerDay) are spent or reserved, this request may cost ${maximum}`,
      { status: 429, code: 'insufficient_quota' },
    );
  }
}

/**
 * How much to deposit so that `missing` is there.
 * @param uncharged - what lies in the channel and is not charged.
 * @param pending - signed deposits that were not used, and still can be.
 * @throws ApiError when it would be more than `maxDeposit`; CommonweightError `deposits_pending` when that is only for deposits that were not used.
 */
export function depositFor(caps: SpendingCaps, missing: bigint, uncharged: bigint, pending: bigint): bigint {
  const room = caps.maxDeposit - uncharged - pending;
  if (missing > room) {
    if (missing <= room + pending)
      throw new CommonweightError(
        `the node did not use deposits of ${pending}, and still can: ${room > 0n ? room : 0n} more may be signed until they expire (maxDeposit), this request needs ${missing}`,
        { code: 'deposits_pending', action: 'retry' },
      );
    throw new ApiError(
      `this request needs a deposit of ${missing}, ${room > 0n ? room : 0n} more may be put into its channel (maxDeposit)`,
      {
        status: 402,
        code: 'deposit_too_large',
      },
    );
  }
  const wanted = missing > caps.depositStep ? missing : caps.depositStep;
  return wanted < room ? wanted : room;
}
