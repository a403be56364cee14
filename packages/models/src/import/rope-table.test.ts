import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { ropeFrequencies } from './rope-frequencies.ts';
import { ropeTable } from './rope-table.ts';

const plain = (base: number, headDimension: number): bigint[] => ropeFrequencies({ base, scaling: { type: 'none' } }, headDimension);

it('equals rounded cosines and sines, but for the last place of float64 angles', () => {
  const positions = 512;
  const table = new DataView(ropeTable(plain(100_000, 64), positions).buffer);
  let different = 0;
  for (let position = 0; position < positions; position++) {
    for (let i = 0; i < 32; i++) {
      const angle = position * 100_000 ** ((-2 * i) / 64);
      const at = (position * 32 + i) * 4;
      const differences = [
        table.getInt16(at, true) - Math.round(32767 * Math.cos(angle)),
        table.getInt16(at + 2, true) - Math.round(32767 * Math.sin(angle)),
      ];
      for (const difference of differences) {
        expect(Math.abs(difference)).toBeLessThanOrEqual(1);
        if (difference !== 0) different++;
      }
    }
  }
  expect(different).toBeLessThan(4);
});

it('a shorter table is the beginning of a longer one, with the same bytes on every machine', () => {
  const long = ropeTable(plain(10_000, 32), 300);
  expect(ropeTable(plain(10_000, 32), 100)).toEqual(long.subarray(0, 100 * 64));
  expect(createHash('sha256').update(long).digest('hex')).toBe('04cbf5f8231f90efe345439a25491f20d39ff7517c4be57229efd1ccb1d85f05');
});
