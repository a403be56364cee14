import { expect, it } from 'vitest';
import { memorySource } from '../gguf/byte-source.ts';
import { withNeighbours } from './neighbour-rows.ts';

const bias = (type: 'F32' | 'Q8_0', bytes: number) => ({
  name: 'blk.0.attn_q.bias',
  type,
  shape: [64],
  offset: 0,
  bytes,
  source: memorySource(Uint8Array.from({ length: bytes }, (_, i) => i >> 2)),
});

it('moves the elements of a bias as the rows of its matrix', () => {
  const target = new Uint8Array(4 * 64);
  withNeighbours(bias('F32', 4 * 64), 64).source.read(0, target);
  expect([0, 1, 2, 3].map((element) => target[4 * element])).toEqual([0, 32, 1, 33]);
});

it('refuses a bias in blocks instead of leaving it in the wrong order', () => {
  expect(() => withNeighbours(bias('Q8_0', 68), 64)).toThrow(
    expect.objectContaining({ code: 'model_unsupported', message: expect.stringMatching(/blk\.0\.attn_q\.bias.*Q8_0/) }),
  );
});
