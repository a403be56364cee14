import { padTo } from '@commonweight/protocol';
import { describe, expect, it } from 'vitest';
import { attend } from '../reference/attention.ts';
import { blockIndex, packedIndex } from '../reference/check-tensors.ts';
import { embed } from '../reference/embedding.ts';
import { exp2n } from '../reference/exp2n.ts';
import { isqrt } from '../reference/isqrt.ts';
import { cacheEntry, newKeyValueHead, storeKeyValue } from '../reference/kv-cache.ts';
import { matmul } from '../reference/matmul.ts';
import { qkNorm } from '../reference/qk-norm.ts';
import { quantiseWide } from '../reference/quantise.ts';
import { requantise } from '../reference/requantise.ts';
import { addSaturating } from '../reference/add-saturating.ts';
import { rmsNormQuantise } from '../reference/rms-norm.ts';
import { rope } from '../reference/rope.ts';
import { type Scale, sdiv } from '../reference/scale.ts';
import { silu, swiglu } from '../reference/swiglu.ts';
import { Xorshift } from '../testing/xorshift.ts';
import { instantiate } from './kernels.ts';
import { loadEngineWasm } from './load-engine-wasm.node.ts';

const INT32_MAX = 2 ** 31 - 1;
const { exports, memory } = instantiate(loadEngineWasm());
const random = new Xorshift(2026);

type Numeric = number | bigint;
const call = (name: string, ...args: readonly Numeric[]): Numeric => (exports[name] as (...values: readonly Numeric[]) => Numeric)(...args);

type Values = Int8Array | Uint8Array | Int16Array | Int32Array | BigInt64Array;

/** Runs `use` with addresses for `inputs` (copied in) and gives the memory back. */
function using<T>(inputs: readonly Values[], use: (...at: number[]) => T): T {
  const at = inputs.map((values) => {
    const address = memory.allocate(values.byteLength, 'a test');
    memory.bytes(address, values.byteLength).set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    return address;
  });
  const result = use(...at);
  at.forEach((address) => memory.free(address));
  return result;
}
const int16At = (at: number, length: number): Int16Array => new Int16Array(memory.wasm.buffer, at, length).slice();
const int32At = (at: number, length: number): Int32Array => memory.int32(at, length).slice();
const int64At = (at: number, length: number): BigInt64Array => new BigInt64Array(memory.wasm.buffer, at, length).slice();
const scaleAt = (at: number): Scale => ({ mantissa: memory.int32(at, 2)[0]!, exponent: memory.int32(at, 2)[1]! });
const scaleWords = ({ mantissa, exponent }: Scale): Int32Array => Int32Array.of(mantissa, exponent);

/** Integers of every size up to `limit` in turn, both signs, both ends. */
const spread = (limit: number): number => {
  const kind = random.integer(0, 9);
  if (kind === 0) return limit;
  if (kind === 1) return -limit;
  if (kind === 2) return 0;
  const magnitude = Math.min(limit, Math.floor(2 ** (Math.log2(limit + 1) * (random.uint32() / 2 ** 32))));
  return random.integer(0, 1) === 0 ? magnitude : -magnitude;
};
const int32s = (length: number, limit = INT32_MAX): Int32Array => Int32Array.from({ length }, () => spread(limit));
const bigs = (values: ArrayLike<number>): BigInt64Array => BigInt64Array.from(Array.from(values, BigInt));
const rounds = Array.from({ length: 60 }, (_, i) => i);

