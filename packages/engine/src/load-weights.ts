import { CommonweightError, type Manifest, type Tensor, packageFiles, padTo, tensorParts } from '@commonweight/protocol';
import type { WeightsSource } from './executor.ts';
import { limits } from './limits.ts';
import { checkBiasData, checkManifestTensors, checkMatrixData, checkNormData } from './reference/check-tensors.ts';

/** Where weights go. Addresses are whatever `allocate` gives out. */
export interface WeightsMemory {
  readonly allocate: (bytes: number, what: string) => number;
  readonly bytes: (start: number, length: number) => Uint8Array;
  readonly int32: (start: number, length: number) => Int32Array;
  /** Place of the first -128 among `length` bytes (a multiple of 64), or -1. */
  readonly lowestAt: (start: number, length: number) => number;
}

/** Reads `weights.bin` into an engine's memory, part by part in file order, and checks every value. @returns the address of its first byte. */
export function loadWeights(manifest: Manifest, source: WeightsSource, memory: WeightsMemory): number {
  checkManifestTensors(manifest);
  const base = memory.allocate(weightsSize(manifest), packageFiles.weights);
  for (const part of manifest.tensors.flatMap(tensorParts).toSorted((a, b) => a.offset - b.offset)) {
    source.read(part.offset, memory.bytes(base + part.offset, part.size));
  }
  for (const tensor of manifest.tensors) check(tensor, base, memory);
  return base;
}

/** Bytes of `weights.bin`. */
export function weightsSize({ files }: Manifest): number {
  const size = files.find((file) => file.name === packageFiles.weights)?.size;
  if (size !== undefined) return size;
  throw new CommonweightError(`files: expected ${packageFiles.weights}, got no such file`, { code: 'decode', field: 'files' });
}

function check(tensor: Tensor, base: number, memory: WeightsMemory): void {
  if (tensor.kind === 'matrix') {
    const rows = padTo(tensor.rows, 16);
    const { buffer, byteOffset, length } = memory.bytes(base + tensor.weights, rows * padTo(tensor.columns, 64));
    const blocks = memory.bytes(base + tensor.blockMultipliers, length / limits.blockColumns);
    const multipliers = memory.int32(base + tensor.multipliers, rows);
    const lowest = memory.lowestAt(base + tensor.weights, length);
    checkMatrixData(tensor, new Int8Array(buffer, byteOffset, length), blocks, multipliers, lowest);
  } else if (tensor.kind === 'norm') {
    checkNormData(tensor, memory.int32(base + tensor.offset, tensor.length));
  } else if (tensor.kind === 'bias') {
    checkBiasData(tensor, memory.int32(base + tensor.offset, tensor.length));
  }
}
