import { Buffer } from 'node:buffer';
import { describe, expect, it } from 'vitest';
import { builtAddon, noCompiler } from '../testing/built-addon.node.ts';
import { Xorshift } from '../testing/xorshift.ts';
import { instantiate } from '../wasm/kernels.ts';
import { loadEngineWasm } from '../wasm/load-engine-wasm.node.ts';
import type { NativeLevel } from './addon.ts';

/** Random cases, counted once for every level of this machine; engine.wasm, which other tests hold to the reference, says what is right. */
const CASES = 200_000;
/** Bytes of memory that hold the largest case. */
const ARENA = 1 << 22;
const INT32_MAX = 2 ** 31 - 1;

type Numeric = number | bigint;
type Values = Int8Array | Uint8Array | Int16Array | Int32Array | BigInt64Array;

const { exports, memory } = instantiate(loadEngineWasm());
const base = memory.allocate(ARENA, 'the cases');
const image = new ArrayBuffer(base + ARENA);
const random = new Xorshift(404);

/** One case after the other at the beginning of the arena: inputs and results, then scratch, which may hold anything afterwards. */
class Arena {
  #end = base;
  #compared = base;

  put(values: Values): number {
    const at = this.#end;
    memory.bytes(at, values.byteLength).set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    this.#end = at + Math.ceil(values.byteLength / 64) * 64;
    this.#compared = this.#end;
    return at;
  }

  scratch(bytes: number): number {
    const at = this.#end;
    this.#end = at + Math.ceil(bytes / 64) * 64;
    return at;
  }

