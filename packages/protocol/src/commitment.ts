import { concatBytes, uintBE } from './bytes.ts';
import { DecodeError } from './errors.ts';
import { MerkleTag, MerkleTree, merkleRootOfBytes } from './merkle.ts';
import { type Sha256, sha256 as defaultSha256 } from './sha256.ts';

/** Digest of one residual vector (int32 little-endian bytes): a Merkle root over pieces of 1,024 bytes. */
export const residualDigest = (residual: Uint8Array, sha256: Sha256 = defaultSha256): Uint8Array =>
  merkleRootOfBytes(MerkleTag.residual, residual, sha256);

/** Positions that are run for `promptTokens` prompt and `completionTokens` answer tokens: the last sampled token is never fed back. */
export const committedPositions = (promptTokens: number, completionTokens: number): number =>
  promptTokens + Math.max(completionTokens, 1) - 1;

/** Digests of the commit points in order (position, commit point), 32 bytes each, and the thin root over them. */
export class ThinCommitment {
  readonly points: number;
  readonly #tree: MerkleTree;
  readonly #digests: Uint8Array[] = [];

  /** @param points - number of commit points a position (the manifest's `commitPoints.length`). */
  constructor(points: number, sha256: Sha256 = defaultSha256) {
    this.points = points;
    this.#tree = new MerkleTree(MerkleTag.thin, sha256);
  }

  get positions(): number {
    return Math.floor(this.#digests.length / this.points);
  }

  /** Appends the digest for (position, point); calls come in order. */
  append(digest: Uint8Array): void {
    this.#digests.push(digest);
    this.#tree.append(digest);
  }

  digest(position: number, point: number): Uint8Array | undefined {
    return this.#digests[position * this.points + point];
  }

  /** Thin root over the first `positions` positions. */
  root(positions: number = this.positions): Uint8Array {
    return this.#tree.root(positions * this.points);
  }

  /** The digests of the first `positions` positions, concatenated. */
  bytes(positions: number = this.positions): Uint8Array {
    return concatBytes(...this.#digests.slice(0, positions * this.points));
  }

  static fromBytes(points: number, bytes: Uint8Array, sha256: Sha256 = defaultSha256): ThinCommitment {
    if (bytes.length % (32 * points) !== 0) throw new DecodeError('digests', `a multiple of ${32 * points} bytes`, bytes.length);
    const thin = new ThinCommitment(points, sha256);
    for (let at = 0; at < bytes.length; at += 32) thin.append(bytes.slice(at, at + 32));
    return thin;
  }
}

/** Salt of the id at `position`, from the client's secret nonce: an opening does not reveal its neighbours by dictionary. */
const idSalt = (nonce: Uint8Array, position: number, sha256: Sha256): Uint8Array =>
  sha256(concatBytes(nonce, uintBE(position, 8))).subarray(0, 16);

/** Salted tree over token ids; the prompt's root is the root of a prefix of the receipt's. */
export class IdsCommitment {
  readonly #tree: MerkleTree;
  readonly #nonce: Uint8Array;
  readonly #sha256: Sha256;

  /** @param nonce - 32 bytes, drawn by the client side for this request alone. */
  constructor(nonce: Uint8Array, ids: Iterable<number> = [], sha256: Sha256 = defaultSha256) {
    this.#tree = new MerkleTree(MerkleTag.ids, sha256);
    this.#nonce = nonce;
    this.#sha256 = sha256;
    for (const id of ids) this.append(id);
  }

  get count(): number {
    return this.#tree.count;
  }

  append(id: number): void {
    this.#tree.append(concatBytes(uintBE(id, 4), idSalt(this.#nonce, this.#tree.count, this.#sha256)));
  }

  root(count: number = this.count): Uint8Array {
    return this.#tree.root(count);
  }
}

/** Root over salted ids (prompt, then completion). */
export const idsRoot = (ids: Iterable<number>, nonce: Uint8Array, sha256: Sha256 = defaultSha256): Uint8Array =>
  new IdsCommitment(nonce, ids, sha256).root();
