import { type Scale, blockIndex, packedIndex } from '@commonweight/engine/testing/operations';
import { padTo } from '@commonweight/protocol';
import type { MatrixCase, Operations, Quantised } from './operations.ts';

/** More than the largest case needs. */
export const ARENA_BYTES = 1 << 20;
/** Columns of an int32 block times rows of a tile, and the sums of a tile: what `op_matmul` asks for as workspace. */
const PANEL_BYTES = 2 * 16 * 2048;

type Values = Int8Array | Uint8Array | Int16Array | Int32Array | BigInt64Array;
export type Numeric = number | bigint;

/** The `op_*` functions of kernels/engine.c, and the memory that their pointers point into. */
export interface KernelExports {
  readonly buffer: ArrayBufferLike;
  /** Address of ARENA_BYTES that they leave alone. */
  readonly arena: number;
  /** @param name - without `op_` */
  readonly call: (name: string, ...args: readonly Numeric[]) => Numeric;
}

/** Addresses for one call: given out in order, all given back by `clear`. */
class Arena {
  readonly #start: number;
  readonly #buffer: ArrayBufferLike;
  #end: number;

  constructor({ buffer, arena }: KernelExports) {
    this.#start = arena;
    this.#end = arena;
    this.#buffer = buffer;
  }

  clear(): void {
    this.#end = this.#start;
  }

  room(bytes: number): number {
    const at = this.#end;
    this.#end = padTo(at + bytes, 64);
    if (this.#end > this.#start + ARENA_BYTES) throw new RangeError(`a case needs more than ${ARENA_BYTES} bytes`);
    return at;
  }

  put(values: Values): number {
    const at = this.room(values.byteLength);
    new Uint8Array(this.#buffer, at, values.byteLength).set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    return at;
  }

  int16(at: number, length: number): Int16Array {
    return new Int16Array(this.#buffer, at, length).slice();
  }

  int32(at: number, length: number): Int32Array {
    return new Int32Array(this.#buffer, at, length).slice();
  }

  int64(at: number, length: number): BigInt64Array {
    return new BigInt64Array(this.#buffer, at, length).slice();
  }

  scale(at: number): Scale {
    const [mantissa, exponent] = new Int32Array(this.#buffer, at, 2) as unknown as [number, number];
    return { mantissa, exponent };
  }
}

/** The C kernels as operations, whatever they were compiled to. */
export function kernelOperations(kernels: KernelExports): Operations {
  const { call } = kernels;
  const arena = new Arena(kernels);
  const using = <T>(run: () => T): T => {
    arena.clear();
    return run();
  };
  const quantised = (q: number, length: number, scale: number): Quantised => ({ q: arena.int16(q, length), scale: arena.scale(scale) });
  const matrixAt = (matrix: MatrixCase): number => {
    const [rows, columns] = [padTo(matrix.rows, 16), padTo(matrix.columns, 64)];
    const packed = new Int8Array(rows * columns);
    for (let n = 0; n < matrix.rows; n++) {
      for (let k = 0; k < matrix.columns; k++) packed[packedIndex(n, k, columns)] = matrix.weights[n * matrix.columns + k]!;
    }
    const blocks = columns / 64;
    const packedBlocks = new Uint8Array(rows * blocks);
    for (let n = 0; n < matrix.rows; n++) {
      for (let g = 0; g < blocks; g++) packedBlocks[blockIndex(n, g, blocks)] = matrix.blockMultipliers[n * blocks + g]!;
    }
    const multipliers = new Int32Array(rows);
    multipliers.set(matrix.multipliers);
    return arena.put(Int32Array.of(arena.put(packed), arena.put(packedBlocks), arena.put(multipliers), rows, columns, matrix.exponent, 14));
  };

  return {
    exp2n: (d, fractionBits) => Number(call('exp2n', d, fractionBits)),
    isqrt: (n) => BigInt.asUintN(64, call('isqrt', n) as bigint),
    sdiv: ({ mantissa, exponent }, denominator) =>
      using(() => {
        const at = arena.put(Int32Array.of(mantissa, exponent));
        call('sdiv', at, denominator);
        return arena.scale(at);
      }),
    quantise: (values, bits) =>
      using(() => {
        const [q, scale] = [arena.room(2 * values.length), arena.room(8)];
        call('quantise', arena.put(values), values.length, bits, q, scale);
        return quantised(q, values.length, scale);
      }),
    rmsNorm: (x, weights, exponent, epsilon, bits) =>
      using(() => {
        const n = x.length;
        const [wide, q, scale] = [arena.room(8 * n), arena.room(2 * n), arena.room(8)];
        call('rms_norm_quantise', arena.put(x), n, arena.put(weights), exponent, BigInt(epsilon), bits, wide, q, scale);
        return quantised(q, n, scale);
      }),
    matmul: ({ matrix, vectors, scales, fractionBits }) =>
      using(() => {
        const [rows, columns] = [padTo(matrix.rows, 16), padTo(matrix.columns, 64)];
        const input = new Int16Array(vectors.length * columns).fill(-12_345); // what is in the padding must not matter
        for (const [t, vector] of vectors.entries()) input.set(vector, t * columns);
        const words = Int32Array.from(scales.flatMap(({ mantissa, exponent }) => [mantissa, exponent]));
        const [panel, sums, y] = [arena.room(PANEL_BYTES), arena.room(8 * 16 * vectors.length), arena.room(4 * vectors.length * rows)];
        call('matmul', matrixAt(matrix), arena.put(input), arena.put(words), vectors.length, fractionBits, panel, sums, y);
        return vectors.map((_, t) => arena.int32(y + 4 * t * rows, matrix.rows));
      }),
    embed: (matrix, id) =>
      using(() => {
        const x = arena.room(4 * matrix.columns);
        call('embed', matrixAt(matrix), id, matrix.columns, x);
        return arena.int32(x, matrix.columns);
      }),
    qkNorm: (head, weights, exponent, epsilon) =>
      using(() => {
        const x = arena.put(head);
        call('norm_head', x, head.length, arena.put(weights), exponent, BigInt(epsilon));
        return arena.int32(x, head.length);
      }),
    rope: (head, table) =>
      using(() => {
        const out = arena.room(8 * head.length);
        call('rope', arena.put(head), arena.put(table), head.length, out);
        return Int32Array.from(arena.int64(out, head.length), Number);
      }),
    attend: ({ q, table, entries, constant }) =>
      using(() => {
        const [size, positions] = [q.length, entries.length];
        const cache = arena.room(positions * (2 * padTo(size, 16) + 8));
        const rotation = arena.put(table);
        for (const [position, { key, value }] of entries.entries()) {
          call('store_key_value', cache, positions, position, arena.put(key), arena.put(value), rotation, size);
        }
        const scratch = [arena.room(4 * positions), arena.room(8 * positions), arena.room(2 * positions)];
        const [out, query] = [arena.room(8 * size), arena.put(BigInt64Array.from(q, BigInt))];
        call('attend', size, constant.mantissa, constant.exponent, query, cache, positions, positions, ...scratch, out);
        return arena.int64(out, size);
      }),
    swiglu: (gate, up) =>
      using(() => {
        const z = arena.room(8 * gate.length);
        call('swiglu', arena.put(gate), arena.put(up), gate.length, z);
        return arena.int64(z, gate.length);
      }),
    residualAdd: (x, y) =>
      using(() => {
        const at = arena.put(x);
        call('add_to_residual', at, arena.put(y), x.length);
        return arena.int32(at, x.length);
      }),
  };
}
