import type { Address } from '@commonweight/protocol';
import { gatewayLimits as limits } from '../../limits.ts';
import { ApiError } from '../api-error.ts';
import type { Provable } from '../check/provable.ts';
import type { ReceiptInvalid } from '../check/receipt-invalid.ts';
import type { NodeFailure } from '../network/node-failure.ts';

/** A node failed when its text was already shown. */
export const brokenOff = (node: Address, cause: NodeFailure): ApiError =>
  new ApiError(`node ${node} broke the answer off: ${cause.message}; ask again`, { status: 502, code: 'node_failed', cause });

/** No node that was asked gave an answer. */
export function allFailed(failures: readonly NodeFailure[]): ApiError {
  const last = failures.at(-1);
  if (failures.length > 0 && failures.every(({ kind }) => kind === 'busy')) {
    return new ApiError('every node that serves this model is full; try again', {
      status: 429,
      code: 'all_nodes_busy',
      headers: { 'retry-after': String(limits.retryAfterSeconds) },
    });
  }
  const message = `no node answered (${failures.length} asked); the last one: ${last?.message ?? 'none'}`;
  return new ApiError(message, { status: 503, code: 'no_node_answered', cause: last });
}

/** What a node signed contradicts what it sent, or what was asked. */
export function refusedAnswer(node: Address, cause: ReceiptInvalid): ApiError {
  const by = cause.check === 'checkpoint' || cause.check === 'equivocation' ? 'checkpoint' : 'receipt';
  return new ApiError(`node ${node} gave an answer that its ${by} does not cover (${cause.message}); it was not passed on`, {
    status: 502,
    code: `${by}_invalid`,
    param: cause.check,
    cause,
  });
}

/** Of several broken answers the one of which most is provable goes to the client. */
export function withProof(error: ApiError, provable: readonly Provable[]): ApiError {
  const [best] = provable.toSorted((a, b) => b.partial.completionIds.length - a.partial.completionIds.length);
  if (!best) return error;
  const { partial, unproven } = best;
  const covered = partial.completionIds.length;
  const rest = unproven === 0 ? '' : `, the ${unproven} after them are not`;
  return new ApiError(`${error.message}. Tokens 1 to ${covered} are covered by the signature of node ${partial.request.node}${rest}`, {
    status: error.status,
    code: error.code,
    param: error.field,
    headers: { ...error.headers, 'x-commonweight-request': partial.checkpoint.requestHash, 'x-commonweight-node': partial.request.node },
    provable: best,
    cause: error,
  });
}
