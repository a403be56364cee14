import { closeSync, fstatSync, openSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { fileSource } from '../gguf/byte-source.ts';
import { dequantiserOf } from '../gguf/dequantise.ts';
import { halfTable } from '../gguf/half.ts';
import { parseGguf } from '../gguf/parse-gguf.ts';
import { halfBits, quantiseQ8 } from './quantise-q8.ts';
import { temporaryTestFolder } from './temporary-folder.ts';
import { type FloatTensor, writeQ8Gguf } from './write-q8-gguf.ts';

const valueAt = (row: number, i: number): number => (((row * 31 + i * 17) % 255) - 127) / 1000;

it('rounds every finite float16 to itself, and halfway values to the even one', () => {
  const table = halfTable();
  for (let bits = 0; bits < 0x7c00; bits++) expect(halfBits(table[bits]!)).toBe(bits);
  expect(halfBits(1 + 2 ** -11)).toBe(halfBits(1));
  expect(halfBits(1 + 3 * 2 ** -11)).toBe(halfBits(1 + 2 ** -9));
  expect(halfBits(2.5 * 2 ** -24)).toBe(2);
  expect(halfBits(3.5 * 2 ** -24)).toBe(4);
});

it('quantises to within half a step, both ends and zeros exactly', () => {
  const values = Float64Array.from({ length: 96 }, (_, i) => (i < 64 ? valueAt(i >> 5, i) : 0));
  const bytes = new Uint8Array(3 * 34);
  quantiseQ8(values, bytes, 0);
  const back = new Float64Array(96);
  dequantiserOf('Q8_0')(bytes, 0, back, 96);
  for (const [i, value] of values.entries()) {
    const largest = Math.max(...values.subarray(i & ~31, (i & ~31) + 32).map(Math.abs));
    expect(Math.abs(back[i]! - value)).toBeLessThanOrEqual((largest / 127) * (0.5 + 127 * 2 ** -11) + 1e-12);
  }
  expect(back.subarray(64).every((value) => value === 0)).toBe(true);
});

it('writes a file that the parser reads, the same bytes for norms, and nothing when it is stopped', async () => {
  const folder = await temporaryTestFolder();
  const path = join(folder, 'q8.gguf');
  const rowsOf = (name: string, rows: number, columns: number): FloatTensor => {
    let r = 0;
    const next = (row: Float64Array): void => {
      for (let i = 0; i < row.length; i++) row[i] = valueAt(r, i);
      r++;
    };
    return { name, rows, columns, next };
  };
  const tensors = (): FloatTensor[] => [rowsOf('norm.weight', 1, 5), rowsOf('matrix.weight', 7, 64)];
  await writeQ8Gguf(path, [{ key: 'general.name', type: 'string', value: 'x' }], tensors());
  const descriptor = openSync(path, 'r');
  try {
    const source = fileSource(descriptor, fstatSync(descriptor).size);
    const gguf = parseGguf(source);
    const norm = gguf.tensors.get('norm.weight')!;
    const matrix = gguf.tensors.get('matrix.weight')!;
    expect([norm.type, norm.shape, matrix.type, matrix.shape]).toEqual(['F32', [5], 'Q8_0', [64, 7]]);
    const read = (tensor: typeof norm, count: number): Float64Array => {
      const [bytes, values] = [new Uint8Array(tensor.bytes), new Float64Array(count)];
      source.read(tensor.offset, bytes);
      dequantiserOf(tensor.type)(bytes, 0, values, count);
      return values;
    };
    expect([...read(norm, 5)]).toEqual([0, 1, 2, 3, 4].map((i) => Math.fround(valueAt(0, i))));
    const values = read(matrix, 7 * 64);
    for (let i = 0; i < values.length; i++) expect(values[i]).toBeCloseTo(valueAt(Math.floor(i / 64), i % 64), 3);
  } finally {
    closeSync(descriptor);
  }
  const stopped = writeQ8Gguf(join(folder, 'stopped.gguf'), [], tensors(), () => undefined, AbortSignal.abort());
  await expect(stopped).rejects.toThrow('abort');
  expect(await readdir(folder)).toEqual(['q8.gguf']);
});
