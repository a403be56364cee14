import type { MerkleTree } from '@commonweight/protocol';
import { type Batch, batchTree } from '../journal/ledger-state.ts';
import { workerLimits } from '../limits.ts';

/** Trees of closed batches that were asked for last: who asks again for a receipt makes the node hash nothing. */
export class BatchTrees {
  /** The one that was asked for longest ago first. */
  readonly #trees = new Map<number, MerkleTree>();

  /** @param batch - a closed one: no receipt is added to it any more. */
  of(batch: Pick<Batch, 'index' | 'digests'>): MerkleTree {
    const tree = this.#trees.get(batch.index) ?? batchTree(batch);
    this.#trees.delete(batch.index);
    this.#trees.set(batch.index, tree);
    for (const oldest of this.#trees.keys()) {
      if (this.#trees.size <= workerLimits.batchTrees) break;
      this.#trees.delete(oldest);
    }
    return tree;
  }
}
