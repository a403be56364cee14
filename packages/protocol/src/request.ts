import { type Address, type Hex, type Hex32, type ModelId, concatBytes, fromHex, toHex, utf8 } from './bytes.ts';
import { DecodeError } from './errors.ts';
import { canonicalize } from './jcs.ts';
import { limits } from './limits.ts';
import { Fields } from './read.ts';
import { sha256 } from './sha256.ts';

export const REQUEST_VERSION = 'commonweight/request/1';

/** How the next token is chosen from the logits (SPEC section 14). All integers. */
export interface SamplerSettings {
  /** Millionths; 0 is greedy, otherwise 10,000 to 100,000,000. */
  readonly temperature: number;
  /** 0 is off. Ties at the k-th logit stay in. */
  readonly topK: number;
  /** Millionths, 1 to 1,000,000 (off). */
  readonly topP: number;
}

/** Everything that influences the output or the bill, after defaults are applied. `requestHash` is its hash; the payer signs that. */
export interface CanonicalRequest {
  readonly version: typeof REQUEST_VERSION;
  readonly modelId: ModelId;
  /** Salted root of the prompt ids (see {@link IdsCommitment}). */
  readonly promptRoot: Hex32;
  readonly promptTokens: number;
  readonly sampler: SamplerSettings;
  /** 16 bytes. */
  readonly seed: Hex;
  /** Index of this choice among `n`. */
  readonly choice: number;
  /** Ids that end the answer (the id itself is part of it), increasing. */
  readonly stopIds: readonly number[];
  readonly maxTokens: number;
  /** The node that is asked: nobody else may bill for it. */
  readonly node: Address;
  readonly payer: Address;
  readonly channel: Hex32;
  readonly asset: Address;
  /** Prices in the asset's smallest unit per million tokens, decimal strings; a receipt with higher ones is refused. */
  readonly promptPrice: string;
  readonly completionPrice: string;
  /** Commitment to whether the client allows an audit: SHA-256(32-byte salt || 1 or 0). */
  readonly auditConsent: Hex32;
}

/** SHA-256 of the canonical JSON. */
export const requestHashOf = (request: CanonicalRequest): Hex32 => toHex(sha256(utf8(canonicalize(request))));

/** The commitment in {@link CanonicalRequest.auditConsent}. */
export const auditConsentOf = (salt: Hex32, consent: boolean): Hex32 =>
  toHex(sha256(concatBytes(fromHex(salt, 32), Uint8Array.of(consent ? 1 : 0))));

export function parseSampler(value: unknown, path: string): SamplerSettings {
  const f = new Fields(value, path, ['temperature', 'topK', 'topP']);
  const temperature = f.integer('temperature', 0, 100_000_000);
  if (temperature !== 0 && temperature < 10_000)
    throw new DecodeError(f.name('temperature'), '0 or 10,000 to 100,000,000 millionths', temperature);
  return { temperature, topK: f.integer('topK', 0, limits.matrixRows), topP: f.integer('topP', 1, 1_000_000) };
}

/** Reads an untrusted request; an unknown field is refused. */
export function parseRequest(value: unknown, path = 'request'): CanonicalRequest {
  const f = new Fields(value, path, [
    'version',
    'modelId',
    'promptRoot',
    'promptTokens',
    'sampler',
    'seed',
    'choice',
    'stopIds',
    'maxTokens',
    'node',
    'payer',
    'channel',
    'asset',
    'promptPrice',
    'completionPrice',
    'auditConsent',
  ]);
  const request: CanonicalRequest = {
    version: f.literal('version', [REQUEST_VERSION]),
    modelId: f.hex32('modelId'),
    promptRoot: f.hex32('promptRoot'),
    promptTokens: f.integer('promptTokens', 1, limits.positions),
    sampler: parseSampler(f.raw('sampler'), f.name('sampler')),
    seed: f.hex('seed', 16),
    choice: f.integer('choice', 0, 127),
    stopIds: f.integers('stopIds', limits.stopIds, 0, limits.matrixRows - 1),
    maxTokens: f.integer('maxTokens', 1, limits.positions),
    node: f.address('node'),
    payer: f.address('payer'),
    channel: f.hex32('channel'),
    asset: f.address('asset'),
    promptPrice: String(f.uint('promptPrice')),
    completionPrice: String(f.uint('completionPrice')),
    auditConsent: f.hex32('auditConsent'),
  };
  if (request.stopIds.some((id, i) => i > 0 && id <= request.stopIds[i - 1]!))
    throw new DecodeError(f.name('stopIds'), 'increasing ids', request.stopIds);
  return request;
}
