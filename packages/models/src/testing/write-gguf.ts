import { concatBytes, utf8 } from '@commonweight/protocol';
import { type TensorType, tensorTypes } from '../gguf/tensor-types.ts';

export type MetadataEntry =
  | { readonly key: string; readonly type: 'u32' | 'i32' | 'f32'; readonly value: number }
  | { readonly key: string; readonly type: 'bool'; readonly value: boolean }
  | { readonly key: string; readonly type: 'string'; readonly value: string }
  | { readonly key: string; readonly type: 'strings'; readonly value: readonly string[] }
  | { readonly key: string; readonly type: 'i32s' | 'f32s'; readonly value: readonly number[] };

export interface TensorEntry {
  readonly name: string;
  readonly type: TensorType;
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

export const u32 = (value: number): Uint8Array => {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
};

export const u64 = (value: number | bigint): Uint8Array => {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value), true);
  return bytes;
};

const f32 = (value: number): Uint8Array => {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setFloat32(0, value, true);
  return bytes;
};

export const string = (text: string): Uint8Array => {
  const bytes = utf8(text);
  return concatBytes(u64(bytes.length), bytes);
};

/** One key with its value, as it stands in the file. */
export function metadataBytes(entry: MetadataEntry): Uint8Array {
  const head = (type: number): Uint8Array => concatBytes(string(entry.key), u32(type));
  switch (entry.type) {
    case 'u32':
      return concatBytes(head(4), u32(entry.value));
    case 'i32':
      return concatBytes(head(5), u32(entry.value >>> 0));
    case 'f32':
      return concatBytes(head(6), f32(entry.value));
    case 'bool':
      return concatBytes(head(7), Uint8Array.of(entry.value ? 1 : 0));
    case 'string':
      return concatBytes(head(8), string(entry.value));
    case 'strings':
      return concatBytes(head(9), u32(8), u64(entry.value.length), ...entry.value.map(string));
    case 'f32s':
      return concatBytes(head(9), u32(6), u64(entry.value.length), ...entry.value.map(f32));
    case 'i32s':
      return concatBytes(head(9), u32(5), u64(entry.value.length), ...entry.value.map((value) => u32(value >>> 0)));
  }
}

export const tensorBytes = (name: string, shape: readonly (number | bigint)[], type: number, offset: number | bigint): Uint8Array =>
  concatBytes(string(name), u32(shape.length), ...shape.map(u64), u32(type), u64(offset));

/** A GGUF header from parts that need not fit together: for hostile files as well. */
export const headerBytes = (tensors: number | bigint, keys: number | bigint, ...parts: readonly Uint8Array[]): Uint8Array =>
  concatBytes(utf8('GGUF'), u32(3), u64(tensors), u64(keys), ...parts);

/** A complete GGUF version 3 file. */
export function writeGguf(metadata: readonly MetadataEntry[], tensors: readonly TensorEntry[], alignment = 32): Uint8Array {
  const padding = (length: number): Uint8Array => new Uint8Array((alignment - (length % alignment)) % alignment);
  const infos: Uint8Array[] = [];
  const data: Uint8Array[] = [];
  let offset = 0;
  for (const tensor of tensors) {
    infos.push(tensorBytes(tensor.name, tensor.shape, tensorTypes[tensor.type].id, offset));
    const gap = padding(tensor.data.length);
    data.push(tensor.data, gap);
    offset += tensor.data.length + gap.length;
  }
  const header = headerBytes(tensors.length, metadata.length, ...metadata.map(metadataBytes), ...infos);
  return concatBytes(header, padding(header.length), ...data);
}
