import fc from 'fast-check';
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { MerkleTag, MerkleTree, merkleRootOfBytes, merkleRootOfParts, verifyInclusion } from './merkle.ts';

const sha = (...parts: Uint8Array[]): Uint8Array => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
};

/** RFC 6962 section 2.1, written recursively: split at the largest power of two below n. */
function recursiveTop(leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length === 1) return leaves[0]!;
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  return sha(Uint8Array.of(1), recursiveTop(leaves.slice(0, split)), recursiveTop(leaves.slice(split)));
}

const rootByDefinition = (tag: number, data: readonly Uint8Array[]): Uint8Array => {
  const count = Buffer.alloc(8);
  count.writeBigUInt64BE(BigInt(data.length));
  const top = data.length === 0 ? new Uint8Array(32) : recursiveTop(data.map((leaf) => sha(Uint8Array.of(0, tag), leaf)));
  return sha(Uint8Array.of(2, tag), count, top);
};

const treeOf = (data: readonly Uint8Array[], tag: MerkleTag = MerkleTag.ids): MerkleTree => {
  const tree = new MerkleTree(tag);
  for (const leaf of data) tree.append(leaf);
  return tree;
};
const numbered = (count: number): Uint8Array[] => Array.from({ length: count }, (_, i) => Uint8Array.of(i & 255, i >> 8));

describe('MerkleTree (RFC 6962 shape, tagged, sealed with its count)', () => {
  it('has the root of the recursive definition for every count up to 70', () => {
    for (let count = 0; count <= 70; count++)
      expect(treeOf(numbered(count)).root()).toEqual(rootByDefinition(MerkleTag.ids, numbered(count)));
  });

  it('has the same root over bytes, in any parts of whole leaves', () => {
    const data = Uint8Array.from({ length: 70 * 1024 }, (_, i) => (i * 31 + (i >> 10)) & 255);
    for (let size = 0; size <= data.length; size += 1000) {
      const bytes = data.subarray(0, size);
      const leaves = Array.from({ length: Math.ceil(size / 1024) }, (_, i) => bytes.subarray(1024 * i, 1024 * (i + 1)));
      const expected = rootByDefinition(MerkleTag.file, leaves);
      expect(merkleRootOfBytes(MerkleTag.file, bytes)).toEqual(expected);
      const parts = [0, 1, 3, 20].map((at, i, starts) =>
        bytes.subarray(1024 * at, starts[i + 1] === undefined ? size : 1024 * starts[i + 1]!),
      );
      expect(merkleRootOfParts(MerkleTag.file, parts)).toEqual(expected);
    }
    expect(() => merkleRootOfParts(MerkleTag.file, [data.subarray(0, 1500), data.subarray(1500)])).toThrow('whole leaves');
  });

  it('hashes for the first proof only, until a leaf is added', () => {
    let hashed = 0;
    const tree = new MerkleTree(MerkleTag.receipts, (data) => {
      hashed++;
      return sha(data);
    });
    for (const leaf of numbered(9)) tree.append(leaf);
    const first = tree.proof(3);
    hashed = 0;
    expect(tree.proof(3)).toEqual(first);
    const others = numbered(9).map((_, index) => tree.proof(index));
    expect(hashed).toBe(0);
    expect(others).toEqual(numbered(9).map((_, index) => treeOf(numbered(9), MerkleTag.receipts).proof(index)));
    tree.append(Uint8Array.of(9, 0));
    expect(tree.proof(3)).toEqual(treeOf(numbered(10), MerkleTag.receipts).proof(3));
    expect(hashed).toBeGreaterThan(0);
    expect(tree.proof(3, 9)).toEqual(first);
  });

  it('gives the root of any prefix', () => {
    const tree = treeOf(numbered(37));
    for (let count = 0; count <= 37; count++) expect(tree.root(count)).toEqual(treeOf(numbered(count)).root());
  });

  it('proves every leaf of every prefix and nothing else', () => {
    const data = numbered(21);
    const tree = treeOf(data);
    for (let count = 1; count <= 21; count++) {
      const root = tree.root(count);
      for (let index = 0; index < count; index++) {
        const siblings = tree.proof(index, count);
        expect(verifyInclusion(MerkleTag.ids, data[index]!, { index, count, siblings }, root)).toBe(true);
        expect(verifyInclusion(MerkleTag.ids, data[(index + 1) % 21]!, { index, count, siblings }, root)).toBe(false);
        expect(verifyInclusion(MerkleTag.receipts, data[index]!, { index, count, siblings }, root)).toBe(false);
        expect(verifyInclusion(MerkleTag.ids, data[index]!, { index, count: count + 1, siblings }, root)).toBe(false);
        expect(verifyInclusion(MerkleTag.ids, data[index]!, { index: index + 1, count, siblings }, root)).toBe(false);
        expect(verifyInclusion(MerkleTag.ids, data[index]!, { index, count, siblings: [...siblings, root] }, root)).toBe(false);
        if (siblings.length > 0)
          expect(verifyInclusion(MerkleTag.ids, data[index]!, { index, count, siblings: siblings.slice(1) }, root)).toBe(false);
      }
    }
  });

  it('never accepts a proof with one flipped bit', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 40 }), fc.nat(), fc.nat(), fc.nat({ max: 255 }), (count, pick, where, bit) => {
        const tree = treeOf(numbered(count));
        const index = pick % count;
        const siblings = tree.proof(index).map((sibling) => sibling.slice());
        const target = siblings[where % siblings.length]!;
        target[bit >> 3]! ^= 1 << (bit & 7);
        return !verifyInclusion(MerkleTag.ids, numbered(count)[index]!, { index, count, siblings }, tree.root());
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  it('answers false, not an exception, to nonsense', () => {
    const root = treeOf(numbered(3)).root();
    for (const [index, count] of [
      [-1, 3],
      [0, 0],
      [0.5, 3],
      [NaN, 3],
      [0, 2 ** 60],
      [3, 3],
    ] as const) {
      expect(verifyInclusion(MerkleTag.ids, new Uint8Array(2), { index, count, siblings: [] }, root)).toBe(false);
    }
  });

  it('cuts bytes into leaves of 1,024 and refuses larger leaves', () => {
    const bytes = new Uint8Array(2500).map((_, i) => i);
    const pieces = [bytes.subarray(0, 1024), bytes.subarray(1024, 2048), bytes.subarray(2048)];
    expect(merkleRootOfBytes(MerkleTag.file, bytes)).toEqual(rootByDefinition(MerkleTag.file, pieces));
    expect(() => treeOf([new Uint8Array(1025)])).toThrow(/at most 1024 bytes, got 1025/);
  });
});
