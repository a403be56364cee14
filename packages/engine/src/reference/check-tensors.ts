import {
  type BiasTensor,
  type Graph,
  type Manifest,
  type MatrixTensor,
  type NormTensor,
  type Tensor,
  layerTensorNames,
  padTo,
} from '@commonweight/protocol';
import { limits } from '../limits.ts';
import { INT32_LIMIT } from './rsh.ts';
import { TensorError } from './tensor-error.ts';

/** Checks what SPEC section 2 demands of a manifest's tensors beyond `parseManifest`: exponents, and one activation width for matrices that share an input. */
export function checkManifestTensors({ graph, tensors }: Manifest): void {
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  for (const tensor of tensors) if (tensor.kind === 'matrix' || tensor.kind === 'norm') checkExponent(tensor);
  for (const group of sharedInputs(graph)) {
    const widths = group.map((name) => activationBits(byName.get(name), name));
    if (widths.some((bits) => bits !== widths[0]))
      throw new TensorError(group.join(', '), 'one activationBits, as they share their input', widths.join(', '));
  }
}

/**
 * Checks the bytes of a matrix: no -128, zero padding, multipliers of blocks from 0 to 15 and of rows from 0 to 2^22.
 * `packed` is `[N/16][K/4][16][4]`, `blocks` `[N/16][K/64][16]`, `multipliers` has padded length, `lowest` is the place of the first -128 or -1.
 */
export function checkMatrixData(
  tensor: MatrixTensor,
  packed: Int8Array,
  blocks: Uint8Array,
  multipliers: Int32Array,
  lowest: number = packed.indexOf(-128),
): void {
  const columns = padTo(tensor.columns, 64);
  const rows = padTo(tensor.rows, 16);
  const expected = [rows * columns, (rows * columns) / limits.blockColumns, rows];
  const got = [packed.length, blocks.length, multipliers.length];
  if (String(got) !== String(expected)) {
    throw new TensorError(tensor.name, `${expected.join(', ')} weights, block multipliers and row multipliers`, got.join(', '));
  }
  if (lowest !== -1) throw new TensorError(tensor.name, 'weights from -127 to 127', `-128 at byte ${lowest}`);
  for (const [n, multiplier] of multipliers.entries()) {
    const largest = n < tensor.rows ? limits.rowMultiplier : 0;
    if (multiplier < 0 || multiplier > largest)
      throw new TensorError(tensor.name, `a multiplier from 0 to ${largest} at row ${n}`, String(multiplier));
  }
  // two million of them in a model of 135M parameters: an iterator would take longer than reading the file
  for (let at = 0; at < blocks.length; at++) {
    if (blocks[at]! > limits.blockMultiplier)
      throw new TensorError(tensor.name, `block multipliers from 0 to ${limits.blockMultiplier}`, `${blocks[at]} at byte ${at}`);
  }
  checkPadding(tensor, packed, blocks, rows, columns);
}

/** Checks the values of an RMSNorm: at most 2^21. */
export function checkNormData(tensor: NormTensor, weights: Int32Array): void {
  for (const [i, weight] of weights.entries()) {
    if (Math.abs(weight) > limits.normWeight)
      throw new TensorError(tensor.name, `|weight| <= ${limits.normWeight} at ${i}`, String(weight));
  }
}

/** Checks the values of a bias: -2^31 never occurs. */
export function checkBiasData(tensor: BiasTensor, values: Int32Array): void {
  const lowest = values.indexOf(-(2 ** 31));
  if (lowest !== -1) throw new TensorError(tensor.name, `values from -${INT32_LIMIT} to ${INT32_LIMIT}`, `-2^31 at ${lowest}`);
}

function checkPadding(tensor: MatrixTensor, packed: Int8Array, blocks: Uint8Array, rows: number, columns: number): void {
  const count = columns / limits.blockColumns;
  for (let n = tensor.rows; n < rows; n++) {
    for (let g = 0; g < count; g++) {
      const value = blocks[blockIndex(n, g, count)]!;
      if (value !== 0) throw new TensorError(tensor.name, `a zero block multiplier at padding row ${n}, block ${g}`, String(value));
    }
  }
  for (let n = 0; n < rows; n++) {
    for (let k = n < tensor.rows ? tensor.columns : 0; k < columns; k++) {
      const value = packed[packedIndex(n, k, columns)]!;
      if (value !== 0) throw new TensorError(tensor.name, `zero padding at row ${n}, column ${k}`, String(value));
    }
  }
}

/** Byte of weight (n, k) in `[N/16][K/4][16][4]`; `paddedColumns` is K padded to 64. */
export const packedIndex = (n: number, k: number, paddedColumns: number): number =>
  ((n >> 4) * (paddedColumns >> 2) + (k >> 2)) * 64 + (n & 15) * 4 + (k & 3);

/** Byte of the multiplier of row n and block g in `[N/16][K/64][16]`; `blocks` is their number in a row. */
export const blockIndex = (n: number, g: number, blocks: number): number => ((n >> 4) * blocks + g) * 16 + (n & 15);

function checkExponent(tensor: MatrixTensor | NormTensor): void {
  if (!Number.isInteger(tensor.exponent) || Math.abs(tensor.exponent) > limits.exponent) {
    throw new TensorError(tensor.name, `an exponent from -${limits.exponent} to ${limits.exponent}`, String(tensor.exponent));
  }
}

function activationBits(tensor: Tensor | undefined, name: string): number {
  if (tensor?.kind !== 'matrix') throw new TensorError(name, 'a matrix', tensor?.kind ?? 'nothing');
  return tensor.activationBits;
}

/** Matrices that read the same quantised vector. */
function sharedInputs(graph: Graph): string[][] {
  return Array.from({ length: graph.layers }, (_, layer) => layerTensorNames(layer)).flatMap((names) => [
    [names.q, names.k, names.v],
    [names.gate, names.up],
  ]);
}
