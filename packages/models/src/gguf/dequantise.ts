import { halfTable, u16 } from './half.ts';
import { kQuants } from './k-quants.ts';
import { type TensorType, tensorTypes } from './tensor-types.ts';

/**
 * Decodes `count` elements from `bytes[at...]` into `out` as float64, without any rounding: a block value is scale times quant plus minimum,
 * at most 52 significant bits. (llama.cpp rounds the same sum to float32.) Formats: ggml-quants.c.
 */
export type Dequantiser = (bytes: Uint8Array, at: number, out: Float64Array, count: number) => void;

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
  Q5_0(bytes, at, out, count) {
    const table = halfTable();
    for (let i = 0; i < count; i += 32, at += 22) {
      const scale = table[u16(bytes, at)]!;
      for (let j = 0; j < 32; j++) out[i + j] = scale * (fiveBits(bytes, at + 2, j) - 16);
    }
  },
  Q5_1(bytes, at, out, count) {
    const table = halfTable();
    for (let i = 0; i < count; i += 32, at += 24) {
      const scale = table[u16(bytes, at)]!;
      const minimum = table[u16(bytes, at + 2)]!;
      for (let j = 0; j < 32; j++) out[i + j] = scale * fiveBits(bytes, at + 4, j) + minimum;
    }
  },
  ...kQuants,
};

/** Quant j of 32: four bytes of top bits, then 16 bytes of nibbles, low ones first. */
function fiveBits(bytes: Uint8Array, at: number, j: number): number {
  const nibble = (bytes[at + 4 + (j & 15)]! >> (j < 16 ? 0 : 4)) & 15;
  return nibble | (((bytes[at + (j >> 3)]! >> (j & 7)) & 1) << 4);
}

export const dequantiserOf = (type: TensorType): Dequantiser => dequantisers[type];

/** Bytes that `columns` elements take; `columns` is a multiple of the type's block. */
export const rowBytes = (type: TensorType, columns: number): number => (columns / tensorTypes[type].block) * tensorTypes[type].bytes;
