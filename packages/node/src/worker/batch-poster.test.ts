import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BatchPosting, ChainError } from '@commonweight/chain';
import { type CommonweightError, postedRootOf } from '@commonweight/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Ledger } from '../journal/ledger.ts';
import { draft, identity, ledgerOptions } from '../journal/testing/entries.ts';
import type { Clock } from '../platform/clock.ts';
import { BatchPoster, type ReceiptChain } from './batch-poster.ts';
import { RecordingLog } from './testing/recording-log.ts';

let folder: string;
let ledger: Ledger;
let chain: FaultyChain;
let log: RecordingLog;
let next = 0;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'commonweight-poster-'));
  ({ ledger } = await Ledger.open(ledgerOptions(folder)));
  chain = new FaultyChain();
  log = new RecordingLog();
});
afterEach(async () => {
  await ledger.close();
  await rm(folder, { recursive: true, force: true });
});

const down = (): ChainError => new ChainError('chain_unreachable', 'no chain');

/** The contract's rules, and faults that a real chain cannot be asked for. */
class FaultyChain implements ReceiptChain {
  batches: BatchPosting[] = [];
  posts = 0;
  /** Thrown by the next calls, one each; `lost` posts the batch and loses the answer. */
  faults: ('down' | 'lost')[] = [];

  nextBatch = async (): Promise<number> => {
    if (this.faults[0] === 'down') throw (this.faults.shift(), down());
    return this.batches.length;
  };

  batch = async (_node: string, index: number) => {
    const posted = this.batches[index];
    return posted && { root: postedRootOf(posted.root), count: posted.count, postedAt: 0 };
  };

  postBatch = async (batch: BatchPosting): Promise<boolean> => {
    const fault = this.faults.shift();
    if (fault === 'down') throw down();
    this.posts++;
    if (batch.batchIndex !== this.batches.length) throw new ChainError('chain_reverted', 'gap', { details: { reason: 'NotNextBatch' } });
    this.batches.push(batch);
    if (fault === 'lost') throw down();
    return true;
  };
}

const poster = (clock?: Clock): BatchPoster =>
  new BatchPoster({
    node: identity.node,
    ledger,
    chain,
    log,
    intervalMs: 5000,
    clock: clock ?? { now: () => 0, sleep: async () => {}, after: () => () => {} },
  });
const issue = async (count: number): Promise<void> => {
  for (let i = 0; i < count; i++) await ledger.issue(draft(next++));
};
const closedBatches = () => ledger.state.batches.slice(0, -1);
const expectSame = (): void => {
  expect(chain.batches.map(({ batchIndex, root, count }) => [batchIndex, root, count])).toEqual(
    closedBatches().map(({ index, root, digests }) => [index, root, digests.length]),
  );
  expect(closedBatches().every(({ posted }) => posted)).toBe(true);
};

describe('batch poster', () => {
  it('posts gapless batches in order and nothing when there is nothing', async () => {
    const posting = poster();
    await posting.step();
    expect(chain.posts).toBe(0);
    await issue(3);
    await posting.step();
    await posting.step();
    await issue(1);
    await posting.step();
    expect(chain.batches.map(({ batchIndex, count }) => [batchIndex, count])).toEqual([
      [0, 3],
      [1, 1],
    ]);
    expectSame();
  });

  it('gathers receipts while the chain is down, and posts them when it is back', async () => {
    const posting = poster();
    chain.faults = ['down', 'down', 'down'];
    for (let i = 0; i < 3; i++) {
      await issue(2);
      await expect(posting.step()).rejects.toMatchObject({ code: 'chain_unreachable' });
    }
    await posting.step();
    await posting.step();
    expect(chain.batches.map(({ count }) => count)).toEqual([2, 4]);
    expectSame();
  });

  it('takes a post whose answer was lost for posted, also after a restart', async () => {
    await issue(1);
    chain.faults = ['lost'];
    await expect(poster().step()).rejects.toMatchObject({ code: 'chain_unreachable' });
    expect(closedBatches()[0]!.posted).toBe(false);
    await ledger.close();
    ({ ledger } = await Ledger.open(ledgerOptions(folder)));
    await poster().step();
    expect(chain.posts).toBe(1);
    expectSame();
  });

  it('posts again what a restored chain has lost, in this process and in the next', async () => {
    const posting = poster();
    for (let i = 0; i < 4; i++) {
      await issue(2);
      await posting.step();
    }
    const roots = chain.batches.map(({ root }) => root);
    chain.batches.length = 2;
    await posting.step();
    expect(chain.batches.map(({ root }) => root)).toEqual(roots);
    expectSame();
    chain.batches.length = 1;
    await ledger.close();
    ({ ledger } = await Ledger.open(ledgerOptions(folder)));
    await issue(1);
    await poster().step();
    await poster().step();
    expect(chain.batches.slice(0, 4).map(({ root }) => root)).toEqual(roots);
    expectSame();
  });

  it('stops when the chain holds another root, another count or batches that the journal does not know', async () => {
    await issue(1);
    await poster().step();
    const [good] = chain.batches;
    for (const batches of [
      [{ ...good!, root: `0x${'66'.repeat(32)}` as const }],
      [{ ...good!, count: 2 }],
      [good!, { ...good!, batchIndex: 1 }],
    ]) {
      chain.batches = batches;
      await expect(poster().compare()).rejects.toMatchObject({ code: 'batch_conflict', action: 'stop' });
      const told: CommonweightError[] = [];
      await poster().run(new AbortController().signal, (error) => told.push(error));
      expect(told).toMatchObject([{ code: 'batch_conflict' }]);
    }
  });

  it('waits for its interval, and longer and longer while the chain fails, never more than half a minute', async () => {
    const pauses: number[] = [];
    const stop = new AbortController();
    const sleep = async (ms: number): Promise<void> => {
      pauses.push(ms);
      if (pauses.length === 10) stop.abort();
    };
    chain.faults = Array.from({ length: 7 }, () => 'down');
    await issue(1);
    await poster({ now: () => 0, sleep, after: () => () => {} }).run(stop.signal, (error) => expect.unreachable(error.message));
    expect(pauses).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 5000, 5000, 5000]);
    expect(log.of('chain_failed')).toHaveLength(7);
    expectSame();
  });
});
