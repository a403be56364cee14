import { describe, expect, it } from 'vitest';
import { type Bundle, bundleToJson, parseBundle } from './bundle.ts';
import type { Address, Hex32 } from './bytes.ts';
import { REQUEST_VERSION } from './request.ts';
import { samplerSettings } from './sampler-settings.ts';
import { parsePartialBundle } from './partial-bundle.ts';
import { encodeFrame, parseEndRequest, parseFrame, parseRunRequest } from './worker-wire.ts';

const hex32 = (byte: string): Hex32 => `0x${byte.repeat(32)}` as Hex32;
const address = (byte: string): Address => `0x${byte.repeat(20)}` as Address;
const signature = `0x${'5a'.repeat(65)}` as const;

const bundle: Bundle = {
  version: 'commonweight/bundle/1',
  domain: { chainId: 7, verifyingContract: address('c0') },
  request: {
    version: REQUEST_VERSION,
    modelId: hex32('01'),
    promptRoot: hex32('02'),
    promptTokens: 3,
    sampler: samplerSettings({ temperature: 700_000, topK: 40, topP: 950_000 }),
    seed: `0x${'03'.repeat(16)}`,
    choice: 0,
    stopIds: [0, 2],
    maxTokens: 16,
    node: address('04'),
    payer: address('05'),
    channel: hex32('00'),
    asset: address('00'),
    promptPrice: '0',
    completionPrice: '12',
    cumulativeLimit: '1',
    auditConsent: hex32('06'),
  },
  requestSignature: signature,
  nonce: hex32('07'),
  auditSalt: hex32('08'),
  auditConsent: true,
  promptIds: [1, 2, 3],
  completionIds: [4, 2],
  receipt: {
    node: address('04'),
    payer: address('05'),
    modelId: hex32('01'),
    requestHash: hex32('09'),
    idsRoot: hex32('0a'),
    thinRoot: hex32('0b'),
    promptTokens: 3,
    completionTokens: 2,
    finishReason: 'stop_string',
    promptPrice: 0n,
    completionPrice: 12n,
    asset: address('00'),
    cumulativeAmount: 1n,
    channel: hex32('00'),
    batch: 0,
    sequence: 0,
    previous: hex32('00'),
    issuedAt: 1,
  },
  signature,
  end: { end: { requestHash: hex32('09'), completionTokens: 2, reason: 'stop_string' }, signature },
  digests: new Uint8Array(128).fill(9),
};
const json = (): Record<string, unknown> => JSON.parse(JSON.stringify(bundleToJson(bundle))) as Record<string, unknown>;

describe('bundle', () => {
  it('parses what it writes', () => {
    expect(parseBundle(json())).toEqual(bundle);
    const { end: _end, digests: _digests, ...short } = json();
    expect(Object.keys(parseBundle(short))).not.toContain('end');
  });

  it.each<[string, Record<string, unknown>, RegExp]>([
    ['another version', { version: 'commonweight/bundle/2' }, /version/],
    ['an unknown field', { note: 1 }, /note/],
    ['a negative id', { promptIds: [1, -2] }, /promptIds\[1\]/],
    ['ids that are no array', { completionIds: '12' }, /completionIds/],
    ['half a digest', { digests: 'AAAA' }, /32-byte digests/],
    ['sloppy base64', { digests: 'AAAA\n' }, /base64/],
    ['a short signature', { signature: '0x00' }, /signature/],
    ['an upper-case nonce', { nonce: `0x${'AB'.repeat(32)}` }, /nonce/],
    ['a request with unordered stop ids', { request: { ...bundle.request, stopIds: [2, 0] } }, /request\.stopIds/],
    [
      'a temperature that the sampler does not have',
      { request: { ...bundle.request, sampler: samplerSettings({ temperature: 5, topP: 1 }) } },
      /sampler\.temperature/,
    ],
    [
      'an unknown sampler setting',
      { request: { ...bundle.request, sampler: { ...bundle.request.sampler, typicalP: 1 } } },
      /sampler\.typicalP/,
    ],
  ])('refuses %s', (_, change, message) => {
    expect(() => parseBundle({ ...json(), ...change })).toThrow(message);
  });
});

describe('partial bundle', () => {
  const { receipt: _receipt, signature: _signature, end: _end, digests: _digests, ...asked } = bundle;
  const checkpoint = { requestHash: hex32('09'), completionTokens: 2, head: hex32('0c') };
  const partial = { ...asked, version: 'commonweight/partial/1', checkpoint, signature };

  it('parses what it writes', () => expect(parsePartialBundle(JSON.parse(JSON.stringify(partial)))).toEqual(partial));

  it.each<[string, Record<string, unknown>, RegExp]>([
    ['a bundle', { version: 'commonweight/bundle/1' }, /version/],
    ['a receipt beside the checkpoint', { receipt: {} }, /receipt/],
    ['no tokens', { checkpoint: { ...checkpoint, completionTokens: 0 } }, /checkpoint\.completionTokens/],
    ['a short head', { checkpoint: { ...checkpoint, head: '0x00' } }, /checkpoint\.head/],
    ['an unknown field of the checkpoint', { checkpoint: { ...checkpoint, note: 1 } }, /checkpoint\.note/],
  ])('refuses %s', (_, change, message) => {
    expect(() => parsePartialBundle({ ...partial, ...change })).toThrow(message);
  });
});

describe('worker messages', () => {
  it.each([
    { type: 'queued', ahead: 3 } as const,
    { type: 'prefill', done: 5, total: 9, cached: 4 } as const,
    { type: 'token', index: 0, id: 49_151 } as const,
    { type: 'checkpoint', completionTokens: 16, head: hex32('0c'), signature } as const,
    { type: 'receipt', receipt: bundle.receipt, signature, digests: new Uint8Array(64).fill(3) } as const,
    { type: 'error', code: 'busy', message: 'try again', retryable: true } as const,
  ])('frame $type parses back', (frame) => {
    expect(parseFrame(JSON.parse(encodeFrame(frame)))).toEqual(frame);
  });

  it.each([
    [null],
    [[]],
    [{ type: 'token', index: 0 }],
    [{ type: 'token', index: 0, id: 1, more: 1 }],
    [{ type: 'done' }],
    [{ type: 'checkpoint', completionTokens: 0, head: hex32('0c'), signature }],
    [{ type: 'checkpoint', completionTokens: 16, head: '0x0c', signature }],
    [{ type: 'queued', ahead: 1.5 }],
  ])('refuses the frame %j', (frame) => {
    expect(() => parseFrame(frame)).toThrow(/frame/);
  });

  it('parses runs and ends, and refuses unknown fields', () => {
    const run = { request: bundle.request, signature, promptIds: [1, 2, 3], nonce: hex32('07') };
    expect(parseRunRequest(run)).toEqual(run);
    expect(() => parseRunRequest({ ...run, priority: 1 })).toThrow(/priority/);
    expect(parseEndRequest(bundle.end)).toEqual(bundle.end);
    expect(() => parseEndRequest({ ...bundle.end, end: { ...bundle.end!.end, reason: 'length' } })).toThrow(/end\.reason/);
  });
});