describe('kernels equal the reference', () => {
  it('exp2n', () => {
    for (const bits of [15, 24]) {
      for (let d = 0; d < 40 * 65_536; d += 997) expect(call('op_exp2n', d, bits)).toBe(exp2n(d, bits));
      for (const d of [0, 65_535, 65_536, 2_097_151, 2_097_152, INT32_MAX, 2 ** 31]) expect(call('op_exp2n', d, bits)).toBe(exp2n(d, bits));
    }
  });

  it('isqrt', () => {
    for (let root = 1n; root < 2n ** 26n; root = root * 3n + 1n) {
      for (const n of [root * root - 1n, root * root, root * root + 2n * root]) expect(call('op_isqrt', n)).toBe(isqrt(n));
    }
    for (let bit = 0; bit < 53; bit++) {
      for (const delta of [-1, 0, 1]) {
        const n = BigInt(2 ** bit + delta);
        expect(call('op_isqrt', n)).toBe(isqrt(n));
      }
    }
  });

  it('sdiv', () => {
    for (let bit = 0; bit < 62; bit++) {
      for (const mantissa of [0, 1, 65_536, 131_071]) {
        const denominator = (1n << BigInt(bit)) + BigInt(random.integer(0, 2 ** Math.min(bit, 31) - 1));
        const scale = { mantissa, exponent: random.integer(-60, 60) };
        using([scaleWords(scale)], (at) => {
          call('op_sdiv', at, denominator);
          expect(scaleAt(at)).toEqual(sdiv(scale, denominator));
        });
      }
    }
  });

  it.each([8, 9, 13, 14, 16])('quantise to %i bits', (bits) => {
    for (const i of rounds) {
      const limit = 2 ** random.integer(0, 61);
      const n = i < 20 ? i + 1 : random.integer(1, 300);
      const values = BigInt64Array.from(
        { length: n },
        () => BigInt(spread(Math.min(limit, 2 ** 52))) << BigInt(limit > 2 ** 52 ? random.integer(0, 9) : 0),
      );
      const expected = quantiseWide(values, bits);
      using([values, new Int16Array(n), new Int32Array(2)], (v, q, s) => {
        call('op_quantise', v, n, bits, q, s);
        expect(int16At(q, n)).toEqual(expected.q);
        expect(scaleAt(s)).toEqual(expected.scale);
      });
    }
  });

  it('RMSNorm', () => {
    for (const i of rounds) {
      const n = i < 10 ? i + 1 : random.integer(1, 700);
      const x = i % 7 === 0 ? new Int32Array(n).fill(i % 2 === 0 ? INT32_MAX : -INT32_MAX) : int32s(n, 2 ** random.integer(0, 31) - 1);
      const norm = { weights: int32s(n, 2 ** 21), exponent: random.integer(-64, 64) };
      const epsilon = i % 5 === 0 ? 1 : random.integer(1, 2 ** 31) * 2 ** random.integer(0, 16);
      const bits = random.integer(8, 14);
      const expected = rmsNormQuantise(x, norm, epsilon, bits);
      using([x, norm.weights, new BigInt64Array(n), new Int16Array(n), new Int32Array(2)], (at, w, wide, q, s) => {
        call('op_rms_norm_quantise', at, n, w, norm.exponent, BigInt(epsilon), bits, wide, q, s);
        expect(int16At(q, n)).toEqual(expected.q);
        expect(scaleAt(s)).toEqual(expected.scale);
      });
    }
  });

  it('RMSNorm of the longest vector at the bound', () => {
    const n = 65_536;
    const x = Int32Array.from({ length: n }, (_, i) => (i % 3 === 0 ? -INT32_MAX : INT32_MAX));
    const norm = { weights: new Int32Array(n).fill(-(2 ** 21)), exponent: 20 };
    const expected = rmsNormQuantise(x, norm, 2 ** 48, 14);
    using([x, norm.weights, new BigInt64Array(n), new Int16Array(n), new Int32Array(2)], (at, w, wide, q, s) => {
      call('op_rms_norm_quantise', at, n, w, norm.exponent, 2n ** 48n, 14, wide, q, s);
      expect(int16At(q, n)).toEqual(expected.q);
      expect(scaleAt(s)).toEqual(expected.scale);
    });
  });

  it('norm of a head', () => {
    for (const i of rounds) {
      const n = i === 0 ? 256 : 2 * random.integer(1, 128);
      const x = i % 7 === 0 ? new Int32Array(n).fill(i % 2 === 0 ? INT32_MAX : -INT32_MAX) : int32s(n, 2 ** random.integer(0, 31) - 1);
      const norm = { weights: int32s(n, 2 ** 21), exponent: random.integer(-64, 64) };
      const epsilon = i % 5 === 0 ? 1 : random.integer(1, 2 ** 31) * 2 ** random.integer(0, 16);
      using([x, norm.weights], (at, w) => {
        call('op_norm_head', at, n, w, norm.exponent, BigInt(epsilon));
        expect(int32At(at, n)).toEqual(qkNorm(x, norm, epsilon));
      });
    }
  });

  it('RoPE', () => {
    for (const size of [2, 10, 64, 256]) {
      const head = int32s(size);
      const table = Int16Array.from({ length: size }, () => spread(32_767));
      using([head, table, new BigInt64Array(size)], (h, t, out) => {
        call('op_rope', h, t, size, out);
        expect(int64At(out, size)).toEqual(bigs(rope(head, table)));
      });
    }
  });

  it('SwiGLU, residual add', () => {
    const gate = Int32Array.from([0, 1, -1, INT32_MAX, -INT32_MAX, 16 * 65_536, -16 * 65_536, ...int32s(500)]);
    const up = int32s(gate.length);
    const expected = swiglu(gate, up);
    const sum = gate.slice();
    addSaturating(sum, up);
    using([gate, up, new BigInt64Array(gate.length)], (g, u, z) => {
      call('op_swiglu', g, u, gate.length, z);
      expect(int64At(z, gate.length)).toEqual(expected);
      call('op_add_to_residual', g, u, gate.length);
      expect(int32At(g, gate.length)).toEqual(sum);
    });
  });

  it('SwiGLU of every gate whose exponential is not zero: its division is right for every divisor', () => {
    const [end, piece] = [26 * 65_536, 1 << 16]; // in log2 units, so more than enough
    const up = new Int32Array(piece).fill(1);
    using([up, up, new BigInt64Array(piece)], (g, u, z) => {
      for (let first = -end; first < end; first += piece) {
        const gate = Int32Array.from({ length: piece }, (_, i) => first + i);
        memory.int32(g, piece).set(gate);
        call('op_swiglu', g, u, piece, z);
        const wrong = int64At(z, piece).findIndex((value, i) => Number(value) !== silu(gate[i]!));
        expect(wrong === -1 ? undefined : gate[wrong]).toBeUndefined();
      }
    });
  });
});

