import { type Hex, type Hex32, fromHex, toHex } from './bytes.ts';
import { type InclusionProof, MerkleTag, provedRoot } from './merkle.ts';
import type { Sha256 } from './sha256.ts';

/** Bytes of a batch's root that stand on chain (SPEC section 20.1). */
const POSTED_ROOT_BYTES = 22;

/** The part of a batch's root that stands on chain. */
export const postedRootOf = (root: Hex32): Hex => root.slice(0, 2 + 2 * POSTED_ROOT_BYTES) as Hex;

/** Whether a receipt is the leaf of `proof` in a batch of `count` receipts whose root on chain is `posted`. */
export function isInBatch(
  receiptId: Hex32,
  proof: InclusionProof,
  { root, count }: { readonly root: Hex; readonly count: number },
  sha256?: Sha256,
): boolean {
  const proved = provedRoot(MerkleTag.receipts, fromHex(receiptId, 32), proof, sha256);
  return proved !== undefined && proof.count === count && postedRootOf(toHex(proved)) === root;
}
