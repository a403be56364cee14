import { type Address, type Hex, type Hex32, type ModelId, concatBytes, fromHex, toHex, utf8 } from './bytes.ts';
import { type Domain, typedDigest, word } from './eip712.ts';
import { DecodeError } from './errors.ts';
import { canonicalize } from './jcs.ts';
import { limits } from './limits.ts';
import { Fields } from './read.ts';
import { type SamplerSettings, parseSampler } from './sampler-settings.ts';
import { sha256 } from './sha256.ts';

export const REQUEST_VERSION = 'commonweight/request/3';

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
  /** Highest sum of the account (node, payer, model, asset, channel) that the payer agrees to in this request's receipt, decimal string. */
  readonly cumulativeLimit: string;
  /** Commitment to whether the client allows an audit: SHA-256(32-byte salt || 1 or 0). */
  readonly auditConsent: Hex32;
}

/** SHA-256 of the canonical JSON. */
export const requestHashOf = (request: CanonicalRequest): Hex32 => toHex(sha256(utf8(canonicalize(request))));

export const REQUEST_TYPE =
  'Request(bytes32 requestHash,address payer,address node,bytes32 modelId,address asset,bytes32 channel,uint256 cumulativeLimit)';

/** What the payer signs: nobody else can make a node work on his account, and no contract takes more of his money than he agreed to. */
export const requestDigest = (request: CanonicalRequest, domain: Domain): Hex32 =>
  typedDigest(domain, REQUEST_TYPE, [
    word.bytes32(requestHashOf(request)),
    word.address(request.payer),
    word.address(request.node),
    word.bytes32(request.modelId),
    word.address(request.asset),
    word.bytes32(request.channel),
    word.uint(BigInt(request.cumulativeLimit)),
  ]);

/** The commitment in {@link CanonicalRequest.auditConsent}. */
export const auditConsentOf = (salt: Hex32, consent: boolean): Hex32 =>
  toHex(sha256(concatBytes(fromHex(salt, 32), Uint8Array.of(consent ? 1 : 0))));

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
    'cumulativeLimit',
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
    cumulativeLimit: String(f.uint('cumulativeLimit')),
    auditConsent: f.hex32('auditConsent'),
  };
  if (request.stopIds.some((id, i) => i > 0 && id <= request.stopIds[i - 1]!))
    throw new DecodeError(f.name('stopIds'), 'increasing ids', request.stopIds);
  if (request.sampler.grammar && request.stopIds.length === 0)
    throw new DecodeError(f.name('stopIds'), 'an id that ends the answer: a text of a grammar ends with one', request.stopIds);
  return request;
}