  /** Levels at which `name` gives other results or another image of the memory than engine.wasm. */
  differing(levels: readonly NativeLevel[], name: string, args: readonly Numeric[]): NativeLevel[] {
    const [used, compared] = [this.#end - base, this.#compared - base];
    const before = memory.bytes(base, used).slice();
    const result = (exports[name] as (...values: readonly Numeric[]) => Numeric | undefined)(...args);
    const expected = Buffer.from(memory.wasm.buffer, base, compared);
    return levels.filter((level) => {
      new Uint8Array(image, base, used).set(before);
      const native = addon.operation(level, name, image, BigInt64Array.from(args, BigInt));
      return native !== BigInt(result ?? 0) || expected.compare(Buffer.from(image, base, compared)) !== 0;
    });
  }
}

/** Integers of all sizes up to `limit`, both signs, zeros and both ends. */
function any(limit: number): number {
  const kind = random.integer(0, 15);
  if (kind < 3) return [limit, -limit, 0][kind]!;
  const size = random.integer(0, Math.floor(limit / 2 ** random.integer(0, 30)));
  return kind % 2 === 0 ? size : -size;
}
const int32s = (length: number, limit = INT32_MAX): Int32Array => Int32Array.from({ length }, () => any(limit));
/** The cache of one KV head of a KV group: entries up to 127, scales of all sizes. */
function cacheOf(capacity: number, size: number, entry: () => number, scale = (): number => Math.abs(any(INT32_MAX))): Int8Array {
  const stride = Math.ceil(size / 16) * 16;
  const cache = new Int8Array(capacity * (2 * stride + 8));
  for (let i = 0; i < 2 * capacity * stride; i++) cache[i] = i % stride < size ? entry() : 0;
  new Uint32Array(cache.buffer, 2 * capacity * stride).set(Uint32Array.from({ length: 2 * capacity }, scale));
  return cache;
}

function drawAttend(arena: Arena, size: number, capacity: number, positions: number, cache: Int8Array) {
  const [at, q] = [arena.put(cache), arena.put(BigInt64Array.from(int32s(size), BigInt))];
  const constant = [random.integer(2 ** 15, 2 ** 16 - 1), random.integer(-6, 2)];
  const out = arena.put(new BigInt64Array(size));
  const scratch = [arena.scratch(4 * capacity), arena.scratch(8 * capacity), arena.scratch(2 * capacity)];
  return ['op_attend', [size, ...constant, q, at, capacity, positions, ...scratch, out]] as const;
}
const int16s = (length: number, limit: number): Int16Array => Int16Array.from({ length }, () => any(limit));

/** |v| < 2^62, all of them within 2^bits for a random number of bits. */
function int64s(length: number): BigInt64Array {
  const shift = BigInt(random.integer(0, 60));
  return BigInt64Array.from({ length }, () => ((BigInt(any(2 ** 30 - 1)) << 32n) | BigInt(random.uint32())) >> shift);
}

type Draw = (arena: Arena) => readonly [name: string, args: readonly Numeric[]];

function drawMatmul(
  arena: Arena,
  rows: number,
  columns: number,
  tokens: number,
  weight: () => number,
  activation: () => number,
  bits: number,
  blockMultiplier = (): number => random.integer(0, 15),
) {
  const weights = Int8Array.from({ length: rows * columns }, weight);
  const blocks = Uint8Array.from({ length: (rows * columns) / 64 }, blockMultiplier);
  const multipliers = Int32Array.from({ length: rows }, () => Math.abs(any(2 ** 22)));
  const scales = Int32Array.from({ length: 2 * tokens }, (_, i) => (i % 2 === 0 ? Math.abs(any(2 ** 18 - 1)) : random.integer(-70, 60)));
  const words = Int32Array.of(arena.put(weights), arena.put(blocks), arena.put(multipliers), rows, columns, random.integer(-64, 64), bits);
  const x = arena.put(Int16Array.from({ length: tokens * columns }, activation));
  const [s, y] = [arena.put(scales), arena.put(new Int32Array(tokens * rows))];
  const m = arena.put(words);
  const [panel, sums] = [arena.scratch(2 * 16 * 2048), arena.scratch(8 * 16 * tokens)];
  return ['op_matmul', [m, x, s, tokens, random.integer(0, 1) === 0 ? 12 : 16, panel, sums, y]] as const;
}

const draws: readonly Draw[] = [
  () => ['op_exp2n', [random.integer(0, random.integer(0, 1) === 0 ? 2 ** 21 + 70_000 : INT32_MAX), random.integer(0, 1) === 0 ? 15 : 24]],
  () => ['op_isqrt', [BigInt.asUintN(52, int64s(1)[0]!)]],
  (arena) => ['op_sdiv', [arena.put(Int32Array.of(Math.abs(any(131_071)), any(60))), (int64s(1)[0]! & (2n ** 62n - 1n)) | 1n]],
  (arena) => {
    const n = random.integer(1, 70);
    return ['op_quantise', [arena.put(int64s(n)), n, random.integer(8, 16), arena.put(new Int16Array(n)), arena.put(new Int32Array(2))]];
  },
  (arena) => {
    const n = random.integer(1, 70);
    const [x, w] = [arena.put(int32s(n, 2 ** random.integer(1, 31) - 1)), arena.put(int32s(n, 2 ** 21))];
    const epsilon = BigInt(random.integer(1, INT32_MAX)) << BigInt(random.integer(0, 17));
    const [q, s] = [arena.put(new Int16Array(n)), arena.put(new Int32Array(2))];
    return ['op_rms_norm_quantise', [x, n, w, random.integer(-64, 64), epsilon, random.integer(8, 14), arena.scratch(8 * n), q, s]];
  },
  (arena) => {
    const n = 2 * random.integer(1, 64);
    const [x, w] = [arena.put(int32s(n, 2 ** random.integer(1, 31) - 1)), arena.put(int32s(n, 2 ** 21))];
    return ['op_norm_head', [x, n, w, random.integer(-64, 64), BigInt(random.integer(1, INT32_MAX)) << BigInt(random.integer(0, 17))]];
  },
  (arena) => {
    const size = 2 * random.integer(1, 40);
    return ['op_rope', [arena.put(int32s(size)), arena.put(int16s(size, 32_767)), size, arena.put(new BigInt64Array(size))]];
  },
  (arena) => {
    const n = random.integer(1, 70);
    return ['op_swiglu', [arena.put(int32s(n)), arena.put(int32s(n)), n, arena.put(new BigInt64Array(n))]];
  },
  (arena) => {
    const n = random.integer(1, 70);
    return ['op_add_to_residual', [arena.put(int32s(n)), arena.put(int32s(n)), n]];
  },
  (arena) => {
    const [size, capacity] = [2 * random.integer(1, 20), random.integer(1, 5)];
    const cache = arena.put(new Int8Array(capacity * (2 * Math.ceil(size / 16) * 16 + 8)));
    const [key, value, table] = [arena.put(int32s(size)), arena.put(int32s(size)), arena.put(int16s(size, 32_767))];
    return ['op_store_key_value', [cache, capacity, random.integer(0, capacity - 1), key, value, table, size]];
  },
  (arena) => {
    const [size, capacity] = [2 * random.integer(1, 24), random.integer(1, 40)];
    return drawAttend(
      arena,
      size,
      capacity,
      random.integer(1, capacity),
      cacheOf(capacity, size, () => any(127)),
    );
  },
  (arena) => {
    const [rows, columns] = [16 * random.integer(1, 2), 64];
    const weights = arena.put(Int8Array.from({ length: rows * columns }, () => any(127)));
    const blocks = arena.put(Uint8Array.from({ length: rows }, () => random.integer(0, 15)));
    const multipliers = arena.put(int32s(rows, 2 ** 22).map((value) => Math.abs(value)));
    const words = Int32Array.of(weights, blocks, multipliers, rows, columns, any(64), 14);
    const [m, width] = [arena.put(words), random.integer(1, columns)];
    return ['op_embed', [m, random.integer(0, rows - 1), width, arena.put(new Int32Array(width))]];
  },
  (arena) => {
    const bits = random.integer(8, 14);
    const limit = 2 ** (bits - 1) - 1;
    const [rows, columns, tokens] = [16 * random.integer(1, 3), 64 * random.integer(1, 2), random.integer(1, 7)];
    const [weight, activation] = [() => random.integer(-127, 127), () => random.integer(-limit, limit)];
    return drawMatmul(arena, rows, columns, tokens, weight, activation, bits);
  },
];

const addon = noCompiler === undefined ? builtAddon() : undefined!;

describe.skipIf(noCompiler !== undefined)(`native kernels equal engine.wasm${noCompiler === undefined ? '' : ` (${noCompiler})`}`, () => {
  it(`in ${CASES} random cases`, { timeout: 180_000 }, () => {
    let cases = 0;
    for (let i = 0; cases < CASES; i++) {
      const arena = new Arena();
      const [name, args] = draws[i % draws.length]!(arena);
      const differing = arena.differing(addon.levels, name, args);
      if (differing.length > 0) expect.fail(`case ${i}, ${name}(${args.join()}): ${differing.join()}`);
      cases += addon.levels.length;
    }
    expect(cases).toBeGreaterThanOrEqual(CASES);
  });

  it.each([
    [2048, 14],
    [2112, 14],
    [6144, 14],
    [6144, 8],
    [65_536, 14],
    [65_536, 8],
  ])('%i columns of weights and activations at the bound of %i bits', (columns, bits) => {
    const limit = 2 ** (bits - 1) - 1;
    const sign = (): number => (random.integer(0, 1) === 0 ? -1 : 1);
    const patterns: readonly (readonly [() => number, () => number])[] = [
      [() => 127, () => limit],
      [() => -127, () => limit],
      [() => 127, () => -limit],
      [() => 127 * sign(), () => limit * sign()],
    ];
    for (const tokens of columns > 10_000 ? [1, 3] : [1, 2, 5, 9]) {
      for (const [weight, activation] of patterns) {
        const arena = new Arena();
        const [name, args] = drawMatmul(arena, 16 * (1 + (tokens % 2)), columns, tokens, weight, activation, bits, () => 15);
        expect(arena.differing(addon.levels, name, args)).toEqual([]);
      }
    }
  });

  it.each([64, 80, 128, 250, 256])('attention with heads of %i', (size) => {
    for (const positions of [1, 31, 32, 33, 130, 515]) {
      const arena = new Arena();
      const [name, args] = drawAttend(
        arena,
        size,
        positions + 1,
        positions,
        cacheOf(positions + 1, size, () => any(127)),
      );
      expect(arena.differing(addon.levels, name, args)).toEqual([]);
    }
  });

  it('sums 9,000 equal weights times values at their bound', () => {
    const arena = new Arena();
    const [size, positions] = [16, 9000];
    const cache = cacheOf(
      positions,
      size,
      () => 127,
      () => 40_000,
    );
    const [name, args] = drawAttend(arena, size, positions, positions, cache);
    memory.bytes(Number(args[3]), 8 * size).fill(0); // a query of zeros: all scores are the same
    expect(arena.differing(addon.levels, name, args)).toEqual([]);
  });

  it('SwiGLU of every gate whose exponential is not zero: its division is right for every divisor', () => {
    const [end, piece] = [26 * 65_536, 1 << 16];
    for (let first = -end; first < end; first += piece) {
      const arena = new Arena();
      const gate = arena.put(Int32Array.from({ length: piece }, (_, i) => first + i));
      const up = arena.put(new Int32Array(piece).fill(1));
      expect(arena.differing(addon.levels, 'op_swiglu', [gate, up, piece, arena.put(new BigInt64Array(piece))])).toEqual([]);
    }
  });

  it('refuses addresses outside of the memory', () => {
    const run = (name: string, ...args: readonly Numeric[]) =>
      addon.operation('plain', name, new ArrayBuffer(256), BigInt64Array.from(args, BigInt));
    expect(() => run('op_rope', 0, 64, 64, 128)).toThrow('outside');
    expect(() => run('op_swiglu', 0, 8, -1, 64)).toThrow('outside');
    expect(() => run('op_swiglu', -2, 8, 1, 64)).toThrow('outside');
    expect(() => run('op_sdiv', 250, 1)).toThrow('outside');
    expect(() => run('op_sdiv', 0)).toThrow('number of arguments');
    expect(() => run('op_unknown')).toThrow('unknown operation');
  });
});
