import { createHash } from 'node:crypto';
import type { Chain } from '@commonweight/chain';
import { type Address, CommonweightError, fromHex, postedRootOf, toHex } from '@commonweight/protocol';
import type { Ledger } from '../journal/ledger.ts';
import type { Batch } from '../journal/ledger-state.ts';
import { workerLimits } from '../limits.ts';
import type { Clock } from '../platform/clock.ts';
import type { WorkerLog } from './log.ts';

/** What the poster needs of the chain. `postBatch` resolves when the batch is in a block; the same batch once more is no error. */
export type ReceiptChain = Pick<Chain, 'nextBatch' | 'batch' | 'postBatch'>;

export interface BatchPosterOptions {
  readonly node: Address;
  readonly ledger: Ledger;
  readonly chain: ReceiptChain;
  readonly clock: Clock;
  readonly log: WorkerLog;
  readonly intervalMs: number;
  /** What else the node owes the chain, after every pass. */
  readonly also?: () => Promise<void>;
}

/**
 * Closes batches of receipts and puts their roots on chain, in order, each once. What stands on chain is asked for each time, so a crash of this process,
 * a lost answer and a chain that was restored to an earlier state are all the same case: post from `nextBatch` on.
 */
export class BatchPoster {
  readonly #options: BatchPosterOptions;
  /** Batches below this are known to be the same on chain and in the journal. */
  #compared = 0;
  constructor(options: BatchPosterOptions) {
    this.#options = options;
  }

  /**
   * Runs until the signal is aborted, or until chain and journal contradict each other. Never rejects.
   * @param contradiction - called with the reason in the second case: the node must not sign on
   */
  async run(signal: AbortSignal, contradiction: (error: CommonweightError) => void): Promise<void> {
    const { clock, log, intervalMs } = this.#options;
    let pause = 0;
    while (!signal.aborted) {
      try {
        await this.step();
        await this.#options.also?.();
        pause = 0;
      } catch (error) {
        if (error instanceof CommonweightError && error.action === 'stop') return contradiction(error);
        pause = Math.min(workerLimits.chainRetryMaximumMs, pause === 0 ? workerLimits.chainRetryMs : 2 * pause);
        log.warn('chain_failed', {
          code: error instanceof CommonweightError ? error.code : 'internal',
          retryMs: pause,
          pending: this.#pending().length,
        });
      }
      await clock.sleep(pause || intervalMs, signal);
    }
  }

  /** One pass: closes the open batch, then posts what is missing. Throws what the chain throws, or the contradiction. */
  async step(): Promise<void> {
    // while earlier batches wait, receipts gather in the open one: a chain that comes back gets few large batches
    if (this.#pending().length === 0) await this.#options.ledger.closeBatch();
    await this.compare();
    for (const batch of this.#closed().slice(this.#compared)) {
      await this.#post(batch);
      this.#compared = batch.index + 1;
    }
  }

  /** Compares what stands on chain with the journal. Throws CommonweightError `batch_conflict` with action `stop`. */
  async compare(): Promise<void> {
    const { node, ledger, chain } = this.#options;
    const closed = this.#closed();
    const next = await chain.nextBatch(node);
    if (next > closed.length) {
      throw contradiction(
        `the chain has ${next} batches of node ${node}, this journal has closed ${closed.length}: the journal is not the newest`,
      );
    }
    // a restored chain may also hold other content under the last index that it shares with us
    if (next < this.#compared) this.#compared = Math.max(0, next - 1);
    ledger.state.forgetPosted(next);
    for (const batch of closed.slice(this.#compared, next)) await this.#compareOne(batch);
    this.#compared = next;
  }

  async #post({ index, root, digests }: Batch): Promise<void> {
    const { node, ledger, chain, log } = this.#options;
    const hash = createHash('sha256');
    for (const digest of digests) hash.update(fromHex(digest, 32));
    await chain.postBatch({ node, batchIndex: index, root: root!, count: digests.length, dataDigest: toHex(hash.digest()) });
    await ledger.markPosted(index);
    log.info('batch_posted', { batch: index, count: digests.length });
  }

  async #compareOne({ index, root, digests, posted }: Batch): Promise<void> {
    const { node, ledger, chain } = this.#options;
    const there = await chain.batch(node, index);
    if (!there)
      throw new CommonweightError(`batch ${index} was on chain a moment ago and is gone; look again`, {
        code: 'chain_changed',
        action: 'retry',
      });
    if (there.root !== postedRootOf(root!) || there.count !== digests.length) {
      throw contradiction(
        `batch ${index} of node ${node} has root ${there.root} (${there.count} receipts) on chain and ${root} (${digests.length}) in the journal`,
      );
    }
    if (!posted) await ledger.markPosted(index);
  }

  #closed(): readonly Batch[] {
    return this.#options.ledger.state.batches.slice(0, -1);
  }

  #pending(): readonly Batch[] {
    return this.#closed().filter((batch) => !batch.posted);
  }
}

const contradiction = (what: string): CommonweightError =>
  new CommonweightError(
    `${what}. The same key must have been used with two data directories; nothing more is signed. Start a node with a new key, or restore the right data directory`,
    { code: 'batch_conflict', action: 'stop' },
  );
