import { createReferenceExecutor } from '@commonweight/engine';
import { buildTinyModel, memorySource } from '@commonweight/engine/testing';
import {
  type Hex,
  type InclusionProof,
  MerkleTag,
  MerkleTree,
  addressOfKey,
  fromHex,
  postedRootOf,
  receiptDigest,
  toHex,
  samplerSettings,
} from '@commonweight/protocol';
import type { Bundle } from '@commonweight/protocol';
import type { ChainFacts } from '../chain-facts.ts';
import type { VerifierModel } from '../subject.ts';
import { type Job, domain, sessionKey } from './make-bundle.ts';

const tiny = buildTinyModel({ seed: 11, layers: 3, commitPoints: [0, 2] });
export const executor = createReferenceExecutor(tiny.manifest, tiny.source);
export const { manifest } = executor;
export const weights = tiny.source;

/** Stands in for a tokenizer: id 0 is `a`. */
export const decodeText = (ids: readonly number[]): string => ids.map((id) => String.fromCodePoint(97 + id)).join('');
export const model: VerifierModel = { manifest, executor, decode: decodeText };

/** The same manifest over other weights: one matrix of `layer` has other bytes. */
export function tamperedExecutor(layer: number): typeof executor {
  const weights = tiny.weights.slice();
  const tensor = manifest.tensors.find(({ name }) => name === `blk.${layer}.ffn_down`);
  if (tensor?.kind !== 'matrix') throw new Error(`no such layer ${layer}`);
  const bytes = new Int8Array(weights.buffer, tensor.weights, tensor.rows * tensor.columns);
  for (let i = 0; i < bytes.length; i++) bytes[i] = bytes[i]! > 0 ? -100 : 100;
  return createReferenceExecutor(manifest, memorySource(weights));
}

export const otherModel = buildTinyModel({ seed: 12, layers: 3, commitPoints: [0, 2] });

const STOP_ID = 95;
/** The bias puts the stop id behind every other one, and top-k keeps it out of every answer, whatever the model's bytes. */
const sampled = samplerSettings({ temperature: 40_000_000, topK: 60, topP: 950_000, logitBias: [[STOP_ID, -99_000_000]] });

export const job: Job = {
  promptIds: [5, 17, 33, 2, 61, 80],
  sampler: sampled,
  seed: `0x${'44'.repeat(16)}` as Hex,
  stopIds: [STOP_ID],
  maxTokens: 12,
};

/** What a caller finds on chain for an honest, posted receipt. */
export function factsFor(bundle: Bundle): ChainFacts & { batch: { posted: true; root: Hex; count: number; proof: InclusionProof } } {
  const tree = new MerkleTree(MerkleTag.receipts);
  tree.append(new Uint8Array(32));
  tree.append(fromHex(receiptDigest(bundle.receipt, bundle.domain), 32));
  tree.append(new Uint8Array(32).fill(1));
  return {
    chainId: domain.chainId,
    receiptLog: domain.verifyingContract,
    node: { registered: true, sessionKey: addressOfKey(sessionKey), bond: 10n, minimumBond: 10n },
    model: { registered: true },
    batch: { posted: true, root: postedRootOf(toHex(tree.root())), count: 3, proof: { index: 1, count: 3, siblings: tree.proof(1) } },
  };
}
