import type { ModelPrice } from '@commonweight/chain';
import {
  type Address,
  type CanonicalRequest,
  type Domain,
  type End,
  type EndRequest,
  type Hex32,
  REQUEST_VERSION,
  type Signature,
  auditConsentOf,
  endDigest,
  fromHex,
  idsRoot,
  requestDigest,
  requestHashOf,
  signDigest,
  toHex,
} from '@commonweight/protocol';
import { nativeSha256 } from '../../platform/sha256.ts';
import type { Job } from './job.ts';

/** Who pays. */
export interface Payer {
  readonly address: Address;
  readonly key: Hex32;
  readonly domain: Domain;
}

export interface SignedRequest {
  readonly request: CanonicalRequest;
  readonly requestHash: Hex32;
  readonly signature: Signature;
  readonly nonce: Hex32;
  readonly auditSalt: Hex32;
  readonly auditConsent: boolean;
}

/** The node that is asked, the prices that the registry names for it, where it bills the request and up to which sum. */
export interface AskedNode extends Pick<CanonicalRequest, 'channel' | 'cumulativeLimit'> {
  readonly node: Address;
  readonly price: Pick<ModelPrice, 'asset' | 'promptPrice' | 'completionPrice'>;
}

/** The canonical request for one node at its registered price, with a nonce and an audit salt of its own, signed by the payer. Clients of this gateway allow audits. */
export function signRequest(
  job: Job,
  { node, price, channel, cumulativeLimit }: AskedNode,
  payer: Payer,
  draw32: () => Hex32,
): SignedRequest {
  const nonce = draw32();
  const auditSalt = draw32();
  const auditConsent = true;
  const request: CanonicalRequest = {
    version: REQUEST_VERSION,
    modelId: job.model.modelId,
    promptRoot: toHex(idsRoot(job.promptIds, fromHex(nonce, 32), nativeSha256)),
    promptTokens: job.promptIds.length,
    sampler: job.sampler,
    seed: job.seed,
    choice: 0,
    stopIds: [...new Set(job.model.manifest.generation.stopIds)].sort((a, b) => a - b),
    maxTokens: job.maxTokens,
    node,
    payer: payer.address,
    channel,
    asset: price.asset,
    promptPrice: String(price.promptPrice),
    completionPrice: String(price.completionPrice),
    cumulativeLimit,
    auditConsent: auditConsentOf(auditSalt, auditConsent),
  };
  const requestHash = requestHashOf(request);
  return {
    request,
    requestHash,
    signature: signDigest(requestDigest(request, payer.domain), payer.key),
    nonce,
    auditSalt,
    auditConsent,
  };
}

export const signEnd = (end: End, payer: Payer): EndRequest => ({ end, signature: signDigest(endDigest(end, payer.domain), payer.key) });
