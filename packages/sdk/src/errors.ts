import { CommonweightError } from '@commonweight/protocol';
import type { Report } from '@commonweight/verifier';

/** The gateway answered with an error, in OpenAI's shape. */
export class ApiError extends CommonweightError {
  override readonly name = 'ApiError';
  readonly status: number;
  /** The `error` object of the body, with what the gateway adds (`partial`, `unproven_tokens`). */
  readonly body: Readonly<Record<string, unknown>>;

  constructor(status: number, body: Readonly<Record<string, unknown>>) {
    const text = (key: string): string | undefined => (typeof body[key] === 'string' ? body[key] : undefined);
    super(`${status}: ${text('message') ?? 'the gateway gave no reason'}`, {
      code: text('code') ?? 'api_error',
      action: status === 429 || status === 503 ? 'retry' : status >= 500 ? 'stop' : 'fix-input',
      ...(text('param') !== undefined && { field: text('param')! }),
    });
    this.status = status;
    this.body = body;
  }
}

/** What came is not an answer to what was asked, or its receipt does not hold. Nothing more is paid for it. */
export class AnswerRefused extends CommonweightError {
  override readonly name = 'AnswerRefused';
  /** What was checked, when there was a receipt. */
  readonly report: Report | undefined;

  constructor(message: string, code: string, report?: Report) {
    super(message, { code, action: 'stop' });
    this.report = report;
  }
}

/** The gateway or the node asks for more, for another receiver or in another asset than it may. Nothing was signed. */
export class PaymentRefused extends CommonweightError {
  override readonly name = 'PaymentRefused';

  constructor(message: string, code: PaymentRefusal, details: Readonly<Record<string, unknown>> = {}) {
    super(message, { code, action: 'stop', details });
  }
}

export type PaymentRefusal =
  /** No wallet, or no offer that it can pay. */
  | 'payment_not_possible'
  | 'payment_network'
  | 'payment_asset'
  | 'payment_receiver'
  /** Above what the registry's prices allow for this request. */
  | 'payment_price'
  /** A payment that would hold for too long, or money that would be held for too long. */
  | 'payment_terms'
  /** Above the caller's own caps. */
  | 'payment_cap_request'
  | 'payment_cap_total'
  /** The server asks again after it was paid. */
  | 'payment_not_taken';