interface RandomMatrix {
  readonly rows: number;
  readonly columns: number;
  readonly exponent: number;
  readonly weights: Int8Array;
  readonly packed: Int8Array;
  /** Row-major, and `[N/16][K/64][16]`. */
  readonly blockMultipliers: Uint8Array;
  readonly packedBlocks: Uint8Array;
  readonly multipliers: Int32Array;
}

function matrixOf(rows: number, columns: number, exponent: number, weight: (n: number, k: number) => number): RandomMatrix {
  const padded = padTo(columns, 64);
  const packed = new Int8Array(padTo(rows, 16) * padded);
  const weights = new Int8Array(rows * columns);
  for (let n = 0; n < rows; n++) {
    for (let k = 0; k < columns; k++) weights[n * columns + k] = packed[packedIndex(n, k, padded)] = weight(n, k);
  }
  const multipliers = new Int32Array(padTo(rows, 16)).map((_, n) => (n >= rows ? 0 : n % 5 === 0 ? 2 ** 22 : random.integer(0, 2 ** 22)));
  const blocks = padded / 64;
  const packedBlocks = new Uint8Array(padTo(rows, 16) * blocks);
  const blockMultipliers = new Uint8Array(rows * blocks);
  for (let n = 0; n < rows; n++) {
    for (let g = 0; g < blocks; g++) {
      blockMultipliers[n * blocks + g] = packedBlocks[blockIndex(n, g, blocks)] = n % 3 === 0 ? 15 : random.integer(0, 15);
    }
  }
  return { rows, columns, exponent, weights, packed, blockMultipliers, packedBlocks, multipliers };
}

