import { type Executor, Sampler, type TokenVocabulary } from '@commonweight/engine';
import {
  type Address,
  BUNDLE_VERSION,
  type Bundle,
  type CanonicalRequest,
  type Domain,
  type Hex,
  type Hex32,
  REQUEST_VERSION,
  type Receipt,
  type SamplerSettings,
  ThinCommitment,
  ZERO_ADDRESS,
  ZERO_HEX32,
  addressOfKey,
  auditConsentOf,
  committedPositions,
  endDigest,
  fromHex,
  idsRoot,
  maximumAmount,
  modelIdOf,
  prfKey,
  receiptAmount,
  receiptDigest,
  requestDigest,
  requestHashOf,
  residualDigest,
  signDigest,
  toHex,
  samplerSettings,
} from '@commonweight/protocol';

const prices = { promptPrice: 1_000_000n, completionPrice: 3_000_000n };
const payerKey = `0x${'11'.repeat(32)}` as Hex32;
export const sessionKey = `0x${'22'.repeat(32)}` as Hex32;
const node = `0x${'33'.repeat(20)}` as Address;
export const domain: Domain = { chainId: 31_337, verifyingContract: `0x${'c0'.repeat(20)}` as Address };
export const greedy: SamplerSettings = samplerSettings();

export interface Job {
  readonly promptIds: readonly number[];
  readonly sampler: SamplerSettings;
  readonly seed: Hex;
  readonly stopIds: readonly number[];
  readonly maxTokens: number;
  /** For a sampler with a grammar. */
  readonly vocabulary?: TokenVocabulary;
}

export interface Run {
  readonly completionIds: readonly number[];
  readonly thin: ThinCommitment;
}

/** An id that stands at `from` or later for the first time: with it as a stop id an answer has so many tokens before it. */
export const firstSeenFrom = (ids: readonly number[], from: number): number => ids.find((id, i) => i >= from && ids.indexOf(id) === i)!;

/** Decodes token by token, as a worker does: written apart from the verifier's code, so that they check each other. */
export function decode(executor: Executor, job: Job): Run {
  const { promptIds, sampler, seed, stopIds, maxTokens, vocabulary } = job;
  const key = prfKey(modelIdOf(executor.manifest), sampler, seed, 0);
  const thin = new ThinCommitment(executor.manifest.graph.commitPoints.length);
  const completionIds: number[] = [];
  const sequence = executor.newSequence(promptIds.length + maxTokens);
  for (const id of promptIds.slice(0, -1)) executor.forward(sequence, [id], { onResidual });
  const choice = new Sampler({ settings: sampler, prfKey: key, promptIds, stopIds, vocabulary });
  let last = promptIds.at(-1)!;
  while (completionIds.length < maxTokens && !stopIds.includes(completionIds.at(-1)!)) {
    executor.forward(sequence, [last], {
      onResidual,
      logitsFrom: 0,
      onLogits: (_position, logits) => {
        last = choice.sample(logits);
      },
    });
    choice.accept(last);
    completionIds.push(last);
  }
  sequence.release();
  return { completionIds, thin };

  function onResidual(_position: number, _point: number, residual: Int32Array): void {
    thin.append(residualDigest(new Uint8Array(residual.slice().buffer)));
  }
}

/** Digests of a prefill of these ids. */
export function prefill(executor: Executor, ids: readonly number[]): ThinCommitment {
  return decode(executor, { promptIds: ids, sampler: greedy, seed: `0x${'00'.repeat(16)}`, stopIds: [], maxTokens: 1 }).thin;
}

export interface BundleParts {
  readonly manifest: Executor['manifest'];
  readonly job: Job;
  readonly completionIds: readonly number[];
  readonly thin: ThinCommitment;
  readonly finishReason: Receipt['finishReason'];
  /** Fields of the request that are to be others, signed like the rest. */
  readonly agreed?: Partial<CanonicalRequest>;
  /** Adds the payer's signed end. */
  readonly ended?: boolean;
  /** The node's lie about its receipt, signed like the rest. */
  readonly forge?: (receipt: Receipt) => Receipt;
}

/** A whole bundle with valid signatures over whatever is claimed. */
export function makeBundle({ manifest, job, completionIds, thin, finishReason, agreed, ended, forge }: BundleParts): Bundle {
  const nonce = `0x${'55'.repeat(32)}` as Hex32;
  const auditSalt = `0x${'66'.repeat(32)}` as Hex32;
  const { promptIds, sampler, seed, stopIds, maxTokens } = job;
  const request: CanonicalRequest = {
    version: REQUEST_VERSION,
    modelId: modelIdOf(manifest),
    promptRoot: toHex(idsRoot(promptIds, fromHex(nonce))),
    promptTokens: promptIds.length,
    sampler,
    seed,
    choice: 0,
    stopIds,
    maxTokens,
    node,
    payer: addressOfKey(payerKey),
    channel: ZERO_HEX32,
    asset: ZERO_ADDRESS,
    promptPrice: '1000000',
    completionPrice: '3000000',
    cumulativeLimit: String(1_000_000n + maximumAmount({ promptTokens: promptIds.length, maxTokens }, prices)),
    auditConsent: auditConsentOf(auditSalt, true),
    ...agreed,
  };
  const requestHash = requestHashOf(request);
  const positions = committedPositions(promptIds.length, completionIds.length);
  const unpriced = {
    node,
    payer: request.payer,
    modelId: request.modelId,
    requestHash,
    idsRoot: toHex(idsRoot([...promptIds, ...completionIds], fromHex(nonce))),
    thinRoot: toHex(thin.root(positions)),
    promptTokens: promptIds.length,
    completionTokens: completionIds.length,
    finishReason,
    ...prices,
    asset: request.asset,
    channel: request.channel,
    batch: 4,
    sequence: 7,
    previous: `0x${'77'.repeat(32)}` as Hex32,
    issuedAt: 1_790_000_000,
  };
  const honest: Receipt = { ...unpriced, cumulativeAmount: 1_000n + receiptAmount(unpriced) };
  const receipt = forge ? forge(honest) : honest;
  const end = { requestHash, completionTokens: receipt.completionTokens, reason: 'stop_string' } as const;
  return {
    version: BUNDLE_VERSION,
    domain,
    request,
    requestSignature: signDigest(requestDigest(request, domain), payerKey),
    nonce,
    auditSalt,
    auditConsent: true,
    promptIds,
    completionIds,
    receipt,
    signature: signDigest(receiptDigest(receipt, domain), sessionKey),
    ...(ended && { end: { end, signature: signDigest(endDigest(end, domain), payerKey) } }),
    digests: thin.bytes(positions),
  };
}
