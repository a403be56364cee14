import { loadEngineWasm } from '@commonweight/engine/node';
import { describe, expect, it } from 'vitest';
import { compareResults } from '../backends/compare.ts';
import { parseOptions } from '../backends/options.ts';
import { builtAddon, noCompiler } from '../../packages/engine/src/testing/built-addon.node.ts';
import { breakWorkbench } from '../backends/workload/break-workbench.ts';
import { makePlan, operations } from '../backends/workload/plan.ts';
import { nativeWorkbench } from '../backends/workload/native-workbench.ts';
import { type Workbench, runItem } from '../backends/workload/run-item.ts';
import { referenceWorkbench, wasmWorkbench } from '../backends/workload/workbench.ts';

// a tiny slice of `npm run test:backends`, and the proof that it can fail
const size = { tokens: 250, realTokens: 0, cases: 250 * operations.length };
const items = makePlan(size);
const resultsOf = (bench: Workbench) =>
  new Map(
    items.map((item) => {
      const { id, digest } = runItem(item, bench);
      return [id, digest];
    }),
  );

describe('the comparison of back ends', () => {
  const reference = resultsOf(referenceWorkbench());
  const wasm = resultsOf(wasmWorkbench(loadEngineWasm()));

  it('finds the same bits in the reference and in WASM', () => {
    expect(compareResults(items, new Map(Object.entries({ reference, wasm })))).toEqual({
      mismatches: [],
      tokens: size.tokens,
      kernelCases: size.cases,
    });
    expect(new Set(reference.values()).size).toBe(items.length);
  });

  it.skipIf(noCompiler !== undefined)('finds them at every level of the addon that this processor has', () => {
    const addon = builtAddon();
    const levels = Object.fromEntries(addon.levels.map((level) => [level, resultsOf(nativeWorkbench(addon, level))]));
    expect(compareResults(items, new Map(Object.entries({ reference, ...levels })))).toEqual({
      mismatches: [],
      tokens: size.tokens,
      kernelCases: size.cases,
    });
  });

  it('names what a back end with one wrong bit got wrong', () => {
    const broken = resultsOf(breakWorkbench(wasmWorkbench(loadEngineWasm())));
    const { mismatches } = compareResults(items, new Map(Object.entries({ reference, wasm, broken })));
    expect(new Set(mismatches.map(({ backEnd }) => backEnd))).toEqual(new Set(['broken']));
    const wrong = mismatches.map(({ item }) => item.id);
    expect(wrong[0]).toBe('kernels/isqrt/2');
    expect(wrong).toContain('generation/regular-1/1');
    expect(wrong).not.toContain('kernels/exp2n/1');
  });

  it('counts a result that did not come as a mismatch, and no case that only one back end can run', () => {
    const [first, second] = items;
    const silent = new Map(reference);
    silent.delete(first!.id);
    const unable = new Map(reference).set(second!.id, null);
    const compared = compareResults(items, new Map(Object.entries({ reference, silent })));
    expect(compared.mismatches).toMatchObject([{ backEnd: 'silent', got: 'nothing', item: first }]);
    expect(compareResults(items, new Map(Object.entries({ reference, unable })))).toMatchObject({
      mismatches: [],
      kernelCases: size.cases - 250,
    });
  });

  it('has a plan of exactly the size that is asked for, and refuses to compare nothing', () => {
    const night = parseOptions(['--nightly']);
    if (night === 'help') throw new Error('expected options');
    const plan = makePlan(night.size);
    expect(new Set(plan.map(({ id }) => id)).size).toBe(plan.length);
    expect(plan.reduce((sum, item) => sum + (item.kind === 'generation' ? item.tokens : 0), 0)).toBe(100_000);
    expect(plan.reduce((sum, item) => sum + (item.kind === 'kernels' ? item.cases : 0), 0)).toBe(1_000_000);
    for (const args of [
      ['--only', 'wasm'],
      ['--only', 'wasm,wasm'],
      ['--only', 'wasm,typo'],
      ['--tokens', '1e3'],
      ['--real-tokens', '9999'],
    ]) {
      expect(() => parseOptions(args)).toThrow(/expected/);
    }
  });
});
