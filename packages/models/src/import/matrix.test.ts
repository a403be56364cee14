import { expect, it } from 'vitest';
import { memorySource } from '../gguf/byte-source.ts';
import { convertMatrix, convertNorm } from './matrix.ts';
import { type RealMatrix, storedMatrix } from './real-matrix.ts';

function matrixOf(shape: readonly number[], values: readonly number[]): RealMatrix {
  const bytes = new Uint8Array(Float32Array.from(values).buffer);
  return storedMatrix({ name: 't', type: 'F32', shape, offset: 0, bytes: bytes.length, source: memorySource(bytes) });
}

async function convert(columns: number, rows: number, values: readonly number[]) {
  const parts: Uint8Array[] = [];
  const scales = await convertMatrix(matrixOf([columns, rows], values), async (packed) => void parts.push(packed.slice()));
  return { ...scales, packed: new Int8Array(Buffer.concat(parts)) };
}

it('quantises by blocks of 64 columns and packs as [N/16][K/4][16][4] with zeros around', async () => {
  const [rows, columns] = [18, 70];
  const values = Array.from({ length: rows * columns }, (_, i) =>
    Math.fround((((i * 7919) % 255) / 100 - 1.2) * (i % columns < 64 ? 1 : 0.3)),
  );
  const { packed, blockMultipliers, multipliers, exponent } = await convert(columns, rows, values);
  expect([packed.length, blockMultipliers.length, multipliers.length]).toEqual([32 * 128, 32 * 2, 32]);
  const at = (n: number, k: number): number => packed[(((n >> 4) * 32 + (k >> 2)) * 16 + (n & 15)) * 4 + (k & 3)]!;
  for (let n = 0; n < 32; n++) {
    const row = n < rows ? values.slice(n * columns, (n + 1) * columns) : [];
    const largest = Math.max(0, ...row.map(Math.abs));
    expect(multipliers[n]).toBe(Math.ceil((largest / ((127 * 15) / 16)) * 2 ** exponent));
    for (const g of [0, 1]) {
      const block = row.slice(64 * g, 64 * g + 64);
      const multiplier = blockMultipliers[((n >> 4) * 2 + g) * 16 + (n & 15)]!;
      const unit = multipliers[n]! * 2 ** -exponent;
      const blockLargest = Math.max(0, ...block.map(Math.abs));
      expect(multiplier).toBe(n < rows ? Math.ceil((blockLargest * 16) / (127 * unit)) : 0);
      for (let k = 64 * g; k < 64 * g + 64; k++) {
        const value = row[k] ?? 0;
        expect(at(n, k)).toBe(value === 0 ? 0 : Math.floor(value / ((unit * multiplier) / 16) + 0.5));
        // No weight clamps: it is at most half a step off.
        if (n < rows) expect(Math.abs(at(n, k) * ((unit * multiplier) / 16) - value)).toBeLessThanOrEqual((unit * multiplier) / 32);
      }
    }
  }
  expect(Math.max(...blockMultipliers)).toBe(15);
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
  const { packed, blockMultipliers, multipliers, exponent } = await convert(
    64,
    16,
    Array.from({ length: 1024 }, () => 0),
  );
  expect([exponent, ...new Set(multipliers), ...new Set(blockMultipliers), ...new Set(packed)]).toEqual([22, 0, 0, 0]);
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
  const { exponent, weights } = convertNorm(matrixOf([4], values));
  expect(exponent).toBe(20);
  expect([...weights]).toEqual(values.map((value) => Math.floor(Math.fround(value) * 2 ** 20 + 0.5)));
});
