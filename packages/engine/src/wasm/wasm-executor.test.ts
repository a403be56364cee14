import { CommonweightError, type Manifest, type MatrixTensor } from '@commonweight/protocol';
import { describe, expect, it } from 'vitest';
import { createReferenceExecutor } from '../reference/executor.ts';
import { type TinyModelOptions, buildTinyModel, memorySource, tinyShapes } from '../testing/tiny-model.ts';
import { randomIds, traceOf } from '../testing/trace.ts';
import { loadEngineWasm } from './load-engine-wasm.node.ts';
import { createWasmExecutor } from './wasm-executor.ts';

const engine = loadEngineWasm();

const shapes: Record<string, TinyModelOptions> = {
  ...tinyShapes,
  wideFfn: { layers: 1, width: 40, heads: 2, kvHeads: 1, headDimension: 20, ffnWidth: 4100, vocabulary: 33 },
  wideResidual: { layers: 1, width: 2084, heads: 3, kvHeads: 3, headDimension: 2, ffnWidth: 17, vocabulary: 50 },
  largeHead: { layers: 2, width: 30, heads: 4, kvHeads: 1, headDimension: 256, ffnWidth: 31, vocabulary: 18, head: 'untied' },
  saturatingOdd: { ...tinyShapes.odd, gain: 16, seed: 5 },
  oneLayerCommitted: { layers: 4, commitPoints: [3], activationBits: 9 },
};

describe('WASM executor', () => {
  it.each(Object.entries(shapes))('%s: residuals and logits equal the reference, in any chunks', (_, options) => {
    const { manifest, source } = buildTinyModel({ context: 80, ...options });
    const ids = randomIds(manifest.graph.vocabulary, 43);
    const expected = traceOf(createReferenceExecutor(manifest, source), ids, [43]);
    expect(expected.residuals).toHaveLength(43 * manifest.graph.commitPoints.length);
    const executor = createWasmExecutor(manifest, source, engine);
    for (const chunks of [[43], [1], [7, 1, 2, 30]]) expect(traceOf(executor, ids, chunks)).toEqual(expected);
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
    expect(traceOf(createWasmExecutor(manifest, source, engine), ids, [1000, 1], 1090)).toEqual(expected);
  });

  it('keeps sequences apart, and gives memory of released ones out again', () => {
    const { manifest, source } = buildTinyModel(tinyShapes.odd);
    const executor = createWasmExecutor(manifest, source, engine);
    const ids = randomIds(manifest.graph.vocabulary, 20);
    const other = ids.toReversed();
    const [a, b] = [traceOf(executor, ids, [20]), traceOf(executor, other, [20])];
    expect(a.logits).not.toEqual(b.logits);
    const [first, second] = [executor.newSequence(20), executor.newSequence(20)];
    const logits: [string[], string[]] = [[], []];
    for (let i = 0; i < 20; i++) {
      executor.forward(first, [ids[i]!], { logitsFrom: 0, onLogits: (position, l) => logits[0].push(`${position}:${l.join()}`) });
      executor.forward(second, [other[i]!], { logitsFrom: 0, onLogits: (position, l) => logits[1].push(`${position}:${l.join()}`) });
    }
    expect(logits).toEqual([a.logits, b.logits]);
    for (let i = 0; i < 2000; i++) executor.newSequence(128).release();
    first.release();
    second.release();
    expect(traceOf(executor, ids, [20])).toEqual(a);
  });

  it('gives logits from the position that is asked for and none by default', () => {
    const { manifest, source } = buildTinyModel();
    const executor = createWasmExecutor(manifest, source, engine);
    const positions: number[] = [];
    const onLogits = (position: number): void => void positions.push(position);
    const sequence = executor.newSequence(8);
    executor.forward(sequence, [1, 2, 3], { onLogits });
    executor.forward(sequence, [4, 5, 6], { onLogits, logitsFrom: 5 });
    executor.forward(sequence, []);
    expect(positions).toEqual([5]);
    expect(sequence.length).toBe(6);
  });

  it('refuses wrong ids, a full, released or foreign sequence and a capacity outside the context, and changes nothing', () => {
    const { manifest, source } = buildTinyModel();
    const executor = createWasmExecutor(manifest, source, engine);
    const sequence = executor.newSequence(2);
    expect(() => executor.forward(sequence, [96])).toThrow('ids from 0 to 95, got 96');
    expect(() => executor.forward(sequence, [1, -1])).toThrow(CommonweightError);
    expect(() => executor.forward(sequence, [1, 2, 3])).toThrow('at most 2 more ids, got 3');
    expect(sequence.length).toBe(0);
    expect(() => createWasmExecutor(manifest, source, engine).forward(sequence, [1])).toThrow('sequence of this executor');
    sequence.release();
    sequence.release();
    expect(() => executor.forward(sequence, [1])).toThrow('released');
    expect(() => executor.newSequence(129)).toThrow('1 to 128 positions, got 129');
    expect(() => executor.newSequence(0)).toThrow(CommonweightError);
  });

  it('refuses a model of more than 4 GiB before it reads a byte', () => {
    const { manifest } = buildTinyModel();
    const huge: Manifest = { ...manifest, files: manifest.files.map((file) => ({ ...file, size: 2 ** 32 })) };
    const source = {
      read: () => {
        throw new Error('read');
      },
    };
    expect(() => createWasmExecutor(huge, source, engine)).toThrow(/weights\.bin needs 4294967296 bytes.*4 GiB/);
  });

  it('refuses weights of -128 and wrong multipliers and names the tensor', () => {
    const { manifest, weights } = buildTinyModel(tinyShapes.odd);
    const tensor = manifest.tensors.find((t): t is MatrixTensor => t.name === 'blk.1.ffn_up')!;
    const refuses = (change: (view: DataView) => void, message: string): void => {
      const copy = weights.slice();
      change(new DataView(copy.buffer));
      expect(() => createWasmExecutor(manifest, memorySource(copy), engine)).toThrow(message);
    };
    refuses((view) => view.setInt8(tensor.weights + 5, -128), 'tensor blk.1.ffn_up: expected weights from -127 to 127, got -128 at byte 5');
    refuses(
      (view) => view.setInt32(tensor.multipliers, -1, true),
      'tensor blk.1.ffn_up: expected a multiplier from 0 to 4194304 at row 0, got -1',
    );
  });
});
