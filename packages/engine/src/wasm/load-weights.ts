import { CommonweightError, type Manifest, type Tensor, packageFiles, padTo, tensorParts } from '@commonweight/protocol';
import type { WeightsSource } from '../executor.ts';
import { checkManifestTensors, checkMatrixData, checkNormData } from '../reference/check-tensors.ts';
import type { EngineMemory } from './engine-memory.ts';

/** Reads `weights.bin` into the engine's memory, part by part in file order, and checks every value. @returns the address of its first byte. */
export function loadWeights(manifest: Manifest, source: WeightsSource, memory: EngineMemory): number {
  checkManifestTensors(manifest);
  const size = manifest.files.find((file) => file.name === packageFiles.weights)?.size;
  if (size === undefined)
    throw new CommonweightError(`files: expected ${packageFiles.weights}, got no such file`, { code: 'decode', field: 'files' });
  const base = memory.allocate(size, packageFiles.weights);
  for (const part of manifest.tensors.flatMap(tensorParts).toSorted((a, b) => a.offset - b.offset)) {
    source.read(part.offset, memory.bytes(base + part.offset, part.size));
  }
  for (const tensor of manifest.tensors) check(tensor, base, memory);
  return base;
}

function check(tensor: Tensor, base: number, memory: EngineMemory): void {
  if (tensor.kind === 'matrix') {
    const rows = padTo(tensor.rows, 16);
    const packed = new Int8Array(memory.wasm.buffer, base + tensor.weights, rows * padTo(tensor.columns, 64));
    checkMatrixData(tensor, packed, memory.int32(base + tensor.multipliers, rows));
  } else if (tensor.kind === 'norm') {
    checkNormData(tensor, memory.int32(base + tensor.offset, tensor.length));
  }
}
