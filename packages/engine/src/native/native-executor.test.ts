import { readFileSync } from 'node:fs';
import { CommonweightError, type Manifest, type MatrixTensor, fromBase64, parseManifest } from '@commonweight/protocol';
import { describe, expect, it } from 'vitest';
import { createReferenceExecutor } from '../reference/executor.ts';
import { selfTest } from '../self-test.ts';
import { builtAddon, noCompiler } from '../testing/built-addon.node.ts';
import { forwardDigests } from '../testing/forward-digests.ts';
import { type TinyModelOptions, buildTinyModel, memorySource, tinyShapes } from '../testing/tiny-model.ts';
import { randomIds, traceOf } from '../testing/trace.ts';
import { createWasmExecutor } from '../wasm/wasm-executor.ts';
import { loadEngineWasm } from '../wasm/load-engine-wasm.node.ts';
import type { NativeLevel } from './addon.ts';
import { createNativeExecutor } from './native-executor.node.ts';

const shapes: Record<string, TinyModelOptions> = {
  ...tinyShapes,
  wideFfn: { layers: 1, width: 40, heads: 2, kvHeads: 1, headDimension: 20, ffnWidth: 4100, vocabulary: 33 },
  wideResidual: { layers: 1, width: 2084, heads: 3, kvHeads: 3, headDimension: 2, ffnWidth: 17, vocabulary: 50 },
  largeHead: { layers: 2, width: 30, heads: 4, kvHeads: 1, headDimension: 256, ffnWidth: 31, vocabulary: 18, head: 'untied' },
  saturatingOdd: { ...tinyShapes.odd, gain: 16, seed: 5 },
  saturatingNarrow: { ...tinyShapes.odd, gain: 16, seed: 6, activationBits: 8 },
  nineBits: { ...tinyShapes.odd, seed: 8, activationBits: 9 },
  oneLayerCommitted: { layers: 4, commitPoints: [3], activationBits: 9 },
};

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

  it.each(Object.entries(shapes))('%s: residuals and logits equal the reference at every level, in any chunks', (_, options) => {
    const { manifest, source } = buildTinyModel({ context: 120, ...options });
    const ids = randomIds(manifest.graph.vocabulary, 77);
    const expected = traceOf(createReferenceExecutor(manifest, source), ids, [77]);
    expect(expected.residuals).toHaveLength(77 * manifest.graph.commitPoints.length);
    for (const level of levels) {
      const executor = createNativeExecutor(manifest, source, addon, level);
      for (const chunks of [[77], [1], [7, 1, 2, 3, 30]]) expect(traceOf(executor, ids, chunks)).toEqual(expected);
    }
  });

  it('sums values over more than one block of positions exactly', () => {
    const { manifest, source } = buildTinyModel({
      layers: 1,
      width: 16,
      heads: 1,
      kvHeads: 1,
      ffnWidth: 16,
      vocabulary: 40,
      context: 1100,
    });
    const ids = randomIds(40, 1100);
    const expected = traceOf(createReferenceExecutor(manifest, source), ids, [1100], 1090);
    for (const level of levels)
      expect(traceOf(createNativeExecutor(manifest, source, addon, level), ids, [1000, 1], 1090)).toEqual(expected);
  });

  it('keeps sequences and models apart', () => {
    const { manifest, source } = buildTinyModel(tinyShapes.odd);
    const other = buildTinyModel({ ...tinyShapes.odd, seed: 99 });
    const [a, b] = [createNativeExecutor(manifest, source, addon), createNativeExecutor(other.manifest, other.source, addon)];
    const ids = randomIds(manifest.graph.vocabulary, 20);
    const reversed = ids.toReversed();
    const wasm = createWasmExecutor(manifest, source, loadEngineWasm());
    const expected = [traceOf(wasm, ids, [20]).logits, traceOf(wasm, reversed, [20]).logits];
    const [first, second, third] = [a.newSequence(20), a.newSequence(20), b.newSequence(20)];
    const got: [string[], string[]] = [[], []];
    for (let i = 0; i < 20; i++) {
      a.forward(first, [ids[i]!], { logitsFrom: 0, onLogits: (position, l) => got[0].push(`${position}:${l.join()}`) });
      b.forward(third, [ids[i]!]);
      a.forward(second, [reversed[i]!], { logitsFrom: 0, onLogits: (position, l) => got[1].push(`${position}:${l.join()}`) });
    }
    expect(got).toEqual(expected);
    for (let i = 0; i < 2000; i++) a.newSequence(128).release();
  });

  it('gives logits from the position that is asked for and none by default', () => {
    const { manifest, source } = buildTinyModel();
    const executor = createNativeExecutor(manifest, source, addon);
    const positions: number[] = [];
    const onLogits = (position: number): void => void positions.push(position);
    const sequence = executor.newSequence(8);
    executor.forward(sequence, [1, 2, 3], { onLogits });
    executor.forward(sequence, [4, 5, 6], { onLogits, logitsFrom: 5 });
    executor.forward(sequence, []);
    expect(positions).toEqual([5]);
    expect(sequence.length).toBe(6);
  });

  it('refuses wrong ids, a full, released or foreign sequence, a capacity outside the context and an absent level', () => {
    const { manifest, source } = buildTinyModel();
    const executor = createNativeExecutor(manifest, source, addon);
    const sequence = executor.newSequence(2);
    expect(() => executor.forward(sequence, [96])).toThrow('ids from 0 to 95, got 96');
    expect(() => executor.forward(sequence, [1, -1])).toThrow(CommonweightError);
    expect(() => executor.forward(sequence, [1, 2, 3])).toThrow('at most 2 more ids, got 3');
    expect(sequence.length).toBe(0);
    expect(() => createNativeExecutor(manifest, source, addon).forward(sequence, [1])).toThrow('sequence of this executor');
    sequence.release();
    sequence.release();
    expect(() => executor.forward(sequence, [1])).toThrow('released');
    expect(() => executor.newSequence(129)).toThrow('1 to 128 positions, got 129');
    expect(() => createNativeExecutor(manifest, source, addon, 'neon' as NativeLevel)).toThrow('level that this processor has');
  });

  it('refuses weights of -128 and wrong multipliers and names the tensor', () => {
    const { manifest, weights } = buildTinyModel(tinyShapes.odd);
    const tensor = manifest.tensors.find((t): t is MatrixTensor => t.name === 'blk.1.ffn_up')!;
    const refuses = (change: (view: DataView) => void, message: string): void => {
      const copy = weights.slice();
      change(new DataView(copy.buffer));
      expect(() => createNativeExecutor(manifest, memorySource(copy), addon)).toThrow(message);
    };
    refuses((view) => view.setInt8(tensor.weights + 5, -128), 'tensor blk.1.ffn_up: expected weights from -127 to 127, got -128 at byte 5');
    refuses(
      (view) => view.setInt32(tensor.multipliers, -1, true),
      'tensor blk.1.ffn_up: expected a multiplier from 0 to 4194304 at row 0, got -1',
    );
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
