import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runs, scale, signed } from '../testing/arbitraries.ts';
import { matmulBig, requantiseBig } from '../testing/restatements.ts';
import { Xorshift } from '../testing/xorshift.ts';
import { type MatrixBlocks, matmul } from './matmul.ts';
import { requantise } from './requantise.ts';

const big = (values: ArrayLike<number>): bigint[] => Array.from(values, BigInt);

function restated({ rows, weights, blockMultipliers }: MatrixBlocks, q: Int16Array): bigint[] {
  const blocks = blockMultipliers.length / rows;
  return Array.from({ length: rows }, (_, n) =>
    matmulBig(
      big(weights.subarray(n * q.length, (n + 1) * q.length)),
      big(blockMultipliers.subarray(n * blocks, (n + 1) * blocks)),
      big(q),
    ),
  );
}

describe('matmul', () => {
  it.each([1, 3, 63, 64, 65, 2047, 2048, 2049, 5000])('equals the restatement at K = %i', (columns) => {
    const random = new Xorshift(columns);
    const weights = Int8Array.from({ length: 3 * columns }, () => random.integer(-127, 127));
    const q = Int16Array.from({ length: columns }, () => random.integer(-8191, 8191));
    const blockMultipliers = Uint8Array.from({ length: 3 * Math.ceil(columns / 64) }, () => random.integer(0, 15));
    const matrix = { rows: 3, weights, blockMultipliers };
    expect(big(matmul(matrix, q))).toEqual(restated(matrix, q));
  });

  it('does not wrap with every product at its bound, at the longest K', () => {
    const columns = 1 << 16;
    const weights = new Int8Array(2 * columns).fill(127);
    weights.fill(-127, columns);
    const q = new Int16Array(columns).fill(8191);
    const bound = (127 * 8191 * columns * 15) / 16;
    const matrix = { rows: 2, weights, blockMultipliers: new Uint8Array(2 * 1024).fill(15) };
    expect([...matmul(matrix, q)]).toEqual([bound, -bound]);
    expect(bound).toBeLessThan(2 ** 36);
    // Two blocks times their multipliers add up in int32, in every back end.
    expect(127 * 15 * 8191 * 128).toBeLessThan(2 ** 31);
  });
});

describe('requantise', () => {
  it('equals the restatement', () => {
    const bound = 127 * 8191 * 65_536;
    fc.assert(
      fc.property(
        signed(bound),
        fc.integer({ min: 0, max: 1 << 22 }),
        fc.integer({ min: -64, max: 64 }),
        scale,
        fc.constantFrom(12, 16),
        (acc, rm, exponent, s, f) => {
          const want = requantiseBig(
            BigInt(acc),
            BigInt(rm),
            BigInt(exponent),
            { m: BigInt(s.mantissa), e: BigInt(s.exponent) },
            BigInt(f),
          );
          expect(BigInt(requantise(acc, rm, exponent, s, f))).toBe(want);
        },
      ),
      { ...runs, numRuns: 3000 },
    );
  });

  it('saturates at both ends with every factor at its bound', () => {
    const bound = 127 * 8191 * 65_536;
    const largest = { mantissa: (1 << 18) - 1, exponent: 40 };
    expect(requantise(bound, 1 << 22, -64, largest, 16)).toBe(2 ** 31 - 1);
    expect(requantise(-bound, 1 << 22, -64, largest, 16)).toBe(-(2 ** 31 - 1));
    expect(Math.abs(requantise(bound, 1 << 22, 64, { mantissa: (1 << 18) - 1, exponent: -80 }, 12))).toBe(0);
    expect(Math.abs(requantise(0, 1 << 22, 30, largest, 12))).toBe(0);
  });
});
