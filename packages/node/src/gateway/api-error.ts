import { CommonweightError, type PartialBundle } from '@commonweight/protocol';
import type { Provable } from './check/provable.ts';

/** The only statuses that the gateway answers a failed request with. */
export type ErrorStatus = 400 | 402 | 403 | 404 | 405 | 413 | 415 | 429 | 500 | 502 | 503;

export interface ApiErrorOptions {
  readonly status: ErrorStatus;
  readonly code: string;
  /** The request field at fault, as OpenAI's `param`. */
  readonly param?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  /** What is provable of an answer that broke off. */
  readonly provable?: Provable;
  readonly cause?: unknown;
}

/** A failure that may be shown to the client, with its HTTP status. HTTP statuses exist nowhere else in the project. */
export class ApiError extends CommonweightError {
  override readonly name = 'ApiError';
  readonly status: ErrorStatus;
  readonly headers: Readonly<Record<string, string>>;
  readonly provable: Provable | undefined;

  constructor(message: string, options: ApiErrorOptions) {
    super(message, {
      code: options.code,
      action: options.status === 429 || options.status === 503 ? 'retry' : options.status >= 500 ? 'stop' : 'fix-input',
      ...(options.param !== undefined && { field: options.param }),
      ...(options.cause !== undefined && { cause: options.cause }),
    });
    this.status = options.status;
    this.headers = options.headers ?? {};
    this.provable = options.provable;
  }
}

const types: Partial<Record<ErrorStatus, string>> = { 402: 'payment_required', 403: 'permission_error', 429: 'rate_limit_error' };

/** OpenAI's error body. What we add stands inside `error`: that object is what clients hand to their callers. */
export interface ErrorBody {
  readonly error: {
    readonly message: string;
    readonly type: string;
    readonly param: string | null;
    readonly code: string;
    /** What the node signed of an answer that broke off, for `commonweight verify`. */
    readonly partial?: PartialBundle;
    /** Tokens after those in `partial`: they may have been shown, nobody signed them. */
    readonly unproven_tokens?: number;
  };
}

export const errorBody = (error: ApiError): ErrorBody => ({
  error: {
    message: error.message,
    type: types[error.status] ?? (error.status >= 500 ? 'server_error' : 'invalid_request_error'),
    param: error.field ?? null,
    code: error.code,
    ...(error.provable && { partial: error.provable.partial, unproven_tokens: error.provable.unproven }),
  },
});

/** A 400 that names the field. */
export const invalid = (param: string | undefined, message: string, code = 'invalid_value'): ApiError =>
  new ApiError(message, { status: 400, code, param });