/** Runs the kernel on `tokens` vectors at once and each alone, and compares with the reference. */
function checkMatmul(matrix: RandomMatrix, vectors: readonly Int16Array[], scales: readonly Scale[], fractionBits: number): void {
  const [rows, columns] = [padTo(matrix.rows, 16), padTo(matrix.columns, 64)];
  const input = new Int16Array(vectors.length * columns).fill(-12_345); // garbage in the padding must not matter
  for (const [t, vector] of vectors.entries()) input.set(vector, t * columns);
  const words = Int32Array.from(scales.flatMap(({ mantissa, exponent }) => [mantissa, exponent]));
  const expected = vectors.map((vector, t) =>
    Int32Array.from(matmul(matrix, vector), (sum, n) => requantise(sum, matrix.multipliers[n]!, matrix.exponent, scales[t]!, fractionBits)),
  );
  const scratch = [new Int16Array(16 * 2048), new BigInt64Array(16 * vectors.length), new Int32Array(vectors.length * rows)];
  using(
    [matrix.packed, matrix.packedBlocks, matrix.multipliers, input, words, ...scratch],
    (weights, blocks, multipliers, x, s, panel, sums, y) => {
      using([Int32Array.of(weights!, blocks!, multipliers!, rows, columns, matrix.exponent, 14)], (m) => {
        const result = (t: number): Int32Array => int32At(y! + 4 * t * rows, matrix.rows);
        call('op_matmul', m!, x!, s!, vectors.length, fractionBits, panel!, sums!, y!);
        for (const [t, values] of expected.entries()) expect(result(t)).toEqual(values);
        for (const [t, values] of expected.entries()) {
          call('op_matmul', m!, x! + 2 * t * columns, s! + 8 * t, 1, fractionBits, panel!, sums!, y!);
          expect(result(0)).toEqual(values);
        }
      });
    },
  );
}

describe('matmul and requantise equal the reference, one vector and many', () => {
  const anyScale = (): Scale => ({ mantissa: random.integer(0, 2 ** 18 - 1), exponent: random.integer(-45, -8) });

  it.each([
    [1, 1, 3],
    [16, 64, 2],
    [17, 65, 5],
    [5, 576, 32],
    [31, 2048, 3],
    [18, 2049, 4],
    [20, 4200, 7],
    [3, 65_536, 3],
  ])('%i x %i, %i vectors', (rows, columns, tokens) => {
    const matrix = matrixOf(rows, columns, random.integer(20, 30), () => random.integer(-127, 127));
    const vectors = Array.from({ length: tokens }, () => Int16Array.from({ length: columns }, () => random.integer(-8191, 8191)));
    for (const bits of [12, 16]) checkMatmul(matrix, vectors, vectors.map(anyScale), bits);
  });

  it.each([2047, 2048, 2049, 4096, 6143, 65_536])('%i columns at the bound: |w| = 127, |q| = 8191', (columns) => {
    const signs = [(k: number) => (k % 2 === 0 ? 1 : -1), () => 1, () => -1, (k: number) => (k < 2048 ? 1 : -1)];
    const matrix = matrixOf(8, columns, 22, (n, k) => 127 * signs[n % 4]!(k));
    const vectors = signs.map((sign) => Int16Array.from({ length: columns }, (_, k) => 8191 * sign(k)));
    const scales = [
      { mantissa: 2 ** 18 - 1, exponent: 0 },
      { mantissa: 2 ** 18 - 1, exponent: -40 },
      { mantissa: 65_536, exponent: -60 },
      { mantissa: 1, exponent: -16 },
    ];
    checkMatmul(matrix, vectors, scales, 16);
  });

  it('clamps shifts at both ends', () => {
    const matrix = matrixOf(16, 64, 64, () => random.integer(-127, 127));
    const vector = Int16Array.from({ length: 64 }, () => random.integer(-8191, 8191));
    for (const exponent of [-120, -70, 100, 200]) checkMatmul({ ...matrix, exponent: 64 }, [vector], [{ mantissa: 99_999, exponent }], 16);
    for (const exponent of [-120, 100]) checkMatmul({ ...matrix, exponent: -64 }, [vector], [{ mantissa: 99_999, exponent }], 12);
  });

  it('embedding', () => {
    const matrix = matrixOf(37, 70, 30, () => random.integer(-127, 127));
    for (const exponent of [-64, 5, 12, 13, 24, 35, 64]) {
      using([matrix.packed, matrix.packedBlocks, matrix.multipliers, new Int32Array(70)], (weights, blocks, multipliers, x) => {
        using([Int32Array.of(weights!, blocks!, multipliers!, 48, 128, exponent, 14)], (m) => {
          for (const id of [0, 15, 16, 36]) {
            call('op_embed', m!, id, 70, x!);
            const row = matrix.weights.subarray(id * 70, (id + 1) * 70);
            const multipliersOfRow = matrix.blockMultipliers.subarray(2 * id, 2 * id + 2);
            expect(int32At(x!, 70)).toEqual(embed(row, multipliersOfRow, matrix.multipliers[id]!, exponent));
          }
        });
      });
    }
  });
});

