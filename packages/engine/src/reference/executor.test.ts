import { CommonweightError, type Manifest } from '@commonweight/protocol';
import { describe, expect, it } from 'vitest';
import type { Executor } from '../executor.ts';
import { type TinyModelOptions, buildTinyModel, memorySource, tinyShapes } from '../testing/tiny-model.ts';
import { Xorshift } from '../testing/xorshift.ts';
import { createReferenceExecutor } from './executor.ts';

interface Trace {
  readonly residuals: string[];
  readonly logits: string[];
}

/** Runs `ids` in chunks of these lengths (the last one repeats) and writes down everything that an observer sees. */
function run(executor: Executor, ids: readonly number[], chunks: readonly number[]): Trace {
  const trace: Trace = { residuals: [], logits: [] };
  const sequence = executor.newSequence(ids.length);
  for (let at = 0, i = 0; at < ids.length; i++) {
    const size = chunks[Math.min(i, chunks.length - 1)]!;
    executor.forward(sequence, ids.slice(at, at + size), {
      logitsFrom: 0,
      onResidual: (position, point, residual) => trace.residuals.push(`${position}.${point}:${residual.join()}`),
      onLogits: (position, logits) => trace.logits.push(`${position}:${logits.join()}`),
    });
    at += size;
  }
  expect(sequence.length).toBe(ids.length);
  sequence.release();
  return trace;
}

const randomIds = (vocabulary: number, count: number): number[] => {
  const random = new Xorshift(7);
  return Array.from({ length: count }, () => random.integer(0, vocabulary - 1));
};

describe('reference executor', () => {
  it.each(Object.entries<TinyModelOptions>(tinyShapes))(
    '%s: prefill in one chunk, token by token and in odd chunks give the same bits',
    (_, options) => {
      const { manifest, source } = buildTinyModel(options);
      const executor = createReferenceExecutor(manifest, source);
      const ids = randomIds(manifest.graph.vocabulary, 23);
      const whole = run(executor, ids, [23]);
      expect(whole.residuals).toHaveLength(23 * manifest.graph.commitPoints.length);
      expect(whole.logits).toHaveLength(23);
      expect(new Set(whole.logits.map((line) => line.split(':')[1])).size).toBe(23);
      expect(run(executor, ids, [1])).toEqual(whole);
      expect(run(executor, ids, [5, 1, 7, 3])).toEqual(whole);
    },
  );

  it('the saturating model does saturate the residual stream', () => {
    const { manifest, source } = buildTinyModel(tinyShapes.saturating);
    const { residuals } = run(createReferenceExecutor(manifest, source), [1, 2, 3], [3]);
    expect(residuals.some((line) => line.includes('2147483647'))).toBe(true);
    expect(residuals.some((line) => line.includes('-2147483648'))).toBe(false);
  });

  it('a prefix gives the same bits whatever follows', () => {
    const { manifest, source } = buildTinyModel(tinyShapes.odd);
    const executor = createReferenceExecutor(manifest, source);
    const ids = randomIds(manifest.graph.vocabulary, 12);
    const short = run(executor, ids.slice(0, 8), [8]);
    expect(run(executor, ids, [12]).logits.slice(0, 8)).toEqual(short.logits);
  });

  it('gives logits from the position that is asked for and none by default', () => {
    const { manifest, source } = buildTinyModel();
    const executor = createReferenceExecutor(manifest, source);
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
    const executor = createReferenceExecutor(manifest, source);
    const sequence = executor.newSequence(2);
    expect(() => executor.forward(sequence, [96])).toThrow('ids from 0 to 95, got 96');
    expect(() => executor.forward(sequence, [1, -1])).toThrow(CommonweightError);
    expect(() => executor.forward(sequence, [1, 2, 3])).toThrow('at most 2 more ids, got 3');
    expect(sequence.length).toBe(0);
    expect(() => createReferenceExecutor(manifest, source).forward(sequence, [1])).toThrow('sequence of this executor');
    sequence.release();
    expect(() => executor.forward(sequence, [1])).toThrow('released');
    expect(() => executor.newSequence(129)).toThrow('1 to 128 positions, got 129');
    expect(() => executor.newSequence(0)).toThrow(CommonweightError);
  });
});

describe('loader', () => {
  const build = () => buildTinyModel(tinyShapes.odd);
  const expectRefused = (manifest: Manifest, weights: Uint8Array, message: string): void => {
    const load = () => createReferenceExecutor(manifest, memorySource(weights));
    expect(load).toThrow(message);
    expect(load).toThrow(CommonweightError);
  };
  const matrix = (manifest: Manifest, name: string) => {
    const tensor = manifest.tensors.find((t) => t.name === name);
    if (tensor?.kind !== 'matrix') throw new Error(`no matrix ${name}`);
    return tensor;
  };

  it('refuses a weight of -128 and names the tensor', () => {
    const { manifest, weights } = build();
    weights[matrix(manifest, 'blk.1.ffn_up').weights] = 128;
    expectRefused(manifest, weights, 'tensor blk.1.ffn_up: expected weights from -127 to 127, got -128 at byte 0');
  });

  it('refuses multipliers outside 0 to 2^22', () => {
    for (const [value, ok] of [
      [-1, false],
      [(1 << 22) + 1, false],
      [1 << 22, true],
      [0, true],
    ] as const) {
      const { manifest, weights } = build();
      new DataView(weights.buffer).setInt32(matrix(manifest, 'blk.0.attn_v').multipliers + 8, value, true);
      if (ok) createReferenceExecutor(manifest, memorySource(weights));
      else expectRefused(manifest, weights, `tensor blk.0.attn_v: expected a multiplier from 0 to 4194304 at row 2, got ${value}`);
    }
  });

  it('refuses padding that is not zero', () => {
    const { manifest, weights } = build();
    weights[matrix(manifest, 'blk.0.attn_q').weights + (72 / 4) * 64] = 1;
    expectRefused(manifest, weights, 'tensor blk.0.attn_q: expected zero padding at row 0, column 72');
    const second = build();
    const { multipliers, rows } = matrix(second.manifest, 'blk.0.attn_q');
    expect(rows % 16).not.toBe(0);
    second.weights[multipliers + 4 * rows] = 1;
    expectRefused(second.manifest, second.weights, `a multiplier from 0 to 0 at row ${rows}`);
  });

  it('refuses norm weights above 2^21', () => {
    const { manifest, weights } = build();
    const norm = manifest.tensors.find((t) => t.name === 'output_norm');
    if (norm?.kind !== 'norm') throw new Error('no norm');
    new DataView(weights.buffer).setInt32(norm.offset, -(1 << 21) - 1, true);
    expectRefused(manifest, weights, 'tensor output_norm: expected |weight| <= 2097152 at 0');
  });

  it('refuses exponents out of range and different activation widths for one input', () => {
    const { manifest, weights } = build();
    const change = (name: string, field: 'exponent' | 'activationBits', value: number): Manifest => ({
      ...manifest,
      tensors: manifest.tensors.map((tensor) => (tensor.name === name ? { ...tensor, [field]: value } : tensor)),
    });
    expectRefused(change('output_norm', 'exponent', 65), weights, 'tensor output_norm: expected an exponent from -64 to 64, got 65');
    expectRefused(
      change('blk.2.attn_k', 'activationBits', 8),
      weights,
      'expected one activationBits, as they share their input, got 14, 8, 14',
    );
    createReferenceExecutor(change('blk.2.ffn_down', 'activationBits', 8), memorySource(weights));
  });
});
