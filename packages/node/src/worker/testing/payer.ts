import {
  type Address,
  type CanonicalRequest,
  type Domain,
  type End,
  type EndRequest,
  type Hex32,
  IdsCommitment,
  type ModelId,
  REQUEST_VERSION,
  type RunRequest,
  ZERO_ADDRESS,
  ZERO_HEX32,
  addressOfKey,
  auditConsentOf,
  endDigest,
  fromHex,
  requestDigest,
  requestHashOf,
  signDigest,
  toHex,
  uintBE,
  samplerSettings,
} from '@commonweight/protocol';

export const payerKey = `0x${'51'.repeat(32)}` as Hex32;

export interface Ask {
  readonly domain: Domain;
  readonly node: Address;
  readonly modelId: ModelId;
  readonly promptIds?: readonly number[];
  readonly key?: Hex32;
  /** Any number: another one makes another request. */
  readonly nonce?: number;
  readonly change?: Partial<CanonicalRequest>;
}

/** A request as a gateway would sign it. `change` is applied before signing. */
export function ask({ domain, node, modelId, promptIds = [1, 5, 9, 13], key = payerKey, nonce = 0, change = {} }: Ask): RunRequest {
  const secret = toHex(uintBE(nonce + 1, 32)) as Hex32;
  const request: CanonicalRequest = {
    version: REQUEST_VERSION,
    modelId,
    promptRoot: toHex(new IdsCommitment(fromHex(secret), promptIds).root()) as Hex32,
    promptTokens: promptIds.length,
    sampler: samplerSettings({ temperature: 1_000_000 }),
    seed: `0x${'07'.repeat(16)}`,
    choice: 0,
    stopIds: [],
    maxTokens: 8,
    node,
    payer: addressOfKey(key),
    channel: ZERO_HEX32,
    asset: ZERO_ADDRESS,
    promptPrice: '0',
    completionPrice: '0',
    cumulativeLimit: '0',
    auditConsent: auditConsentOf(ZERO_HEX32, false),
    ...change,
  };
  return { request, signature: signDigest(requestDigest(request, domain), key), promptIds, nonce: secret };
}

export function signEnd(
  run: RunRequest,
  domain: Domain,
  completionTokens: number,
  reason: End['reason'],
  key: Hex32 = payerKey,
): EndRequest {
  const end: End = { requestHash: requestHashOf(run.request), completionTokens, reason };
  return { end, signature: signDigest(endDigest(end, domain), key) };
}
