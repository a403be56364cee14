/** What the receiver of an error should do: change the input, try again, or stop (security or a bug). */
export type ErrorAction = 'fix-input' | 'retry' | 'stop';

export interface ErrorOptions {
  readonly code: string;
  readonly action?: ErrorAction;
  /** Name of the request or file field at fault, when there is one. */
  readonly field?: string;
  readonly details?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/**
 * The one error base of the project. `message` says what was expected, what came and what to do;
 * `code` is stable and machine-readable. HTTP status codes live in the gateway alone.
 */
export class CommonweightError extends Error {
  override readonly name: string = 'CommonweightError';
  readonly code: string;
  readonly action: ErrorAction;
  readonly field: string | undefined;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(message: string, options: ErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = options.code;
    this.action = options.action ?? 'fix-input';
    this.field = options.field;
    this.details = options.details ?? {};
  }

  get retryable(): boolean {
    return this.action === 'retry';
  }
}

/** Thrown by the bounded decoders of signed bytes: the input is not what the specification allows. */
export class DecodeError extends CommonweightError {
  override readonly name = 'DecodeError';
  constructor(field: string, expected: string, got: unknown) {
    super(`${field}: expected ${expected}, got ${describe(got)}`, { code: 'decode', field, details: { expected } });
  }
}

function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === 'object') return 'an object';
  const text = Object.is(value, -0) ? '-0' : String(value as string | number | bigint | boolean | symbol);
  return `${typeof value} ${text.length > 80 ? `${text.slice(0, 80)}... (${text.length} characters)` : text}`;
}
