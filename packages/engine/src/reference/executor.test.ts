import { CommonweightError, type Manifest } from '@commonweight/protocol';
import { describe, expect, it } from 'vitest';
import { describeExecutor } from '../testing/executor-suite.ts';
import { buildTinyModel, memorySource, tinyShapes } from '../testing/tiny-model.ts';
import { randomIds, traceOf } from '../testing/trace.ts';
import { createReferenceExecutor } from './executor.ts';

describeExecutor('the reference', createReferenceExecutor, 1);

describe('reference executor', () => {
  it('the saturating model does saturate the residual stream', () => {
    const { manifest, source } = buildTinyModel(tinyShapes.saturating);
    const { residuals } = traceOf(createReferenceExecutor(manifest, source), [1, 2, 3], [3]);
    expect(residuals.some((line) => line.includes('2147483647'))).toBe(true);
    expect(residuals.some((line) => line.includes('-2147483648'))).toBe(false);
  });

  it('a prefix gives the same bits whatever follows', () => {
    const { manifest, source } = buildTinyModel(tinyShapes.odd);
    const executor = createReferenceExecutor(manifest, source);
    const ids = randomIds(manifest.graph.vocabulary, 12);
    const short = traceOf(executor, ids.slice(0, 8), [8]);
    expect(traceOf(executor, ids, [12]).logits.slice(0, 8)).toEqual(short.logits);
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

  it('refuses block multipliers above 15', () => {
    const { manifest, weights } = build();
    weights[matrix(manifest, 'blk.0.attn_v').blockMultipliers + 3] = 16;
    expectRefused(manifest, weights, 'tensor blk.0.attn_v: expected block multipliers from 0 to 15, got 16 at byte 3');
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
    const third = build();
    third.weights[matrix(third.manifest, 'blk.0.attn_q').blockMultipliers + ((rows >> 4) * 2 + 1) * 16 + (rows & 15)] = 1;
    expectRefused(third.manifest, third.weights, `a zero block multiplier at padding row ${rows}, block 1`);
  });

  it('refuses norm weights above 2^21', () => {
    const { manifest, weights } = build();
    const norm = manifest.tensors.find((t) => t.name === 'output_norm');
    if (norm?.kind !== 'norm') throw new Error('no norm');
    new DataView(weights.buffer).setInt32(norm.offset, -(1 << 21) - 1, true);
    expectRefused(manifest, weights, 'tensor output_norm: expected |weight| <= 2097152 at 0');
  });

  it('refuses a bias of -2^31', () => {
    const { manifest, weights } = buildTinyModel(tinyShapes.biased);
    const bias = manifest.tensors.find((t) => t.name === 'blk.1.attn_k.bias');
    if (bias?.kind !== 'bias') throw new Error('no bias');
    new DataView(weights.buffer).setInt32(bias.offset + 4, -(2 ** 31), true);
    expectRefused(manifest, weights, 'tensor blk.1.attn_k.bias: expected values from -2147483647 to 2147483647, got -2^31 at 1');
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
