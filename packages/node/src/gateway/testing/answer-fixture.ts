import {
  type Address,
  type CanonicalRequest,
  type Domain,
  type End,
  type FinishReason,
  type Hex32,
  MerkleTag,
  REQUEST_VERSION,
  type Receipt,
  type Signature,
  ZERO_ADDRESS,
  ZERO_HEX32,
  addressOfKey,
  auditConsentOf,
  committedPositions,
  fromHex,
  idsRoot,
  merkleRoot,
  receiptDigest,
  requestHashOf,
  sha256,
  signDigest,
  toHex,
  utf8,
  samplerSettings,
} from '@commonweight/protocol';
import type { Answered, Asked } from '../check/check-answer.ts';

const secret = (name: string): Hex32 => toHex(sha256(utf8(name)));
export const keys = { operator: secret('operator'), session: secret('session'), payer: secret('payer') };
export const domain: Domain = { chainId: 31_337, verifyingContract: `0x${'ab'.repeat(20)}` as Address };
export const nonce = secret('nonce');
export const COMMIT_POINTS = 2;
export const VOCABULARY = 300;
export const STOP_ID = 2;

export function makeRequest(promptIds: readonly number[], fields: Partial<CanonicalRequest> = {}): CanonicalRequest {
  return {
    version: REQUEST_VERSION,
    modelId: secret('model'),
    promptRoot: toHex(idsRoot(promptIds, fromHex(nonce))),
    promptTokens: promptIds.length,
    sampler: samplerSettings(),
    seed: `0x${'00'.repeat(16)}`,
    choice: 0,
    stopIds: [STOP_ID],
    maxTokens: 4,
    node: addressOfKey(keys.operator),
    payer: addressOfKey(keys.payer),
    channel: ZERO_HEX32,
    asset: ZERO_ADDRESS,
    promptPrice: '10',
    completionPrice: '20',
    cumulativeLimit: '1000000',
    auditConsent: auditConsentOf(secret('salt'), true),
    ...fields,
  };
}

/** A residual digest that stands for a real one: any 32 bytes per (position, commit point). */
const fakeDigests = (positions: number, points = COMMIT_POINTS): Uint8Array[] =>
  Array.from({ length: positions * points }, (_, i) => sha256(utf8(`digest ${i}`)));

export interface ReceiptOptions {
  readonly finishReason: FinishReason;
  readonly previous?: Receipt;
  readonly ids: readonly number[];
  readonly promptIds: readonly number[];
}

export function honestReceipt(
  request: CanonicalRequest,
  requestNonce: Hex32,
  options: ReceiptOptions,
): { receipt: Receipt; digests: Uint8Array } {
  const { ids, promptIds, previous } = options;
  const digests = fakeDigests(committedPositions(promptIds.length, ids.length));
  const promptPrice = BigInt(request.promptPrice);
  const completionPrice = BigInt(request.completionPrice);
  const amount = (BigInt(promptIds.length) * promptPrice + BigInt(ids.length) * completionPrice + 999_999n) / 1_000_000n;
  const receipt: Receipt = {
    node: request.node,
    payer: request.payer,
    modelId: request.modelId,
    requestHash: requestHashOf(request),
    idsRoot: toHex(idsRoot([...promptIds, ...ids], fromHex(requestNonce))),
    thinRoot: toHex(merkleRoot(MerkleTag.thin, digests)),
    promptTokens: promptIds.length,
    completionTokens: ids.length,
    finishReason: options.finishReason,
    promptPrice,
    completionPrice,
    asset: request.asset,
    cumulativeAmount: (previous?.cumulativeAmount ?? 0n) + amount,
    channel: request.channel,
    batch: 0,
    sequence: previous ? previous.sequence + 1 : 0,
    previous: previous ? receiptDigest(previous, domain) : ZERO_HEX32,
    issuedAt: 1_700_000_000,
  };
  return { receipt, digests: new Uint8Array(Buffer.concat(digests)) };
}

export const signReceipt = (receipt: Receipt, key: Hex32 = keys.session): Signature => signDigest(receiptDigest(receipt, domain), key);

/** An honest answer; `end` makes it one that the payer ended. */
export function honestAnswer(
  options: {
    finishReason?: FinishReason;
    ids?: readonly number[];
    received?: readonly number[];
    end?: End['reason'];
    confirmed?: boolean;
    maxTokens?: number;
  } = {},
): { asked: Asked; answered: Answered } {
  const promptIds = [5, 6, 7];
  const ids = options.ids ?? [10, 11, STOP_ID];
  const request = makeRequest(promptIds, { maxTokens: options.maxTokens ?? 4 });
  const { receipt, digests } = honestReceipt(request, nonce, { finishReason: options.finishReason ?? 'stop_id', ids, promptIds });
  const end = options.end && {
    end: { requestHash: requestHashOf(request), completionTokens: ids.length, reason: options.end },
    confirmed: options.confirmed ?? true,
  };
  return {
    asked: {
      domain,
      sessionKey: addressOfKey(keys.session),
      request,
      promptIds,
      nonce,
      commitPoints: COMMIT_POINTS,
      receivedAt: 1_700_000_000,
      vocabulary: VOCABULARY,
      ...(end && { end }),
    },
    answered: { ids: options.received ?? ids, receipt, signature: signReceipt(receipt), digests },
  };
}
