import type { Hex32 } from '@commonweight/protocol';
import { expect, it } from 'vitest';
import { batchRoot } from '../journal/ledger-state.ts';
import { workerLimits } from '../limits.ts';
import { BatchTrees } from './batch-trees.ts';

const batch = (index: number) => ({ index, digests: [`0x${String(index).padStart(64, '0')}` as Hex32, `0x${'ab'.repeat(32)}` as Hex32] });

it('builds the tree of a batch once, and keeps a bounded number of those asked for last', () => {
  const trees = new BatchTrees();
  const first = trees.of(batch(0));
  const second = trees.of(batch(1));
  expect(`0x${Buffer.from(first.root()).toString('hex')}`).toBe(batchRoot(batch(0)));
  for (let i = 2; i < workerLimits.batchTrees; i++) trees.of(batch(i));
  expect(trees.of(batch(0))).toBe(first);
  trees.of(batch(workerLimits.batchTrees));
  expect(trees.of(batch(0))).toBe(first);
  expect(trees.of(batch(1))).not.toBe(second);
});
