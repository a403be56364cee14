import { equalBytes } from './bytes.ts';
import { CommonweightError } from './errors.ts';
import { limits } from './limits.ts';
import { type Sha256, sha256 as defaultSha256 } from './sha256.ts';

/** Domain tags of trees (SPEC section 20). A root of one kind can never pass for a root of another. */
export const MerkleTag = {
  /** 1,024-byte pieces of a stored model file. */
  file: 0x01,
  /** Pieces of at most 1,024 bytes of a residual vector (int32, little-endian). */
  residual: 0x10,
  /** Digests of residual vectors in order (position, commit point). */
  thin: 0x11,
  /** Salted token ids: prompt, then completion. */
  ids: 0x12,
  /** EIP-712 digests of receipts in a batch. */
  receipts: 0x13,
} as const;
export type MerkleTag = (typeof MerkleTag)[keyof typeof MerkleTag];

const LEAF = 0;
const NODE = 1;
const ROOT = 2;
const DIGEST = 32;

// Weights have some 100,000 leaves, and every generated token a few small trees: buffers for the hash's input instead of new arrays. Hashing is synchronous, nobody
// else sees them.
const leafInput = new Uint8Array(2 + limits.leafBytes);
const nodeInput = new Uint8Array(1 + 2 * DIGEST);
nodeInput[0] = NODE;
const rootInput = new Uint8Array(2 + 8 + DIGEST);
rootInput[0] = ROOT;
const rootCount = new DataView(rootInput.buffer, 2, 8);

/** Digest of one leaf: at most 1,024 bytes. */
export function merkleLeaf(tag: MerkleTag, data: Uint8Array, sha256: Sha256 = defaultSha256): Uint8Array {
  if (data.length > limits.leafBytes) {
    throw new CommonweightError(`a Merkle leaf holds at most ${limits.leafBytes} bytes, got ${data.length}`, { code: 'merkle' });
  }
  leafInput[0] = LEAF;
  leafInput[1] = tag;
  leafInput.set(data, 2);
  return sha256(leafInput.subarray(0, 2 + data.length));
}

function node(left: Uint8Array, right: Uint8Array, sha256: Sha256): Uint8Array {
  nodeInput.set(left, 1);
  nodeInput.set(right, 1 + DIGEST);
  return sha256(nodeInput);
}

/** Replaces `count` digests, one behind the other, by their parents at the front of the same buffer. @returns how many those are */
function raise(level: Uint8Array, count: number, sha256: Sha256): number {
  let parents = 0;
  for (let i = 0; i < count; i += 2) {
    const at = i * DIGEST;
    if (i + 1 === count) level.copyWithin(parents * DIGEST, at, at + DIGEST);
    else level.set(node(level.subarray(at, at + DIGEST), level.subarray(at + DIGEST, at + 2 * DIGEST), sha256), parents * DIGEST);
    parents++;
  }
  return parents;
}

function seal(tag: MerkleTag, count: number, top: Uint8Array, sha256: Sha256): Uint8Array {
  rootInput[1] = tag;
  rootCount.setBigUint64(0, BigInt(count));
  rootInput.set(top, 2 + 8);
  return sha256(rootInput);
}

/** Root of a tree whose `top` was computed elsewhere (an engine hashes what lies in its own memory); 32 zero bytes are the top of no leaves. */
export function merkleRootOfTop(tag: MerkleTag, count: number, top: Uint8Array, sha256: Sha256 = defaultSha256): Uint8Array {
  if (top.length !== DIGEST || !Number.isSafeInteger(count) || count < 0)
    throw new CommonweightError(`expected ${DIGEST} bytes over a count of leaves, got ${top.length} bytes over ${count}`, {
      code: 'merkle',
    });
  return seal(tag, count, top, sha256);
}

/**
 * Merkle tree with the shape of RFC 6962 (an odd node moves up unchanged), tagged leaves and a root that binds kind and count.
 * Leaves are appended in order; the root of any prefix can be asked for. Memory: 32 bytes a leaf, three times that after a proof.
 */
export class MerkleTree {
  readonly tag: MerkleTag;
  readonly #sha256: Sha256;
  #digests = new Uint8Array(16 * DIGEST);
  #count = 0;
  #kept: { readonly count: number; readonly levels: readonly Uint8Array[] } | undefined;

  constructor(tag: MerkleTag, sha256: Sha256 = defaultSha256) {
    this.tag = tag;
    this.#sha256 = sha256;
  }

  get count(): number {
    return this.#count;
  }

