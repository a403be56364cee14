import { expect, it } from 'vitest';
import { memorySource } from '../gguf/byte-source.ts';
import type { GgufTensor } from '../gguf/parse-gguf.ts';
import { convertMatrix, convertNorm } from './matrix.ts';

function tensorOf(shape: readonly number[], values: readonly number[]): { tensor: GgufTensor; source: ReturnType<typeof memorySource> } {
  const bytes = new Uint8Array(Float32Array.from(values).buffer);
  return { tensor: { name: 't', type: 'F32', shape, offset: 0, bytes: bytes.length }, source: memorySource(bytes) };
}

async function convert(columns: number, rows: number, values: readonly number[]) {
  const { tensor, source } = tensorOf([columns, rows], values);
  const parts: Uint8Array[] = [];
  const scales = await convertMatrix(source, tensor, async (packed) => void parts.push(packed.slice()));
  return { ...scales, packed: new Int8Array(Buffer.concat(parts)) };
}

it('quantises by rows and packs as [N/16][K/4][16][4] with zeros around', async () => {
  const [rows, columns] = [18, 70];
  const values = Array.from({ length: rows * columns }, (_, i) => Math.fround(((i * 7919) % 255) / 100 - 1.2));
  const { packed, multipliers, exponent } = await convert(columns, rows, values);
  expect(packed.length).toBe(32 * 128);
  expect(multipliers.length).toBe(32);
  const at = (n: number, k: number): number => packed[(((n >> 4) * 32 + (k >> 2)) * 16 + (n & 15)) * 4 + (k & 3)]!;
  for (let n = 0; n < 32; n++) {
    const row = n < rows ? values.slice(n * columns, (n + 1) * columns) : [];
    const scale = Math.max(0, ...row.map(Math.abs)) / 127;
    expect(multipliers[n]).toBe(Math.floor(scale * 2 ** exponent + 0.5));
    for (let k = 0; k < 128; k++) expect(at(n, k)).toBe(k < columns && n < rows ? Math.floor(row[k]! / scale + 0.5) : 0);
  }
  expect(Math.max(...multipliers)).toBeLessThanOrEqual(2 ** 22);
  expect(Math.max(...multipliers)).toBeGreaterThanOrEqual(2 ** 21);
});

it('a matrix of several slabs equals its rows', async () => {
  const [rows, columns] = [40_000, 64];
  const values = Array.from({ length: rows * columns }, (_, i) => ((i * 31) % 1009) - 500);
  const { packed } = await convert(columns, rows, values);
  const last = await convert(columns, 16, values.slice((rows - 16) * columns));
  expect(packed.length).toBe(rows * columns);
  expect(packed.subarray(-1024)).toEqual(last.packed);
});

it('a row of zeros has scale 0 and stays zero', async () => {
  const { packed, multipliers, exponent } = await convert(
    64,
    16,
    Array.from({ length: 1024 }, () => 0),
  );
  expect([exponent, ...new Set(multipliers), ...new Set(packed)]).toEqual([22, 0, 0]);
});

it('the extreme value is 127, never -128', async () => {
  const { packed } = await convert(
    64,
    16,
    Array.from({ length: 1024 }, (_, i) => (i % 2 ? -0.3 : 0.3)),
  );
  expect(new Set(packed)).toEqual(new Set([127, -127]));
});

it.each([NaN, Infinity, -Infinity])('refuses %d', async (value) => {
  await expect(convert(64, 1, [...Array.from({ length: 63 }, () => 1), value])).rejects.toThrow('expected finite numbers');
});

it('norm weights: 22 bits with sign and one exponent', () => {
  const values = [0.4, -1.25e-5, 1.5, -1.999];
  const { tensor, source } = tensorOf([4], values);
  const { exponent, weights } = convertNorm(source, tensor);
  expect(exponent).toBe(20);
  expect([...weights]).toEqual(values.map((value) => Math.floor(Math.fround(value) * 2 ** 20 + 0.5)));
});
