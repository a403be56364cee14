import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { dequantiserOf } from './dequantise.ts';
import { type TensorType, tensorTypes } from './tensor-types.ts';

interface Vector {
  readonly type: TensorType;
  readonly block: string;
  readonly float32: string;
}

const path = new URL('../../../../conformance/gguf-types/blocks.json', import.meta.url);
const vectors = JSON.parse(readFileSync(path, 'utf8')) as readonly Vector[];

it('has blocks of every quantised type', () => {
  const types = Object.keys(tensorTypes).filter((name) => name.startsWith('Q'));
  expect([...new Set(vectors.map(({ type }) => type))].sort()).toEqual(types.sort());
});

// gguf-py multiplies exactly and rounds one sum to float32; ours, rounded once, must be the same float32.
it.each(vectors.map((vector, i) => ({ ...vector, name: `${vector.type} ${i}` })))('$name equals gguf-py', ({ type, block, float32 }) => {
  const { block: elements, bytes } = tensorTypes[type];
  const stored = Buffer.from(block, 'hex');
  const expected = Buffer.from(float32, 'hex');
  expect(stored.length).toBe(bytes);
  expect(expected.length).toBe(4 * elements);
  // Two copies of the block, one byte in: blocks follow each other and need no alignment.
  const out = new Float64Array(2 * elements);
  dequantiserOf(type)(Buffer.concat([Uint8Array.of(0), stored, stored]), 1, out, out.length);
  for (let i = 0; i < elements; i++) {
    const want = expected.readFloatLE(4 * i);
    expect([i, Math.fround(out[i]!), Math.fround(out[elements + i]!)]).toEqual([i, want, want]);
  }
});
