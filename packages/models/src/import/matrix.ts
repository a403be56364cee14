import { CommonweightError, padTo } from '@commonweight/protocol';
import { exponentOf, pow2, roundHalfUp } from '../float-bits.ts';
import { limits } from '../limits.ts';
import type { RealMatrix } from './real-matrix.ts';

/** Columns that share a block multiplier. */
const BLOCK = 64;
/** The largest weight, and the largest block multiplier, which counts sixteenths. */
const LARGEST_WEIGHT = 127;
const LARGEST_MULTIPLIER = 15;
/** Q16 in int32 ends here. */
const LARGEST_BIAS = 2 ** 15;

/** What is left to write after a matrix's weights: its multipliers and their exponent (SPEC section 2). */
export interface MatrixScales {
  readonly exponent: number;
  /** uint8 `[N/16][K/64][16]`. */
  readonly blockMultipliers: Uint8Array;
  /** N padded to 16, int32. */
  readonly multipliers: Int32Array;
}

/**
 * Quantises a matrix to int8 (SPEC section 2.3) and hands it out packed as [N/16][K/4][16][4], a few MB at a time. Reads the rows twice: the exponent
 * depends on the largest value of all. `emit` must be done with the bytes when its promise resolves: the buffer is used again.
 */
export async function convertMatrix(matrix: RealMatrix, emit: (packed: Uint8Array) => Promise<void>): Promise<MatrixScales> {
  const { rows, columns } = matrix;
  const { exponent, multipliers } = rowMultipliers(matrix);
  const paddedColumns = padTo(columns, BLOCK);
  const blocks = paddedColumns / BLOCK;
  const blockMultipliers = new Uint8Array(padTo(rows, 16) * blocks);
  const rowsPerSlab = Math.max(16, Math.floor(limits.slabBytes / paddedColumns / 16) * 16);
  const packed = new Int8Array(Math.min(rowsPerSlab, padTo(rows, 16)) * paddedColumns);
  const values = new Float64Array(columns);

  for (let first = 0; first < rows; first += rowsPerSlab) {
    const count = Math.min(rowsPerSlab, rows - first);
    packed.fill(0);
    for (let n = first; n < first + count; n++) {
      matrix.read(n, values);
      const unit = multipliers[n]! * pow2(-exponent);
      const base = ((n - first) >> 4) * 16 * paddedColumns + (n & 15) * 4;
      for (let g = 0; g < blocks && unit > 0; g++) {
        const end = Math.min(columns, (g + 1) * BLOCK);
        const multiplier = blockMultiplier(values, g * BLOCK, end, unit);
        blockMultipliers[((n >> 4) * blocks + g) * 16 + (n & 15)] = multiplier;
        quantiseBlock(values, g * BLOCK, end, (unit * multiplier) / 16, packed, base);
      }
    }
    await emit(new Uint8Array(packed.buffer, 0, padTo(count, 16) * paddedColumns));
  }
  return { exponent, blockMultipliers, multipliers };
}

/** rm = the largest value of a row / (127 * 15/16), rounded up, in units of 2^-E: the largest of all has 22 bits. */
function rowMultipliers(matrix: RealMatrix): { exponent: number; multipliers: Int32Array } {
  const values = new Float64Array(matrix.columns);
  const scales = new Float64Array(padTo(matrix.rows, 16));
  let largest = 0;
  for (let n = 0; n < matrix.rows; n++) {
    matrix.read(n, values);
    scales[n] = maximumOf(values, 0, values.length) / ((LARGEST_WEIGHT * LARGEST_MULTIPLIER) / 16);
    largest = Math.max(largest, scales[n]!);
  }
  const exponent = 22 - exponentOf(largest);
  const factor = pow2(exponent);
  return { exponent, multipliers: Int32Array.from(scales, (scale) => Math.ceil(scale * factor)) };
}

/** Rounded up, so that no weight leaves [-127, 127] but by an ulp, which `quantiseBlock` clamps. */
function blockMultiplier(values: Float64Array, start: number, end: number, unit: number): number {
  return Math.min(LARGEST_MULTIPLIER, Math.ceil((maximumOf(values, start, end) * 16) / (LARGEST_WEIGHT * unit)));
}

function maximumOf(values: Float64Array, start: number, end: number): number {
  let maximum = 0;
  for (let k = start; k < end; k++) maximum = Math.max(maximum, Math.abs(values[k]!));
  return maximum;
}

/** Element k goes to byte 64 * floor(k / 4) + k % 4 from `base`. */
function quantiseBlock(values: Float64Array, start: number, end: number, scale: number, packed: Int8Array, base: number): void {
  if (scale === 0) return;
  for (let k = start; k < end; k++) {
    const rounded = Math.floor(values[k]! / scale + 0.5);
    packed[base + ((k >> 2) << 6) + (k & 3)] = rounded > 127 ? 127 : rounded < -127 ? -127 : rounded;
  }
}

/** RMSNorm weights as 22-bit integers with one exponent. */
export function convertNorm(norm: RealMatrix): { readonly exponent: number; readonly weights: Int32Array } {
  const values = readVector(norm);
  const exponent = 21 - exponentOf(maximumOf(values, 0, values.length));
  const factor = pow2(exponent);
  return { exponent, weights: Int32Array.from(values, (value) => roundHalfUp(value * factor)) };
}

/** Biases of a matrix, Q16; a value that the format cannot hold is refused. */
export function convertBias(bias: RealMatrix): Int32Array {
  return Int32Array.from(readVector(bias), (value, i) => {
    if (!(value > -LARGEST_BIAS && value < LARGEST_BIAS)) {
      const field = `${bias.name}[${i}]`;
      throw new CommonweightError(`tensor ${field}: expected a number between -${LARGEST_BIAS} and ${LARGEST_BIAS}, got ${value}`, {
        code: 'tensor_number',
        field,
      });
    }
    return roundHalfUp(value * pow2(16));
  });
}

/** A one-dimensional tensor's numbers. */
export function readVector(vector: RealMatrix): Float64Array {
  const values = new Float64Array(vector.columns);
  vector.read(0, values);
  return values;
}
