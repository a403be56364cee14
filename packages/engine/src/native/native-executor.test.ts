import { readFileSync } from 'node:fs';
import { type Manifest, fromBase64, parseManifest, residualDigest } from '@commonweight/protocol';
import { describe, expect, it } from 'vitest';
import { littleEndianBytes } from '../little-endian-bytes.ts';
import { createReferenceExecutor } from '../reference/executor.ts';
import { selfTest } from '../self-test.ts';
import { builtAddon, noCompiler } from '../testing/built-addon.node.ts';
import { describeExecutor } from '../testing/executor-suite.ts';
import { forwardDigests } from '../testing/forward-digests.ts';
import { buildTinyModel, memorySource, tinyShapes } from '../testing/tiny-model.ts';
import { randomIds, traceOf } from '../testing/trace.ts';
import type { NativeLevel } from './addon.ts';
import { createNativeExecutor } from './native-executor.node.ts';

if (noCompiler === undefined) {
  const addon = builtAddon();
  for (const level of addon.levels) {
    describeExecutor(`the addon at level ${level}`, (manifest, weights) => createNativeExecutor(manifest, weights, addon, level), 6);
  }
}

if (noCompiler === undefined) {
  describeExecutor(
    'the addon with three threads',
    (manifest, weights) => createNativeExecutor(manifest, weights, builtAddon(), undefined, 3),
    6,
  );
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

  it.each([1, 2, 3, 4])('gives the same bits with %i threads', (threads) => {
    for (const options of [tinyShapes.odd, tinyShapes.saturating]) {
      const { manifest, source } = buildTinyModel(options);
      const ids = randomIds(manifest.graph.vocabulary, 45);
      const executor = createNativeExecutor(manifest, source, addon, undefined, threads);
      expect(traceOf(executor, ids, [30, 1, 1, 3])).toEqual(traceOf(createReferenceExecutor(manifest, source), ids, [45]));
      executor.close();
    }
  });

  it('offers the digest of every residual stream where the processor can hash', () => {
    const { manifest, source } = buildTinyModel({ layers: 3, width: 300, commitPoints: [0, 2] });
    const executor = createNativeExecutor(manifest, source, addon);
    const seen: number[] = [];
    for (const ids of [[1, 2, 3], [4], [5, 6]]) {
      const sequence = executor.newSequence(3);
      executor.forward(sequence, ids, {
        onResidual: (position, point, residual, digest) => {
          seen.push(10 * position + point);
          expect(digest?.()).toEqual(addon.residualDigests && residualDigest(littleEndianBytes(residual)));
        },
      });
      sequence.release();
    }
    expect(seen).toEqual([0, 1, 10, 11, 20, 21, 0, 1, 0, 1, 10, 11]);
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
