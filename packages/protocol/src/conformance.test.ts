import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { accountKey } from './account.ts';
import { type Address, type Hex, type Hex32, fromHex, toHex } from './bytes.ts';
import {
  type CheckpointFault,
  StreamHead,
  checkpointDigest,
  checkpointFault,
  isCheckpointDue,
  parseCheckpoint,
  streamHead,
} from './checkpoint.ts';
import { IdsCommitment, ThinCommitment, residualDigest } from './commitment.ts';
import type { Domain } from './eip712.ts';
import { DecodeError } from './errors.ts';
import { canonicalize } from './jcs.ts';
import { MerkleTree, verifyInclusion, type MerkleTag } from './merkle.ts';
import { parsePartialBundle } from './partial-bundle.ts';
import { prfDraw, prfKey } from './prf.ts';
import { endDigest, parseEnd, parseReceipt, receiptDigest } from './receipt.ts';
import { auditConsentOf, parseRequest, requestDigest, requestHashOf } from './request.ts';
import { parseSampler } from './sampler-settings.ts';
import { recoverSigner } from './signature.ts';

/** The committed vectors: other implementations read the same files, so a change here is a change of the protocol. */
const vectors = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../../conformance/protocol/${name}`, import.meta.url), 'utf8'));
interface Signed {
  readonly domain: Domain;
  readonly digest: Hex32;
  readonly signature: Hex;
  readonly signer: string;
}

describe('conformance/protocol', () => {
  it('merkle.json', () => {
    const trees = vectors('merkle.json') as { tag: MerkleTag; leaves: Hex[]; root: Hex; proofs: Hex[][] }[];
    expect(trees.length).toBeGreaterThan(5);
    for (const { tag, leaves, root, proofs } of trees) {
      const tree = new MerkleTree(tag);
      for (const leaf of leaves) tree.append(fromHex(leaf));
      expect(toHex(tree.root())).toBe(root);
      for (const [index, siblings] of proofs.entries()) {
        const proof = { index, count: leaves.length, siblings: siblings.map((sibling) => fromHex(sibling)) };
        expect(verifyInclusion(tag, fromHex(leaves[index]!), proof, fromHex(root))).toBe(true);
      }
    }
  });

  it('commitments.json', () => {
    const { ids, residual, thin } = vectors('commitments.json') as {
      ids: { nonce: Hex; promptIds: number[]; completionIds: number[]; promptRoot: Hex; idsRoot: Hex };
      residual: { values: number[]; digest: Hex };
      thin: { points: number; digests: Hex; roots: { positions: number; root: Hex }[] };
    };
    const commitment = new IdsCommitment(fromHex(ids.nonce), [...ids.promptIds, ...ids.completionIds]);
    expect(toHex(commitment.root(ids.promptIds.length))).toBe(ids.promptRoot);
    expect(toHex(commitment.root())).toBe(ids.idsRoot);
    expect(toHex(residualDigest(new Uint8Array(Int32Array.from(residual.values).buffer)))).toBe(residual.digest);
    const tree = ThinCommitment.fromBytes(thin.points, fromHex(thin.digests));
    for (const { positions, root } of thin.roots) expect(toHex(tree.root(positions))).toBe(root);
  });

  it('request.json', () => {
    const v = vectors('request.json') as Signed & {
      request: unknown;
      canonical: string;
      requestHash: Hex32;
      accountKey: Hex32;
      auditSalt: Hex32;
      prfKey: Hex;
      draws: { position: number; draw: string }[];
    };
    const request = parseRequest(v.request);
    expect(canonicalize(request)).toBe(v.canonical);
    expect(requestHashOf(request)).toBe(v.requestHash);
    expect(auditConsentOf(v.auditSalt, true)).toBe(request.auditConsent);
    const key = prfKey(request.modelId, request.sampler, request.seed, request.choice);
    expect(toHex(key)).toBe(v.prfKey);
    for (const { position, draw } of v.draws) expect(String(prfDraw(key, position))).toBe(draw);
    expect(requestDigest(request, v.domain)).toBe(v.digest);
    expect(accountKey(request)).toBe(v.accountKey);
    expect(recoverSigner(v.digest, v.signature)).toBe(v.signer);
  });

  it('sampler_fail.json', () => {
    const cases = vectors('sampler_fail.json') as { why: string; field: string; sampler: unknown }[];
    expect(cases.length).toBeGreaterThan(15);
    for (const { why, field, sampler } of cases) {
      expect({ why, field: refusedField(() => parseSampler(sampler, 'sampler')) }).toEqual({ why, field });
    }
  });

  it('receipt.json and end.json', () => {
    const receipt = vectors('receipt.json') as Signed & { receipt: unknown };
    expect(receiptDigest(parseReceipt(receipt.receipt), receipt.domain)).toBe(receipt.digest);
    expect(recoverSigner(receipt.digest, receipt.signature)).toBe(receipt.signer);
    const end = vectors('end.json') as Signed & { end: unknown };
    expect(endDigest(parseEnd(end.end), end.domain)).toBe(end.digest);
    expect(recoverSigner(end.digest, end.signature)).toBe(end.signer);
  });

  it('checkpoint.json', () => {
    const v = vectors('checkpoint.json') as Signed & {
      requestHash: Hex32;
      nonce: Hex32;
      ids: number[];
      heads: { count: number; head: Hex32 }[];
      due: number[];
      checkpoint: unknown;
    };
    for (const { count, head } of v.heads) expect(streamHead(v.requestHash, v.nonce, v.ids.slice(0, count))).toBe(head);
    const chain = new StreamHead(v.requestHash, v.nonce);
    for (const id of v.ids) chain.append(id);
    expect([chain.count, chain.head]).toEqual([18, v.heads.at(-1)!.head]);
    expect([...v.ids.keys()].map((i) => i + 1).filter(isCheckpointDue)).toEqual(v.due);
    const checkpoint = parseCheckpoint(v.checkpoint);
    expect(checkpointDigest(checkpoint, v.domain)).toBe(v.digest);
    expect(recoverSigner(v.digest, v.signature)).toBe(v.signer);
    expect(checkpointFault({ checkpoint, signature: v.signature }, checkpoint, v.domain, v.signer as Address)).toBeUndefined();
  });

  it('checkpoint_fail.json', () => {
    const v = vectors('checkpoint_fail.json') as {
      domain: Domain;
      requestHash: Hex32;
      nonce: Hex32;
      ids: number[];
      sessionKey: Address;
      cases: { name: string; reason: CheckpointFault; checkpoint: unknown; signature: Hex }[];
    };
    const { requestHash, nonce, ids } = v;
    const expected = { requestHash, completionTokens: ids.length, head: streamHead(requestHash, nonce, ids) };
    expect(new Set(v.cases.map(({ reason }) => reason)).size).toBe(5);
    for (const { name, reason, checkpoint, signature } of v.cases) {
      const signed = { checkpoint: parseCheckpoint(checkpoint), signature };
      expect([name, checkpointFault(signed, expected, v.domain, v.sessionKey)]).toEqual([name, reason]);
    }
  });

  it('partial.json', () => {
    const partial = parsePartialBundle(vectors('partial.json'));
    const { request, nonce, completionIds, checkpoint } = partial;
    expect(requestHashOf(request)).toBe(checkpoint.requestHash);
    expect(streamHead(checkpoint.requestHash, nonce, completionIds)).toBe(checkpoint.head);
    const { signer } = vectors('checkpoint.json') as Signed;
    expect(recoverSigner(checkpointDigest(checkpoint, partial.domain), partial.signature)).toBe(signer);
  });
});

function refusedField(read: () => unknown): string | undefined {
  try {
    read();
  } catch (error) {
    if (error instanceof DecodeError) return error.field;
    throw error;
  }
  return 'nothing was refused';
}
