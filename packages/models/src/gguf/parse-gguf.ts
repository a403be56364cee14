import { limits as protocolLimits } from '@commonweight/protocol';
import { limits } from '../limits.ts';
import type { ByteSource } from './byte-source.ts';
import { Cursor } from './cursor.ts';
import { GgufError } from './gguf-error.ts';
import { parseValue, type GgufValue } from './parse-value.ts';
import { type TensorType, tensorTypeOf, tensorTypes } from './tensor-types.ts';

export interface GgufTensor {
  readonly name: string;
  readonly type: TensorType;
  /** Elements along each dimension, fastest first: a matrix is [columns, rows]. */
  readonly shape: readonly number[];
  /** Byte offset in the file. */
  readonly offset: number;
  readonly bytes: number;
}

export interface Gguf {
  readonly version: number;
  readonly metadata: ReadonlyMap<string, GgufValue>;
  readonly tensors: ReadonlyMap<string, GgufTensor>;
}

const MAGIC = 0x46554747;
const ALIGNMENT = 'general.alignment';
/** A key of length zero, a type and one byte. */
const KEY_BYTES = 8 + 4 + 1;
/** A name of length zero, a dimension count, one dimension, a type, an offset. */
const TENSOR_BYTES = 8 + 4 + 8 + 4 + 8;

/**
 * Reads the header of a GGUF file (version 2 or 3, little-endian). Every count, length, offset and type is checked against the bytes that
 * exist before anything is allocated for it. Throws {@link GgufError}. Format: ggml-org/ggml docs/gguf.md.
 */
export function parseGguf(source: ByteSource): Gguf {
  const cursor = new Cursor(source);
  const magic = cursor.u32('magic');
  if (magic !== MAGIC) throw new GgufError('gguf_magic', 'magic', 0, 'the letters GGUF', `0x${magic.toString(16).padStart(8, '0')}`);
  const version = cursor.u32('version');
  if (version !== 2 && version !== 3) throw new GgufError('gguf_version', 'version', 4, '2 or 3 (little-endian)', String(version));
  const tensorCount = cursor.count('tensor count', TENSOR_BYTES, protocolLimits.tensors);
  const keyCount = cursor.count('metadata count', KEY_BYTES, limits.ggufKeys);

  const { metadata, placeOf } = parseMetadata(cursor, keyCount);
  const found: (GgufTensor & { readonly at: number })[] = [];
  for (let i = 0; i < tensorCount; i++) found.push(parseTensor(cursor, i));

  const alignment = alignmentOf(metadata.get(ALIGNMENT), placeOf.get(ALIGNMENT));
  const dataStart = Math.ceil(cursor.offset / alignment) * alignment;
  return { version, metadata, tensors: placeTensors(found, dataStart, alignment, source.size) };
}

/** The entries, and where each of them stands in the file. */
function parseMetadata(cursor: Cursor, count: number): { metadata: Map<string, GgufValue>; placeOf: Map<string, number> } {
  const metadata = new Map<string, GgufValue>();
  const placeOf = new Map<string, number>();
  const budget = { elements: limits.ggufArrayElements };
  for (let i = 0; i < count; i++) {
    const offset = cursor.offset;
    const key = cursor.string(`metadata[${i}].key`, limits.ggufNameBytes);
    if (metadata.has(key)) throw new GgufError('gguf_duplicate', `metadata[${i}].key`, offset, 'each key once', `a second ${quote(key)}`);
    placeOf.set(key, offset);
    metadata.set(key, parseValue(cursor, quote(key), budget));
  }
  return { metadata, placeOf };
}

