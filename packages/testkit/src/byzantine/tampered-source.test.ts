import { createReferenceExecutor, generate } from '@commonweight/engine';
import { buildTinyModel } from '@commonweight/engine/testing';
import { toHex, samplerSettings } from '@commonweight/protocol';
import { describe, expect, it } from 'vitest';
import { type Tampering, slight, strong, tamperedSource } from './tampered-source.ts';

const { manifest, weights, source } = buildTinyModel({ layers: 4, commitPoints: [0, 1, 2, 3] });

function readAll(tampering: Tampering, chunk: number): Uint8Array {
  const bytes = new Uint8Array(weights.length);
  const tampered = tamperedSource(manifest, source, tampering);
  for (let at = 0; at < bytes.length; at += chunk) tampered.read(at, bytes.subarray(at, at + chunk));
  return bytes;
}

const run = (from: typeof source) =>
  generate({
    executor: createReferenceExecutor(manifest, from),
    promptIds: [3, 1, 4, 1, 5],
    sampler: samplerSettings(),
    prfKey: new Uint8Array(32),
    stopIds: [],
    maxTokens: 4,
  });

describe('tampered weights', () => {
  it.each([slight(manifest), strong(manifest)])('change sign in whole rows of one layer, however they are read: %o', (tampering) => {
    const whole = readAll(tampering, weights.length);
    for (const chunk of [1, 777, 4096]) expect(Buffer.compare(readAll(tampering, chunk), whole)).toBe(0);
    const changed = [...whole.keys()].filter((i) => whole[i] !== weights[i]);
    const tensor = manifest.tensors.find(({ name }) => name === 'blk.2.ffn_down');
    expect(tensor).toMatchObject({ kind: 'matrix' });
    const start = tensor?.kind === 'matrix' ? tensor.weights : Number.NaN;
    expect(changed.at(0)).toBeGreaterThanOrEqual(start);
    expect(changed.at(-1)).toBeLessThan(start + tampering.blocks * 16 * 128);
    expect(changed.length).toBeGreaterThan(tampering.blocks * 16 * 100);
  });

  it('leave the commit points before that layer alone and change the first position after it', () => {
    const honest = run(source).commitment;
    const lying = run(tamperedSource(manifest, source, slight(manifest))).commitment;
    const differs = [0, 1, 2, 3].map((point) => toHex(honest.digest(0, point)!) !== toHex(lying.digest(0, point)!));
    expect(differs).toEqual([false, false, true, true]);
  });

  it('need a layer of the model', () => {
    expect(() => tamperedSource(manifest, source, { layer: 4, blocks: 1 })).toThrow(/blk\.4\.ffn_down: expected a matrix/);
  });
});
