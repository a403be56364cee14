import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { concatBytes } from '@commonweight/protocol';
import { tensorTypes } from '../gguf/tensor-types.ts';
import { quantiseQ8 } from './quantise-q8.ts';
import { headerBytes, type MetadataEntry, metadataBytes, tensorBytes } from './write-gguf.ts';

/** A tensor whose values are made row by row, so that no more than a few MB are in memory. */
export interface FloatTensor {
  readonly name: string;
  /** 1 for a norm, which is stored as F32; everything else becomes Q8_0. */
  readonly rows: number;
  /** A multiple of 32 unless it is a norm. */
  readonly columns: number;
  /** Fills `row` with the next row. */
  readonly next: (row: Float64Array) => void;
}

const ALIGNMENT = 32;
const SLAB_BYTES = 4 << 20;

const typeOf = ({ rows }: FloatTensor): 'F32' | 'Q8_0' => (rows === 1 ? 'F32' : 'Q8_0');
const bytesPerRow = (tensor: FloatTensor): number => {
  const { block, bytes } = tensorTypes[typeOf(tensor)];
  return (tensor.columns / block) * bytes;
};
const aligned = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

/** Writes a complete GGUF of Q8_0 matrices and F32 norms; the file has its name only when it is whole. */
export async function writeQ8Gguf(
  path: string,
  metadata: readonly MetadataEntry[],
  tensors: readonly FloatTensor[],
  onBytes: (done: number, total: number) => void = () => undefined,
  signal?: AbortSignal,
): Promise<void> {
  let size = 0;
  const infos = tensors.map((tensor) => {
    const { name, rows, columns } = tensor;
    const info = tensorBytes(name, rows === 1 ? [columns] : [columns, rows], tensorTypes[typeOf(tensor)].id, size);
    size += aligned(rows * bytesPerRow(tensor));
    return info;
  });
  const header = headerBytes(tensors.length, metadata.length, ...metadata.map(metadataBytes), ...infos);
  const start = aligned(header.length);
  const part = `${path}.part`;
  const file = await open(part, 'w');
  try {
    await file.writeFile(concatBytes(header, new Uint8Array(start - header.length)));
    let at = start;
    for (const tensor of tensors) {
      await writeTensor(file, at, tensor, (done) => {
        signal?.throwIfAborted();
        onBytes(at - start + done, size);
      });
      at += aligned(tensor.rows * bytesPerRow(tensor));
    }
    await file.truncate(at);
    await file.close();
    await rename(part, path);
  } catch (error) {
    await file.close().catch(() => undefined);
    await rm(part, { force: true });
    throw error;
  }
}

async function writeTensor(file: FileHandle, start: number, tensor: FloatTensor, onBytes: (done: number) => void): Promise<void> {
  const stride = bytesPerRow(tensor);
  const slabRows = Math.max(1, Math.min(tensor.rows, Math.floor(SLAB_BYTES / stride)));
  const slab = new Uint8Array(slabRows * stride);
  const view = new DataView(slab.buffer);
  const row = new Float64Array(tensor.columns);
  for (let first = 0; first < tensor.rows; first += slabRows) {
    const count = Math.min(slabRows, tensor.rows - first);
    for (let r = 0; r < count; r++) {
      tensor.next(row);
      if (tensor.rows === 1) for (let i = 0; i < row.length; i++) view.setFloat32(4 * i, row[i]!, true);
      else quantiseQ8(row, slab, r * stride);
    }
    await file.write(slab, 0, count * stride, start + first * stride);
    onBytes((first + count) * stride);
  }
}
