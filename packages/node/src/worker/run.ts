import { CommonweightError, type Frame, type Hex32, type RunRequest, accountKey } from '@commonweight/protocol';
import type { SignedEnd } from '../journal/ledger-record.ts';
import type { Issued } from '../journal/ledger.ts';
import { FrameStream } from './frame-stream.ts';

/** How a run ended: with a receipt (and the digests that it covers), or without. */
export type Outcome =
  | {
      readonly issued: Issued;
      readonly digests: Uint8Array;
      /** Of a paid run: the value of `PAYMENT-RESPONSE`. */
      readonly settlement?: string;
    }
  | { readonly error: CommonweightError };

/**
 * One accepted request. Three things can end it before the model does: the payer's signed end, the reader going away, the worker stopping;
 * the first two stop the engine, and only the first makes a receipt.
 */
export class Run {
  readonly input: RunRequest;
  readonly requestHash: Hex32;
  /** Key of the account that it is billed to. */
  readonly account: Hex32;
  readonly frames: FrameStream;
  /** Resolves when the receipt is on disk or it is certain that there will be none. */
  readonly outcome: Promise<Outcome>;
  /** The engine has done something for it. */
  worked = false;
  /** Tokens handed out so far. */
  tokens = 0;
  /** The last of them is a stop id: the answer has ended by itself there, whatever the engine still has to do. */
  atStopId = false;
  readonly #stop = new AbortController();
  #end: SignedEnd | undefined;
  #open = true;
  #endCame: (() => void) | undefined;
  #settle!: (outcome: Outcome) => void;

  constructor(input: RunRequest, requestHash: Hex32) {
    this.input = input;
    this.requestHash = requestHash;
    this.account = accountKey(input.request);
    this.outcome = new Promise((resolve) => (this.#settle = resolve));
    this.frames = new FrameStream(() => this.stop());
  }

  /** Aborted when the engine has to stop, whatever the cause. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  get end(): SignedEnd | undefined {
    return this.#end;
  }

  stop(): void {
    this.#stop.abort(new CommonweightError('the run was stopped', { code: 'stopped', action: 'retry' }));
  }

  /** Takes the payer's end unless the run has already ended in another way. Returns whether it counts. */
  acceptEnd(end: SignedEnd): boolean {
    if (!this.#end) {
      if (!this.#open) return false;
      this.#end = end;
      this.#endCame?.();
      this.stop();
    }
    return this.#end.end.completionTokens === end.end.completionTokens && this.#end.end.reason === end.end.reason;
  }

  /** Calls back at once or when an end comes. */
  onEnd(callback: () => void): void {
    if (this.#end) callback();
    else this.#endCame = callback;
  }

  /** From here on no end is accepted: what is known now goes into the receipt. */
  decide(): SignedEnd | undefined {
    this.#open = false;
    return this.#end;
  }

  finish(outcome: Outcome): void {
    this.#open = false;
    this.frames.end(outcomeFrame(outcome));
    this.#settle(outcome);
  }
}

export const outcomeFrame = (outcome: Outcome): Frame =>
  'error' in outcome
    ? errorFrame(outcome.error)
    : {
        type: 'receipt',
        receipt: outcome.issued.receipt,
        signature: outcome.issued.signature,
        digests: outcome.digests,
        ...(outcome.settlement !== undefined && { settlement: outcome.settlement }),
      };

export const errorFrame = (error: CommonweightError): Extract<Frame, { type: 'error' }> => ({
  type: 'error',
  code: error.code,
  message: error.message.slice(0, 1024),
  retryable: error.retryable,
});
