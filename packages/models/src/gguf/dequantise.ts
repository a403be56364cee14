import type { TensorType } from './tensor-types.ts';
import { tensorTypes } from './tensor-types.ts';
import { pow2 } from '../float-bits.ts';

/**
 * Decodes `count` elements from `bytes[at...]` into `out` as float64, without any rounding: a block value is scale times quant plus minimum,
 * at most 40 significant bits. (llama.cpp rounds the same sum to float32.) Formats: ggml-quants.c.
 */
export type Dequantiser = (bytes: Uint8Array, at: number, out: Float64Array, count: number) => void;

let half: Float64Array | undefined;

/** The 65,536 float16 values as float64. Infinities and NaN are kept; the converter refuses them. */
function halfTable(): Float64Array {
  if (half) return half;
  half = new Float64Array(1 << 16);
  for (let bits = 0; bits < 1 << 16; bits++) {
    const exponent = (bits >> 10) & 31;
    const fraction = bits & 1023;
    let value: number;
    if (exponent === 31) value = fraction === 0 ? Infinity : NaN;
    else if (exponent === 0) value = fraction * pow2(-24);
    else value = (1024 + fraction) * pow2(exponent - 25);
    half[bits] = bits & 0x8000 ? -value : value;
  }
  return half;
}

const u16 = (bytes: Uint8Array, at: number): number => bytes[at]! | (bytes[at + 1]! << 8);

const dequantisers: Record<TensorType, Dequantiser> = {
  F32(bytes, at, out, count) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let i = 0; i < count; i++) out[i] = view.getFloat32(at + 4 * i, true);
  },
  F16(bytes, at, out, count) {
    const table = halfTable();
    for (let i = 0; i < count; i++) out[i] = table[u16(bytes, at + 2 * i)]!;
  },
  BF16(bytes, at, out, count) {
    const word = new DataView(new ArrayBuffer(4));
    for (let i = 0; i < count; i++) {
      word.setUint32(0, u16(bytes, at + 2 * i) * 65_536);
      out[i] = word.getFloat32(0);
    }
  },
  Q8_0(bytes, at, out, count) {
    const table = halfTable();
    for (let i = 0; i < count; i += 32, at += 34) {
      const scale = table[u16(bytes, at)]!;
      for (let j = 0; j < 32; j++) out[i + j] = scale * ((bytes[at + 2 + j]! << 24) >> 24);
    }
  },
  Q4_0(bytes, at, out, count) {
    const table = halfTable();
    for (let i = 0; i < count; i += 32, at += 18) {
      const scale = table[u16(bytes, at)]!;
      for (let j = 0; j < 16; j++) {
        const pair = bytes[at + 2 + j]!;
        out[i + j] = scale * ((pair & 15) - 8);
        out[i + j + 16] = scale * ((pair >> 4) - 8);
      }
    }
  },
  Q4_1(bytes, at, out, count) {
    const table = halfTable();
    for (let i = 0; i < count; i += 32, at += 20) {
      const scale = table[u16(bytes, at)]!;
      const minimum = table[u16(bytes, at + 2)]!;
      for (let j = 0; j < 16; j++) {
        const pair = bytes[at + 4 + j]!;
        out[i + j] = scale * (pair & 15) + minimum;
        out[i + j + 16] = scale * (pair >> 4) + minimum;
      }
    }
  },
};

export const dequantiserOf = (type: TensorType): Dequantiser => dequantisers[type];

/** Bytes that `columns` elements take; `columns` is a multiple of the type's block. */
export const rowBytes = (type: TensorType, columns: number): number => (columns / tensorTypes[type].block) * tensorTypes[type].bytes;