  /** Appends a leaf with these bytes (at most 1,024). */
  append(data: Uint8Array): void {
    const digest = merkleLeaf(this.tag, data, this.#sha256);
    if (this.#count * DIGEST === this.#digests.length) {
      const larger = new Uint8Array(2 * this.#digests.length);
      larger.set(this.#digests);
      this.#digests = larger;
    }
    this.#digests.set(digest, this.#count * DIGEST);
    this.#count++;
    this.#kept = undefined;
  }

  /** Root over the first `count` leaves (default: all). Zero leaves have a root too. */
  root(count: number = this.#count): Uint8Array {
    this.#check(count, this.#count);
    // a new buffer is zero, which is the top of no leaves
    const level = count === 0 ? new Uint8Array(DIGEST) : this.#digests.slice(0, count * DIGEST);
    for (let width = count; width > 1;) width = raise(level, width, this.#sha256);
    return seal(this.tag, count, level.subarray(0, DIGEST), this.#sha256);
  }

  /** Siblings from leaf `index` to the root over the first `count` leaves, bottom up. */
  proof(index: number, count: number = this.#count): Uint8Array[] {
    this.#check(count, this.#count);
    this.#check(index, count - 1);
    const siblings: Uint8Array[] = [];
    let at = index;
    for (const level of this.#levels(count)) {
      const sibling = at ^ 1;
      if (sibling * DIGEST < level.length) siblings.push(level.slice(sibling * DIGEST, (sibling + 1) * DIGEST));
      at = Math.floor(at / 2);
    }
    return siblings;
  }

  /** Every level below the root, bottom up; kept until a leaf is added, so that only the first proof hashes. */
  #levels(count: number): readonly Uint8Array[] {
    if (this.#kept?.count === count) return this.#kept.levels;
    const levels: Uint8Array[] = [];
    const level = this.#digests.slice(0, count * DIGEST);
    for (let width = count; width > 1;) {
      levels.push(level.slice(0, width * DIGEST));
      width = raise(level, width, this.#sha256);
    }
    this.#kept = { count, levels };
    return levels;
  }

  #check(value: number, maximum: number): void {
    if (!Number.isSafeInteger(value) || value < 0 || value > maximum) {
      throw new CommonweightError(`Merkle index or count: expected 0 to ${maximum}, got ${value}`, { code: 'merkle' });
    }
  }
}

/** Root over byte strings, each one leaf. */
export function merkleRoot(tag: MerkleTag, leaves: Iterable<Uint8Array>, sha256: Sha256 = defaultSha256): Uint8Array {
  const tree = new MerkleTree(tag, sha256);
  for (const leaf of leaves) tree.append(leaf);
  return tree.root();
}

/** Root over a byte string cut into 1,024-byte leaves (the last may be shorter; no bytes is no leaf). */
export const merkleRootOfBytes = (tag: MerkleTag, data: Uint8Array, sha256: Sha256 = defaultSha256): Uint8Array =>
  merkleRootOfParts(tag, [data], sha256);

/** The same for bytes that come in parts, each but the last a multiple of 1,024. Memory: one digest a level, so there may be any number of them. */
export function merkleRootOfParts(tag: MerkleTag, parts: Iterable<Uint8Array>, sha256: Sha256 = defaultSha256): Uint8Array {
  // subtrees[level] has 2^level leaves; those that are there are the powers of two in `count`
  const subtrees: (Uint8Array | undefined)[] = [];
  let count = 0;
  let ended = false;
  for (const part of parts) {
    if (ended && part.length > 0)
      throw new CommonweightError(`expected parts of whole leaves (${limits.leafBytes} bytes) before the last one`, { code: 'merkle' });
    ended = part.length % limits.leafBytes !== 0;
    for (let at = 0; at < part.length; at += limits.leafBytes, count++) {
      let digest = merkleLeaf(tag, part.subarray(at, at + limits.leafBytes), sha256);
      let level = 0;
      for (let left = subtrees[0]; left !== undefined; left = subtrees[++level]) {
        digest = node(left, digest, sha256);
        subtrees[level] = undefined;
      }
      subtrees[level] = digest;
    }
  }
  const top = subtrees.reduce(
    (right, left) => (left === undefined || right === undefined ? (left ?? right) : node(left, right, sha256)),
    undefined,
  );
  return seal(tag, count, top ?? new Uint8Array(DIGEST), sha256);
}

export interface InclusionProof {
  readonly index: number;
  readonly count: number;
  readonly siblings: readonly Uint8Array[];
}

/** Whether `data` is leaf `proof.index` of the tree of `proof.count` leaves with this root. False on any malformed proof. */
export function verifyInclusion(
  tag: MerkleTag,
  data: Uint8Array,
  proof: InclusionProof,
  root: Uint8Array,
  sha256: Sha256 = defaultSha256,
): boolean {
  const proved = provedRoot(tag, data, proof, sha256);
  return proved !== undefined && equalBytes(proved, root);
}

/** The root of the tree of `proof.count` leaves that has `data` as leaf `proof.index`; undefined for any malformed proof. */
export function provedRoot(
  tag: MerkleTag,
  data: Uint8Array,
  proof: InclusionProof,
  sha256: Sha256 = defaultSha256,
): Uint8Array | undefined {
  const { index, count, siblings } = proof;
  if (!Number.isSafeInteger(count) || !Number.isSafeInteger(index) || index < 0 || index >= count) return undefined;
  if (count > limits.merkleLeaves || siblings.length > limits.proofLength || data.length > limits.leafBytes) return undefined;
  let hash = merkleLeaf(tag, data, sha256);
  let used = 0;
  for (let at = index, width = count; width > 1; at = Math.floor(at / 2), width = Math.ceil(width / 2)) {
    if (at % 2 === 0 && at + 1 === width) continue;
    const sibling = siblings[used++];
    if (sibling?.length !== 32) return undefined;
    hash = at % 2 === 1 ? node(sibling, hash, sha256) : node(hash, sibling, sha256);
  }
  return used === siblings.length ? seal(tag, count, hash, sha256) : undefined;
}
