import { describe, expect, it } from 'vitest';
import { toHex } from './bytes.ts';
import { IdsCommitment, ThinCommitment, committedPositions, idsRoot, residualDigest } from './commitment.ts';
import { MerkleTag, merkleRoot } from './merkle.ts';

const digest = (n: number): Uint8Array => new Uint8Array(32).fill(n);

describe('thin commitment', () => {
  it('covers every position but that of the last sampled token', () => {
    expect(committedPositions(37, 8)).toBe(44);
    expect(committedPositions(37, 1)).toBe(37);
    expect(committedPositions(37, 0)).toBe(37);
  });

  it('is a Merkle root over digests in order (position, point), also of a shortened run', () => {
    const thin = new ThinCommitment(3);
    const all = Array.from({ length: 12 }, (_, i) => digest(i));
    for (const one of all) thin.append(one);
    expect(thin.positions).toBe(4);
    expect(thin.root()).toEqual(merkleRoot(MerkleTag.thin, all));
    expect(thin.root(2)).toEqual(merkleRoot(MerkleTag.thin, all.slice(0, 6)));
    expect(thin.digest(2, 1)).toEqual(digest(7));
    expect(ThinCommitment.fromBytes(3, thin.bytes(2)).root()).toEqual(thin.root(2));
    expect(() => ThinCommitment.fromBytes(3, new Uint8Array(100))).toThrow(/multiple of 96 bytes/);
  });

  it('separates a residual digest from a file of the same bytes', () => {
    const bytes = new Uint8Array(2304).fill(7);
    expect(residualDigest(bytes)).not.toEqual(
      merkleRoot(MerkleTag.file, [bytes.subarray(0, 1024), bytes.subarray(1024, 2048), bytes.subarray(2048)]),
    );
    expect(residualDigest(bytes)).toEqual(
      merkleRoot(MerkleTag.residual, [bytes.subarray(0, 1024), bytes.subarray(1024, 2048), bytes.subarray(2048)]),
    );
  });
});

describe('ids commitment', () => {
  it('has the prompt root as root of a prefix', () => {
    const nonce = digest(9);
    const ids = new IdsCommitment(nonce, [5, 6, 7, 8]);
    expect(ids.root(2)).toEqual(idsRoot([5, 6], nonce));
    ids.append(9);
    expect(ids.root()).toEqual(idsRoot([5, 6, 7, 8, 9], nonce));
  });

  it('depends on the nonce, the order and every id', () => {
    const roots = [
      idsRoot([1, 2], digest(1)),
      idsRoot([2, 1], digest(1)),
      idsRoot([1, 2], digest(2)),
      idsRoot([1, 3], digest(1)),
      idsRoot([1], digest(1)),
      idsRoot([], digest(1)),
    ];
    expect(new Set(roots.map(toHex)).size).toBe(roots.length);
  });
});
