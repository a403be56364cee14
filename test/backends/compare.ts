import type { Item } from './workload/plan.ts';

/** Digests by item id, of one back end; `null` for an item that it cannot run. */
export type Results = ReadonlyMap<string, string | null>;

export interface Mismatch {
  readonly item: Item;
  readonly backEnd: string;
  readonly expected: string;
  /** `nothing` when the back end gave no result for the item. */
  readonly got: string;
}

export interface Comparison {
  /** In the order of the items. */
  readonly mismatches: readonly Mismatch[];
  /** Sampled tokens, and cases, that at least two back ends computed: each counted once, however many computed it. */
  readonly tokens: number;
  readonly kernelCases: number;
}

/** Compares everything with the first back end that has a digest. An item without a result is a mismatch: silence proves nothing. */
export function compareResults(items: readonly Item[], results: ReadonlyMap<string, Results>): Comparison {
  const mismatches: Mismatch[] = [];
  let [tokens, kernelCases] = [0, 0];
  for (const item of items) {
    const digests = [...results].map(([backEnd, digestOf]) => ({ backEnd, digest: digestOf.get(item.id) }));
    const able = digests.filter(({ digest }) => digest !== null);
    const expected = able.find(({ digest }) => digest !== undefined)?.digest ?? 'a result';
    for (const { backEnd, digest } of able) {
      if (digest !== expected) mismatches.push({ item, backEnd, expected, got: digest ?? 'nothing' });
    }
    if (able.length < 2) continue;
    if (item.kind === 'generation') tokens += item.tokens;
    else kernelCases += item.cases;
  }
  return { mismatches, tokens, kernelCases };
}
