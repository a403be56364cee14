import type { CommonweightError } from '@commonweight/protocol';
import type { ContentfulStatusCode } from 'hono/utils/http-status';

const statuses: Readonly<Record<string, ContentfulStatusCode>> = {
  bad_signature: 401,
  price_too_low: 402,
  payment_required: 402,
  payment_stale: 402,
  payment_invalid: 402,
  payment_used: 402,
  payment_owed: 402,
  payment_disorder: 402,
  limit_too_low: 402,
  host_not_allowed: 403,
  origin_not_allowed: 403,
  not_found: 404,
  model_not_served: 404,
  unknown_run: 404,
  unknown_receipt: 404,
  digests_gone: 404,
  replay: 409,
  already_ended: 409,
  end_ahead: 409,
  not_processed: 409,
  abandoned: 409,
  body_too_long: 413,
  content_type: 415,
  wrong_node: 421,
  queue_full: 429,
  channel_busy: 429,
  busy: 429,
  unbilled_limit: 429,
  internal: 500,
};

/** HTTP status of an error: named ones first, else by what the caller can do about it. */
export const statusOf = (error: CommonweightError): ContentfulStatusCode =>
  statuses[error.code] ?? (error.action === 'fix-input' ? 400 : 503);
