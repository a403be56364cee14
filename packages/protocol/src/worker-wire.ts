import { type Hex32, fromBase64, toBase64 } from './bytes.ts';
import { type End, type Receipt, parseEnd, parseReceipt, receiptToJson } from './receipt.ts';
import { type CanonicalRequest, parseRequest } from './request.ts';
import { limits } from './limits.ts';
import { Fields } from './read.ts';
import type { Signature } from './signature.ts';
import { type TokenLogprobs, parseTokenLogprobs } from './token-logprobs.ts';

/**
 * Messages between a gateway and a worker (SPEC section 25). The gateway POSTs a {@link RunRequest} to `/v1/run` and reads
 * newline-delimited JSON frames; it may POST an {@link EndRequest} to `/v1/end` while the run goes on.
 */
export interface RunRequest {
  readonly request: CanonicalRequest;
  readonly signature: Signature;
  readonly promptIds: readonly number[];
  readonly nonce: Hex32;
  /** 0 to 20: every token frame carries its log probability and those of so many likeliest ids. Influences no token and no bill, so the payer does not sign it. */
  readonly logprobs?: number;
}

export interface EndRequest {
  readonly end: End;
  readonly signature: Signature;
}

/** One line of the worker's answer. `queued` and `prefill` are progress, `checkpoint` signs the tokens before it, `receipt` or `error` is the last one. */
export type Frame =
  | { readonly type: 'queued'; readonly ahead: number }
  /** Prompt positions done; `cached` of them the node knew from an earlier run of this payer. */
  | { readonly type: 'prefill'; readonly done: number; readonly total: number; readonly cached: number }
  | { readonly type: 'token'; readonly index: number; readonly id: number; readonly logprobs?: TokenLogprobs }
  | { readonly type: 'checkpoint'; readonly completionTokens: number; readonly head: Hex32; readonly signature: Signature }
  | {
      readonly type: 'receipt';
      readonly receipt: Receipt;
      readonly signature: Signature;
      readonly digests: Uint8Array;
      /** Of a paid run: the value of `PAYMENT-RESPONSE` (see `parsePaymentResponse`), base64. */
      readonly settlement?: string;
    }
  | { readonly type: 'error'; readonly code: string; readonly message: string; readonly retryable: boolean };

export function parseRunRequest(value: unknown): RunRequest {
  const f = new Fields(value, '', ['request', 'signature', 'promptIds', 'nonce', 'logprobs?']);
  return {
    request: parseRequest(f.raw('request')),
    signature: f.hex('signature', 65),
    promptIds: f.integers('promptIds', limits.positions, 0, limits.matrixRows - 1),
    nonce: f.hex32('nonce'),
    ...(f.has('logprobs') && { logprobs: f.integer('logprobs', 0, limits.topLogprobs) }),
  };
}

export function parseEndRequest(value: unknown): EndRequest {
  const f = new Fields(value, '', ['end', 'signature']);
  return { end: parseEnd(f.raw('end')), signature: f.hex('signature', 65) };
}

export function encodeFrame(frame: Frame): string {
  if (frame.type !== 'receipt') return JSON.stringify(frame);
  const receipt = receiptToJson(frame.receipt);
  const { type, signature, digests, settlement } = frame;
  return JSON.stringify({ type, receipt, signature, digests: toBase64(digests), settlement });
}

export function parseFrame(value: unknown): Frame {
  const type = new Fields(value, 'frame', [
    'type',
    'ahead?',
    'done?',
    'total?',
    'cached?',
    'index?',
    'id?',
    'logprobs?',
    'completionTokens?',
    'head?',
    'receipt?',
    'signature?',
    'digests?',
    'settlement?',
    'code?',
    'message?',
    'retryable?',
  ]).literal('type', ['queued', 'prefill', 'token', 'checkpoint', 'receipt', 'error']);
  switch (type) {
    case 'queued':
      return { type, ahead: new Fields(value, 'frame', ['type', 'ahead']).integer('ahead', 0, limits.positions) };
    case 'prefill': {
      const f = new Fields(value, 'frame', ['type', 'done', 'total', 'cached']);
      const total = f.integer('total', 0, limits.positions);
      const done = f.integer('done', 0, total);
      return { type, done, total, cached: f.integer('cached', 0, done) };
    }
    case 'token': {
      const f = new Fields(value, 'frame', ['type', 'index', 'id', 'logprobs?']);
      const token = { type, index: f.integer('index', 0, limits.positions), id: f.integer('id', 0, limits.matrixRows - 1) };
      return f.has('logprobs') ? { ...token, logprobs: parseTokenLogprobs(f.raw('logprobs'), f.name('logprobs')) } : token;
    }
    case 'checkpoint': {
      const f = new Fields(value, 'frame', ['type', 'completionTokens', 'head', 'signature']);
      return {
        type,
        completionTokens: f.integer('completionTokens', 1, limits.positions),
        head: f.hex32('head'),
        signature: f.hex('signature', 65),
      };
    }
    case 'receipt': {
      const f = new Fields(value, 'frame', ['type', 'receipt', 'signature', 'digests', 'settlement?']);
      return {
        type,
        receipt: parseReceipt(f.raw('receipt')),
        signature: f.hex('signature', 65),
        digests: fromBase64(f.string('digests', limits.bundleBytes)),
        ...(f.has('settlement') && { settlement: f.string('settlement', limits.paymentHeader, /^[A-Za-z0-9+/]+={0,2}$/) }),
      };
    }
    case 'error': {
      const f = new Fields(value, 'frame', ['type', 'code', 'message', 'retryable']);
      return { type, code: f.string('code', 64), message: f.string('message', 1024), retryable: f.boolean('retryable') };
    }
  }
}
