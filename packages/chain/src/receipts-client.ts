import { type Address, type Hex, type Hex32, postedRootOf } from '@commonweight/protocol';
import { type receiptLogAbi } from './abis.gen.ts';
import { type ContractCaller } from './contract-caller.ts';
import { ChainError } from './errors.ts';

export interface BatchPosting {
  readonly node: Address;
  /** Must be the node's next. */
  readonly batchIndex: number;
  /** Sealed Merkle root over the receipts' digests (MerkleTag.receipts). */
  readonly root: Hex32;
  /** Leaves, 1 to 2^16 - 1. */
  readonly count: number;
  /** SHA-256 of the batch's data. */
  readonly dataDigest: Hex32;
}

export interface BatchRecord {
  /** The first 22 bytes of it. */
  readonly root: Hex;
  readonly count: number;
  /** Unix seconds. */
  readonly postedAt: number;
}

export interface ReceiptsClient {
  /**
   * Posts a batch. The same batch once more is no error: a poster that crashed between transaction and journal just posts again.
   * Throws `chain_reverted` with reason `NotNextBatch` for a gap, or for another content under a used index.
   * @returns whether there was a transaction
   */
  postBatch(batch: BatchPosting): Promise<boolean>;
  nextBatch(node: Address): Promise<number>;
  /** A posted batch; undefined when the node has not posted it. */
  batch(node: Address, batchIndex: number): Promise<BatchRecord | undefined>;
  /** The contract's own check that a receipt is leaf `index` of a posted batch. */
  verifyInclusion(node: Address, batchIndex: number, receiptDigest: Hex32, index: number, siblings: readonly Hex32[]): Promise<boolean>;
}

export function receiptsClient(log: ContractCaller<typeof receiptLogAbi>): ReceiptsClient {
  const nextBatch = async (node: Address): Promise<number> => Number(await log.read('nextBatch', [node]));
  const batch = async (node: Address, batchIndex: number): Promise<BatchRecord | undefined> => {
    if (!(await log.read('isPosted', [node, BigInt(batchIndex)]))) return undefined;
    const { root, count, postedAt } = await log.read('batch', [node, BigInt(batchIndex)]);
    return { root, count, postedAt };
  };
  return {
    nextBatch,
    batch,
    verifyInclusion: (node, batchIndex, receiptDigest, index, siblings) =>
      log.read('verifyInclusion', [node, BigInt(batchIndex), receiptDigest, BigInt(index), siblings]),
    postBatch: async ({ node, batchIndex, root, count, dataDigest }) => {
      try {
        await log.write('post', [node, BigInt(batchIndex), root, count, dataDigest]);
        return true;
      } catch (error) {
        if (!(error instanceof ChainError) || error.details['reason'] !== 'NotNextBatch') throw error;
        const posted = await batch(node, batchIndex);
        if (posted?.root === postedRootOf(root) && posted.count === count) return false;
        throw error;
      }
    },
  };
}
