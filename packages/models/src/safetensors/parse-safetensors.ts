import { limits as protocolLimits } from '@commonweight/protocol';
import type { ByteSource } from '../gguf/byte-source.ts';
import { limits } from '../limits.ts';
import { type Json, parseBoundedJson } from './bounded-json.ts';
import { quote, SafetensorsError } from './safetensors-error.ts';

export type SafetensorsType = 'F32' | 'F16' | 'BF16';

export interface SafetensorsTensor {
  readonly name: string;
  readonly type: SafetensorsType;
  /** As in the file: slowest first, a matrix is [rows, columns]. */
  readonly shape: readonly number[];
  /** Byte offset in the file. */
  readonly offset: number;
  readonly bytes: number;
}

const LENGTH_BYTES = 8;
const elementBytes: Readonly<Record<SafetensorsType, number>> = { F32: 4, F16: 2, BF16: 2 };
const isType = (text: Json | undefined): text is SafetensorsType => typeof text === 'string' && Object.hasOwn(elementBytes, text);

/**
 * Reads the header of a safetensors file. The tensors must fill the rest of the file, in any order, without gap or overlap.
 * Throws {@link SafetensorsError}. Format: huggingface/safetensors README, "Format". `file` names it in errors.
 */
export function parseSafetensors(source: ByteSource, file: string): Map<string, SafetensorsTensor> {
  const header = readHeader(source, file);
  const data = LENGTH_BYTES + header.length;
  const value = parseBoundedJson(header, `${file} header`);
  if (!(value instanceof Map)) throw new SafetensorsError('safetensors_header', `${file} header`, LENGTH_BYTES, 'an object', kindOf(value));
  const tensors: SafetensorsTensor[] = [];
  for (const [name, entry] of value as ReadonlyMap<string, Json>) {
    if (name === '__metadata__') checkMetadata(entry, file);
    else tensors.push(parseTensor(name, entry, file, source.size - data));
  }
  if (tensors.length > protocolLimits.tensors) {
    throw new SafetensorsError(
      'safetensors_limit',
      `${file} header`,
      undefined,
      `at most ${protocolLimits.tensors} tensors`,
      String(tensors.length),
    );
  }
  tensors.sort((a, b) => a.offset - b.offset);
  let end = 0;
  let before = 'the header';
  for (const { name, offset, bytes } of tensors) {
    if (offset !== end) {
      throw new SafetensorsError(
        'safetensors_overlap',
        `${file} tensor ${quote(name)}`,
        undefined,
        `a start at ${end}, after ${before}`,
        String(offset),
      );
    }
    end += bytes;
    before = `tensor ${quote(name)}`;
  }
  if (end !== source.size - data) {
    throw new SafetensorsError('safetensors_range', `${file} data`, data, `${end} bytes, as the header says`, `${source.size - data}`);
  }
  return new Map(tensors.map((tensor) => [tensor.name, { ...tensor, offset: data + tensor.offset }]));
}

function readHeader(source: ByteSource, file: string): Uint8Array {
  const field = `${file} header length`;
  if (source.size < LENGTH_BYTES) throw new SafetensorsError('safetensors_truncated', field, 0, '8 bytes', String(source.size));
  const head = new Uint8Array(LENGTH_BYTES);
  source.read(0, head);
  const length = new DataView(head.buffer).getBigUint64(0, true);
  const room = source.size - LENGTH_BYTES;
  if (length > BigInt(room))
    throw new SafetensorsError('safetensors_truncated', field, 0, `at most ${room}, for so many bytes are left`, String(length));
  if (length > BigInt(limits.safetensorsHeaderBytes)) {
    throw new SafetensorsError('safetensors_limit', field, 0, `at most ${limits.safetensorsHeaderBytes}`, String(length));
  }
  const bytes = new Uint8Array(Number(length));
  source.read(LENGTH_BYTES, bytes);
  return bytes;
}

function checkMetadata(value: Json, file: string): void {
  const valid = value instanceof Map && [...(value as ReadonlyMap<string, Json>).values()].every((item) => typeof item === 'string');
  if (!valid) throw new SafetensorsError('safetensors_header', `${file} __metadata__`, undefined, 'texts by text', kindOf(value));
}

/** `offset` of the result is still relative to the data. */
function parseTensor(name: string, value: Json, file: string, dataBytes: number): SafetensorsTensor {
  const field = `${file} tensor ${quote(name)}`;
  if (name === '' || Buffer.byteLength(name) > limits.ggufNameBytes) {
    throw new SafetensorsError(
      'safetensors_limit',
      field,
      undefined,
      `a name of 1 to ${limits.ggufNameBytes} bytes`,
      `${name.length} characters`,
    );
  }
  const entry = value instanceof Map ? (value as ReadonlyMap<string, Json>) : undefined;
  const type = entry?.get('dtype');
  const shape = entry?.get('shape');
  const range = entry?.get('data_offsets');
  if (entry?.size !== 3 || typeof type !== 'string' || !isIntegers(shape) || !isIntegers(range) || range.length !== 2) {
    throw new SafetensorsError('safetensors_header', field, undefined, 'dtype, shape and two data_offsets, nothing else', kindOf(value));
  }
  if (!isType(type)) throw new SafetensorsError('safetensors_dtype', `${field} dtype`, undefined, 'F32, F16 or BF16', quote(type));
  let bytes = elementBytes[type];
  if (shape.length < 1 || shape.length > limits.ggufDimensions) {
    throw new SafetensorsError(
      'safetensors_shape',
      `${field} shape`,
      undefined,
      `1 to ${limits.ggufDimensions} dimensions`,
      String(shape.length),
    );
  }
  for (const size of shape) {
    // Checked before the product is formed: a factor of at most 2^53 times at most 2^40 stays far from infinity.
    bytes *= size;
    if (size < 1 || bytes > protocolLimits.modelFileBytes) {
      throw new SafetensorsError(
        'safetensors_shape',
        `${field} shape`,
        undefined,
        `1 or more, and at most ${protocolLimits.modelFileBytes} bytes`,
        String(size),
      );
    }
  }
  const [start, end] = range as readonly [number, number];
  if (start > end || end > dataBytes) {
    throw new SafetensorsError(
      'safetensors_range',
      `${field} data_offsets`,
      undefined,
      `a range within ${dataBytes} bytes`,
      `${start} to ${end}`,
    );
  }
  if (end - start !== bytes) {
    throw new SafetensorsError(
      'safetensors_range',
      `${field} data_offsets`,
      undefined,
      `${bytes} bytes, as dtype and shape say`,
      String(end - start),
    );
  }
  return { name, type, shape, offset: start, bytes };
}

const isIntegers = (value: Json | undefined): value is readonly number[] =>
  Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && (item as number) >= 0);

const kindOf = (value: Json): string => {
  if (value instanceof Map) return 'an object that is different';
  if (value === null) return 'null';
  return Array.isArray(value) ? `an array of ${value.length}` : `a ${typeof value}`;
};
