import { CommonweightError, padTo } from '@commonweight/protocol';
import { exponentOf, pow2, roundHalfUp } from '../float-bits.ts';
import type { ByteSource } from '../gguf/byte-source.ts';
import { dequantiserOf, rowBytes } from '../gguf/dequantise.ts';
import type { GgufTensor } from '../gguf/parse-gguf.ts';
import { limits } from '../limits.ts';

/** Q16 in int32 ends here. */
const LARGEST_BIAS = 2 ** 15;

/** What is left to write after a matrix's weights: its row multipliers and their exponent (SPEC section 2). */
export interface RowScales {
  readonly exponent: number;
  /** N padded to 16, int32. */
  readonly multipliers: Int32Array;
}

/**
 * Quantises a matrix row by row to int8 with scale max|row| / 127 and hands it out packed as [N/16][K/4][16][4], a few MB at a time.
 * `emit` must be done with the bytes when its promise resolves: the buffer is used again.
 */
export async function convertMatrix(
  source: ByteSource,
  tensor: GgufTensor,
  emit: (packed: Uint8Array) => Promise<void>,
): Promise<RowScales> {
  const [columns, rows] = tensor.shape as [number, number];
  const paddedColumns = padTo(columns, 64);
  const rowsPerSlab = Math.max(16, Math.floor(limits.slabBytes / paddedColumns / 16) * 16);
  const bytesPerRow = rowBytes(tensor.type, columns);
  const dequantise = dequantiserOf(tensor.type);
  const stored = new Uint8Array(Math.min(rowsPerSlab, rows) * bytesPerRow);
  const packed = new Int8Array(Math.min(rowsPerSlab, padTo(rows, 16)) * paddedColumns);
  const values = new Float64Array(columns);
  const scales = new Float64Array(padTo(rows, 16));

  for (let first = 0; first < rows; first += rowsPerSlab) {
    const count = Math.min(rowsPerSlab, rows - first);
    source.read(tensor.offset + first * bytesPerRow, stored.subarray(0, count * bytesPerRow));
    packed.fill(0);
    for (let row = 0; row < count; row++) {
      dequantise(stored, row * bytesPerRow, values, columns);
      const scale = maximumOf(values, tensor, first + row) / 127;
      scales[first + row] = scale;
      if (scale > 0) quantiseRow(values, scale, packed, (row >> 4) * 16 * paddedColumns + (row & 15) * 4);
    }
    await emit(new Uint8Array(packed.buffer, 0, padTo(count, 16) * paddedColumns));
  }
  return rowScales(scales);
}

function maximumOf(values: Float64Array, tensor: GgufTensor, row: number): number {
  let maximum = 0;
  for (const value of values) {
    const size = value < 0 ? -value : value;
    if (!(size < Infinity)) {
      const field = `${tensor.name} row ${row}`;
      throw new CommonweightError(`tensor ${field}: expected finite numbers, got ${value}`, { code: 'tensor_number', field });
    }
    if (size > maximum) maximum = size;
  }
  return maximum;
}

/** Element k goes to byte 64 * floor(k / 4) + k % 4 from `base`. */
function quantiseRow(values: Float64Array, scale: number, packed: Int8Array, base: number): void {
  for (let k = 0; k < values.length; k++) {
    const rounded = Math.floor(values[k]! / scale + 0.5);
    packed[base + ((k >> 2) << 6) + (k & 3)] = rounded > 127 ? 127 : rounded < -127 ? -127 : rounded;
  }
}

function rowScales(scales: Float64Array): RowScales {
  let maximum = 0;
  for (const scale of scales) if (scale > maximum) maximum = scale;
  const exponent = 22 - exponentOf(maximum);
  const factor = pow2(exponent);
  return { exponent, multipliers: Int32Array.from(scales, (scale) => roundHalfUp(scale * factor)) };
}

/** RMSNorm weights as 22-bit integers with one exponent. */
export function convertNorm(source: ByteSource, tensor: GgufTensor): { readonly exponent: number; readonly weights: Int32Array } {
  const values = readVector(source, tensor);
  const exponent = 21 - exponentOf(maximumOf(values, tensor, 0));
  const factor = pow2(exponent);
  return { exponent, weights: Int32Array.from(values, (value) => roundHalfUp(value * factor)) };
}

/** Biases of a matrix, Q16; a value that the format cannot hold is refused. */
export function convertBias(source: ByteSource, tensor: GgufTensor): Int32Array {
  return Int32Array.from(readVector(source, tensor), (value, i) => {
    if (!(value > -LARGEST_BIAS && value < LARGEST_BIAS)) {
      const field = `${tensor.name}[${i}]`;
      throw new CommonweightError(`tensor ${field}: expected a number between -${LARGEST_BIAS} and ${LARGEST_BIAS}, got ${value}`, {
        code: 'tensor_number',
        field,
      });
    }
    return roundHalfUp(value * pow2(16));
  });
}

/** A one-dimensional tensor's numbers. */
export function readVector(source: ByteSource, tensor: GgufTensor): Float64Array {
  const length = tensor.shape[0]!;
  const stored = new Uint8Array(tensor.bytes);
  source.read(tensor.offset, stored);
  const values = new Float64Array(length);
  dequantiserOf(tensor.type)(stored, 0, values, length);
  return values;
}
