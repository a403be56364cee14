import { CommonweightError } from '@commonweight/protocol';
import type { ByteSource } from '../gguf/byte-source.ts';
import type { StoredTensor } from './stored-tensor.ts';

/**
 * Rows of q and k, their biases and the weights of their norms, from a source that rotates dimension i of a head with i + half: the engine
 * rotates neighbours, so row 2i + p of a head is row i + p * half of the file's.
 */
export function withNeighbours(tensor: StoredTensor, headDimension: number): StoredTensor {
  const rows = tensor.shape.at(-1)!;
  // Another shape is the plan's to refuse.
  if (tensor.shape.length > 2 || rows % headDimension !== 0) return tensor;
  // blocks of a vector span its elements: they cannot be moved one by one
  if (tensor.bytes % rows !== 0) {
    throw new CommonweightError(
      `tensor ${tensor.name}: expected a type whose rows can be moved one by one (F32, F16, BF16), got ${tensor.type}`,
      { code: 'model_unsupported', field: `tensor ${tensor.name}` },
    );
  }
  return { ...tensor, offset: 0, source: neighbourRows(tensor, tensor.bytes / rows, headDimension) };
}

/** Names, as in GGUF, of what RoPE's pairs order. */
export const isRotated = (name: string): boolean => /\.attn_[qk](?:\.weight|\.bias|_norm\.weight)$/.test(name);

/** The tensor's bytes with rows in the order of {@link neighbourRow}; reads must be of whole rows. */
function neighbourRows({ source, offset, bytes }: StoredTensor, stride: number, headDimension: number): ByteSource {
  return {
    size: bytes,
    read(at, target) {
      for (let done = 0; done < target.length; done += stride) {
        const row = neighbourRow((at + done) / stride, headDimension);
        source.read(offset + row * stride, target.subarray(done, done + stride));
      }
    },
  };
}

/** The row of a rotate-half matrix that becomes row `row` of an interleaved one. */
export function neighbourRow(row: number, headDimension: number): number {
  const inHead = row % headDimension;
  return row - inHead + (inHead >> 1) + (inHead & 1) * (headDimension / 2);
}