/** `offset` of the result is still relative to the data section; `at` is where the entry stands in the header. */
function parseTensor(cursor: Cursor, index: number): GgufTensor & { readonly at: number } {
  const at = cursor.offset;
  const name = cursor.string(`tensors[${index}].name`, limits.ggufNameBytes);
  const field = `tensor ${quote(name)}`;
  const rankAt = cursor.offset;
  const rank = cursor.u32(`${field} dimensions`);
  if (rank < 1 || rank > limits.ggufDimensions) {
    throw new GgufError('gguf_tensor_shape', `${field} dimensions`, rankAt, `1 to ${limits.ggufDimensions}`, String(rank));
  }
  const shape: number[] = [];
  let elements = 1n;
  for (let i = 0; i < rank; i++) {
    const offset = cursor.offset;
    const size = cursor.u64(`${field} dimension ${i}`);
    elements *= size;
    if (size < 1n || elements > BigInt(protocolLimits.modelFileBytes)) {
      throw new GgufError(
        'gguf_tensor_shape',
        `${field} dimension ${i}`,
        offset,
        `1 or more, and at most ${protocolLimits.modelFileBytes} elements`,
        `${size}`,
      );
    }
    shape.push(Number(size));
  }
  const typeAt = cursor.offset;
  const typeId = cursor.u32(`${field} type`);
  const type = tensorTypeOf(typeId);
  if (!type) {
    throw new GgufError(
      'gguf_tensor_type',
      `${field} type`,
      typeAt,
      `one of ${Object.keys(tensorTypes).join(', ')}`,
      `type number ${typeId}`,
    );
  }
  const { block, bytes } = tensorTypes[type];
  if (shape[0]! % block !== 0) {
    throw new GgufError('gguf_tensor_shape', `${field} dimension 0`, typeAt, `a multiple of ${block} for ${type}`, String(shape[0]));
  }
  const offsetAt = cursor.offset;
  const offset = cursor.u64(`${field} offset`);
  if (offset > BigInt(protocolLimits.modelFileBytes)) {
    throw new GgufError('gguf_tensor_range', `${field} offset`, offsetAt, `at most ${protocolLimits.modelFileBytes}`, String(offset));
  }
  return { name, type, shape, offset: Number(offset), bytes: (Number(elements) / block) * bytes, at };
}

function alignmentOf(value: GgufValue = 32, at?: number): number {
  const valid =
    typeof value === 'number' && Number.isInteger(value) && value >= 8 && value <= limits.ggufAlignment && (value & (value - 1)) === 0;
  if (!valid) {
    throw new GgufError('gguf_alignment', ALIGNMENT, at, `a power of two from 8 to ${limits.ggufAlignment}`, String(value).slice(0, 40));
  }
  return value;
}

/** Makes offsets absolute; checks alignment, range, disjointness and names. */
function placeTensors(
  found: readonly (GgufTensor & { readonly at: number })[],
  dataStart: number,
  alignment: number,
  size: number,
): Map<string, GgufTensor> {
  const tensors = new Map<string, GgufTensor>();
  let end = dataStart;
  let before = 'the header';
  for (const { at, ...tensor } of [...found].sort((a, b) => a.offset - b.offset || a.bytes - b.bytes)) {
    const field = `tensor ${quote(tensor.name)}`;
    if (tensors.has(tensor.name)) throw new GgufError('gguf_duplicate', field, at, 'each tensor once', 'a second one');
    if (tensor.offset % alignment !== 0) {
      throw new GgufError('gguf_alignment', `${field} offset`, at, `a multiple of ${alignment}`, String(tensor.offset));
    }
    const offset = dataStart + tensor.offset;
    if (offset + tensor.bytes > size) {
      throw new GgufError(
        'gguf_tensor_range',
        field,
        at,
        `bytes ${offset} to ${offset + tensor.bytes} in the file`,
        `a file of ${size} bytes`,
      );
    }
    if (offset < end)
      throw new GgufError('gguf_tensor_overlap', field, at, `a start at byte ${end} or later, after ${before}`, String(offset));
    end = offset + tensor.bytes;
    before = field;
    tensors.set(tensor.name, { ...tensor, offset });
  }
  return tensors;
}

/** A name from the file, safe to print. */
const quote = (text: string): string => JSON.stringify(text.length > 64 ? `${text.slice(0, 64)}...` : text);