describe('attention equals the reference', () => {
  it.each([
    [2, 3, 2 ** 20],
    [10, 40, 2 ** 16],
    [64, 33, 2 ** 18],
    [64, 600, INT32_MAX],
    [256, 21, INT32_MAX],
    [128, 1100, 2 ** 24],
    [32, 12, 0],
  ])('head size %i, %i positions, values up to %i', (size, positions, limit) => {
    const capacity = positions + 3;
    const stride = padTo(size, 16);
    const table = Int16Array.from({ length: size }, () => random.integer(-32_767, 32_767));
    const expectedCache = newKeyValueHead(capacity, size);
    const cache = new Int8Array(capacity * (2 * stride + 8));
    const constant = { mantissa: random.integer(2 ** 15, 2 ** 16 - 1), exponent: -2 };
    const scratch = [new Int32Array(positions), new BigInt64Array(positions), new Int16Array(positions)];
    using([cache, table, new BigInt64Array(size), ...scratch], (at, t, out, ...buffers) => {
      for (let position = 0; position < positions; position++) {
        const [key, value] = [int32s(size, limit), int32s(size, limit)];
        storeKeyValue(expectedCache, position, rope(key, table), value);
        using([key, value], (k, v) => call('op_store_key_value', at!, capacity, position, k, v, t!, size));
      }
      const scales = at! + 2 * capacity * stride;
      expect(new Uint32Array(memory.wasm.buffer, scales, positions)).toEqual(expectedCache.keyScales.subarray(0, positions));
      expect(new Uint32Array(memory.wasm.buffer, scales + 4 * capacity, positions)).toEqual(
        expectedCache.valueScales.subarray(0, positions),
      );
      for (const count of [1, 2, positions]) {
        const q = int32s(size, limit);
        using([bigs(q)], (query) => {
          call('op_attend', size, constant.mantissa, constant.exponent, query, at!, capacity, count, ...buffers, out!);
          expect(int64At(out!, size)).toEqual(bigs(attend(q, expectedCache, count, constant)));
        });
      }
    });
  });

  it('sums 1,100 equal weights of 32767 times values of 127: more than int32 holds', () => {
    const [size, positions] = [16, 1100];
    const key = new Int32Array(size);
    const value = Int32Array.from({ length: size }, (_, i) => (i % 2 === 0 ? INT32_MAX : -INT32_MAX));
    const table = new Int16Array(size);
    const constant = { mantissa: 40_000, exponent: 0 };
    const expectedCache = newKeyValueHead(positions, size);
    const scratch = [new Int32Array(positions), new BigInt64Array(positions), new Int16Array(positions)];
    using(
      [new Int8Array(positions * (2 * size + 8)), key, value, table, new BigInt64Array(size), ...scratch],
      (at, k, v, t, out, ...buffers) => {
        for (let position = 0; position < positions; position++) {
          storeKeyValue(expectedCache, position, key, value);
          call('op_store_key_value', at!, positions, position, k!, v!, t!, size);
        }
        expect(Math.abs(expectedCache.values[0]!)).toBe(127);
        using([bigs(key)], (query) => {
          call('op_attend', size, constant.mantissa, constant.exponent, query, at!, positions, positions, ...buffers, out!);
          expect(int64At(out!, size)).toEqual(bigs(attend(key, expectedCache, positions, constant)));
        });
      },
    );
  });

  it('cache entries at the bound keep their scale within 32 bits', () => {
    const largest = new Int32Array(4).fill(-INT32_MAX);
    expect(cacheEntry(largest).scale).toBeLessThan(2 ** 32);
    using([new Int8Array(64), largest, Int16Array.of(32_767, 0, 32_767, 0)], (cache, vector, table) => {
      call('op_store_key_value', cache, 1, 0, vector, vector, table, 4);
      expect(new Uint32Array(memory.wasm.buffer, cache + 36, 1)[0]).toBe(cacheEntry(largest).scale);
    });
  });
});
