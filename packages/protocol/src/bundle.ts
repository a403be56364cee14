import { type Hex, type Hex32, fromBase64, fromHex, toBase64 } from './bytes.ts';
import { DecodeError } from './errors.ts';
import { isAddress } from './bytes.ts';
import type { Domain } from './eip712.ts';
import { limits } from './limits.ts';
import { Fields } from './read.ts';
import { type End, type Receipt, parseEnd, parseReceipt, receiptToJson } from './receipt.ts';
import { type CanonicalRequest, parseRequest } from './request.ts';
import type { Signature } from './signature.ts';

export const BUNDLE_VERSION = 'commonweight/bundle/1';

/** The signed request, with what opens its commitments, and the ids of prompt and answer. */
export interface AskedPart {
  readonly domain: Domain;
  readonly request: CanonicalRequest;
  /** The payer's signature over {@link requestDigest}. */
  readonly requestSignature: Signature;
  /** Secret of the ids' salts, 32 bytes. */
  readonly nonce: Hex32;
  readonly auditSalt: Hex32;
  readonly auditConsent: boolean;
  readonly promptIds: readonly number[];
  readonly completionIds: readonly number[];
}

/** What a client stores: everything that verification needs besides the model. */
export interface Bundle extends AskedPart {
  readonly version: typeof BUNDLE_VERSION;
  readonly receipt: Receipt;
  /** The node's session key's signature over {@link receiptDigest}. */
  readonly signature: Signature;
  /** Present when the finish reason is `stop_string` or `cancelled`; else the end by a stop string that came too late: the text stops there. */
  readonly end?: { readonly end: End; readonly signature: Signature };
  /** Digests of the commit points, 32 bytes each in order (position, commit point): they name the place of a lie. */
  readonly digests?: Uint8Array;
}

export const bundleToJson = (bundle: Bundle): Record<string, unknown> => ({
  ...bundle,
  receipt: receiptToJson(bundle.receipt),
  ...(bundle.digests && { digests: toBase64(bundle.digests) }),
});

const parseSignature = (f: Fields, key: string): Signature => f.hex(key, 65);

/** The keys of {@link AskedPart}. */
export const askedKeys = [
  'domain',
  'request',
  'requestSignature',
  'nonce',
  'auditSalt',
  'auditConsent',
  'promptIds',
  'completionIds',
] as const;

/** The part of a bundle that does not depend on how the answer ended. */
export function parseAsked(f: Fields): AskedPart {
  const ids = (key: string): number[] => f.integers(key, limits.positions, 0, limits.matrixRows - 1);
  return {
    domain: parseDomain(f.raw('domain'), f.name('domain')),
    request: parseRequest(f.raw('request'), f.name('request')),
    requestSignature: parseSignature(f, 'requestSignature'),
    nonce: f.hex32('nonce'),
    auditSalt: f.hex32('auditSalt'),
    auditConsent: f.boolean('auditConsent'),
    promptIds: ids('promptIds'),
    completionIds: ids('completionIds'),
  };
}

/** Reads an untrusted bundle: shape and bounds only; what it claims is checked by the verifier. */
export function parseBundle(value: unknown, path = ''): Bundle {
  const f = new Fields(value, path, ['version', ...askedKeys, 'receipt', 'signature', 'end?', 'digests?']);
  return {
    version: f.literal('version', [BUNDLE_VERSION]),
    ...parseAsked(f),
    receipt: parseReceipt(f.raw('receipt'), f.name('receipt')),
    signature: parseSignature(f, 'signature'),
    ...(f.has('end') && { end: parseSignedEnd(f.raw('end'), f.name('end')) }),
    ...(f.has('digests') && { digests: parseDigests(f.string('digests', limits.bundleBytes), f.name('digests')) }),
  };
}

function parseDomain(value: unknown, path: string): Domain {
  const f = new Fields(value, path, ['chainId', 'verifyingContract']);
  const verifyingContract = f.raw('verifyingContract');
  if (!isAddress(verifyingContract)) throw new DecodeError(f.name('verifyingContract'), 'an address', verifyingContract);
  return { chainId: f.integer('chainId', 1, Number.MAX_SAFE_INTEGER), verifyingContract };
}

export function parseSignedEnd(value: unknown, path: string): { end: End; signature: Hex } {
  const f = new Fields(value, path, ['end', 'signature']);
  return { end: parseEnd(f.raw('end'), f.name('end')), signature: parseSignature(f, 'signature') };
}

function parseDigests(text: string, path: string): Uint8Array {
  const bytes = fromBase64(text);
  if (bytes.length % 32 !== 0) throw new DecodeError(path, 'whole 32-byte digests in base64', `${bytes.length} bytes`);
  return bytes;
}

/** The secret nonce as bytes. */
export const nonceBytes = (bundle: Pick<Bundle, 'nonce'>): Uint8Array => fromHex(bundle.nonce, 32);
