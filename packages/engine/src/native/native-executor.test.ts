import { readFileSync } from 'node:fs';
import { type Manifest, fromBase64, parseManifest } from '@commonweight/protocol';
import { describe, expect, it } from 'vitest';
import { selfTest } from '../self-test.ts';
import { builtAddon, noCompiler } from '../testing/built-addon.node.ts';
import { describeExecutor } from '../testing/executor-suite.ts';
import { forwardDigests } from '../testing/forward-digests.ts';
import { buildTinyModel, memorySource } from '../testing/tiny-model.ts';
import type { NativeLevel } from './addon.ts';
import { createNativeExecutor } from './native-executor.node.ts';

if (noCompiler === undefined) {
  const addon = builtAddon();
  for (const level of addon.levels) {
    describeExecutor(`the addon at level ${level}`, (manifest, weights) => createNativeExecutor(manifest, weights, addon, level));
  }
}

describe.skipIf(noCompiler !== undefined)(`native executor${noCompiler === undefined ? '' : ` (${noCompiler})`}`, () => {
  const addon = noCompiler === undefined ? builtAddon() : undefined!;
  const levels: readonly NativeLevel[] = noCompiler === undefined ? addon.levels : ['plain'];

  it.each(levels)('%s passes the self-test', (level) => {
    expect(() => selfTest((manifest, weights) => createNativeExecutor(manifest, weights, addon, level))).not.toThrow();
  });

  it.each(levels)('%s gives the committed digests of conformance/ops/forward.json', (level) => {
    const { cases } = JSON.parse(readFileSync(new URL('../../../../conformance/ops/forward.json', import.meta.url), 'utf8')) as {
      readonly cases: readonly { readonly manifest: unknown; readonly weights: string; readonly ids: number[]; readonly expect: unknown }[];
    };
    expect(cases.length).toBeGreaterThanOrEqual(2);
    for (const { manifest, weights, ids, expect: digests } of cases) {
      const source = memorySource(fromBase64(weights));
      expect(forwardDigests(createNativeExecutor(parseManifest(manifest), source, addon, level), ids)).toEqual(digests);
    }
  });

  it('refuses a level that this processor lacks', () => {
    const { manifest, source } = buildTinyModel();
    expect(() => createNativeExecutor(manifest, source, addon, 'neon' as NativeLevel)).toThrow('level that this processor has');
  });

  it('reports memory that the machine does not have', () => {
    const { manifest } = buildTinyModel();
    const huge: Manifest = { ...manifest, files: manifest.files.map((file) => ({ ...file, size: 2 ** 52 })) };
    const source = {
      read: () => {
        throw new Error('read');
      },
    };
    expect(() => createNativeExecutor(huge, source, addon)).toThrow(/weights\.bin needs .* no more memory/);
  });
});
