import { createHash } from 'node:crypto';
import type { Chain } from '@commonweight/chain';
import { type Address, CommonweightError, fromHex, toHex } from '@commonweight/protocol';
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
}

/**
 * Closes batches of receipts and puts their roots on chain, in order, each once. What stands on chain is asked for each time, so a crash of this process,
 * a lost answer and a chain that was restored to an earlier state are all the same case: post from `nextBatch` on.
 */
export class BatchPoster {
  readonly #options: BatchPosterOptions;
  /** Batches below this are known to be the same on chain and in the journal. */
  #compared = 0;
  #failure: CommonweightError | undefined;

  constructor(options: BatchPosterOptions) {
    this.#options = options;
  }

  /** Set when chain and journal contradict each other: the node must not sign on. */
  get failure(): CommonweightError | undefined {
    return this.#failure;
  }

  /** Runs until the signal is aborted or chain and journal contradict each other. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, log, intervalMs } = this.#options;
    let pause = 0;
    while (!signal.aborted && !this.#failure) {
      try {
        await this.step();
        pause = 0;
      } catch (error) {
        if (this.#failure) return;
        pause = Math.min(workerLimits.chainRetryMaximumMs, pause === 0 ? workerLimits.chainRetryMs : 2 * pause);
        log.warn('chain_failed', { code: error instanceof CommonweightError ? error.code : 'internal', retryMs: pause, pending: this.#pending().length });
      }
      await clock.sleep(pause || intervalMs, signal);
    }
  }

  /** One pass: closes the open batch, then posts what is missing. Throws what the chain throws, or the contradiction. */
  async step(): Promise<void> {
    const { node, ledger, chain } = this.#options;
    // while earlier batches wait, receipts gather in the open one: a chain that comes back gets few large batches
    if (this.#pending().length === 0) await ledger.closeBatch();
    const closed = this.#closed();
    const next = await chain.nextBatch(node);
    if (next > closed.length) {
      throw this.#contradict(`the chain has ${next} batches of node ${node}, this journal has closed ${closed.length}: the journal is not the newest`);
    }
    if (next < this.#compared) this.#compared = Math.max(0, next - 1);
    ledger.state.forgetPosted(next);
    for (const batch of closed.slice(this.#compared, next)) await this.#compare(batch);
    this.#compared = next;
    for (const batch of closed.slice(next)) {
      await this.#post(batch);
      this.#compared = batch.index + 1;
    }
  }

  async #post({ index, root, digests }: Batch): Promise<void> {
    const { node, ledger, chain, log } = this.#options;
    const hash = createHash('sha256');
    for (const digest of digests) hash.update(fromHex(digest, 32));
    await chain.postBatch({ node, batchIndex: index, root: root!, count: digests.length, dataDigest: toHex(hash.digest()) });
    await ledger.markPosted(index);
    log.info('batch_posted', { batch: index, count: digests.length });
  }

  async #compare({ index, root, digests, posted }: Batch): Promise<void> {
    const { node, ledger, chain } = this.#options;
    const there = await chain.batch(node, index);
    if (!there) throw new CommonweightError(`batch ${index} was on chain a moment ago and is gone; look again`, { code: 'chain_changed', action: 'retry' });
    if (there.root !== root || there.count !== digests.length) {
      throw this.#contradict(`batch ${index} of node ${node} has root ${there.root} (${there.count} receipts) on chain and ${root} (${digests.length}) in the journal`);
    }
    if (!posted) await ledger.markPosted(index);
  }

  #contradict(what: string): CommonweightError {
    this.#failure = new CommonweightError(
      `${what}. The same key must have been used with two data directories; nothing more is signed. Start a node with a new key, or restore the right data directory`,
      { code: 'batch_conflict', action: 'stop' },
    );
    this.#options.log.error('batch_conflict', { reason: this.#failure.message });
    return this.#failure;
  }

  #closed(): readonly Batch[] {
    return this.#options.ledger.state.batches.slice(0, -1);
  }

  #pending(): readonly Batch[] {
    return this.#closed().filter((batch) => !batch.posted);
  }
}
