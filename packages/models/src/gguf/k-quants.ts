import type { Dequantiser } from './dequantise.ts';
import { halfTable, u16 } from './half.ts';

/**
 * The K-quants: super-blocks of 256 elements in groups of 16 or 32, each group with an integer scale (and minimum) under one float16 scale.
 * A float16 is a multiple of 2^-24 below 2^16 and the integer factors stay below 2^12, so every sum here is exact in float64.
 */
const BLOCK = 256;

/** Scale j of 8 of Q4_K and Q5_K: six bits, the upper four scales with their top two bits in the bytes of the lower four. */
const scaleOf = (bytes: Uint8Array, at: number, j: number): number =>
  j < 4 ? bytes[at + j]! & 63 : (bytes[at + 4 + j]! & 15) | ((bytes[at + j - 4]! >> 6) << 4);

/** Minimum j of 8, packed in the same way. */
const minimumOf = (bytes: Uint8Array, at: number, j: number): number =>
  j < 4 ? bytes[at + 4 + j]! & 63 : (bytes[at + 4 + j]! >> 4) | ((bytes[at + j]! >> 6) << 4);

export const kQuants = {
  Q2_K(bytes, at, out, count) {
    const table = halfTable();
    for (let i = 0; i < count; i += BLOCK, at += 84) {
      const scale = table[u16(bytes, at + 80)]!;
      const minimum = table[u16(bytes, at + 82)]!;
      for (let j = 0; j < BLOCK; j++) {
        const packed = bytes[at + (j >> 4)]!;
        const quant = (bytes[at + 16 + (j >> 7) * 32 + (j & 31)]! >> (((j >> 5) & 3) * 2)) & 3;
        out[i + j] = scale * (packed & 15) * quant - minimum * (packed >> 4);
      }
    }
  },
  Q3_K(bytes, at, out, count) {
    const table = halfTable();
    for (let i = 0; i < count; i += BLOCK, at += 110) {
      const scale = table[u16(bytes, at + 108)]!;
      for (let j = 0; j < BLOCK; j++) {
        const group = j >> 4;
        const low = (bytes[at + 96 + (group & 7)]! >> (group < 8 ? 0 : 4)) & 15;
        const high = (bytes[at + 104 + (group & 3)]! >> ((group >> 2) * 2)) & 3;
        const quant = (bytes[at + 32 + (j >> 7) * 32 + (j & 31)]! >> (((j >> 5) & 3) * 2)) & 3;
        const isLow = ((bytes[at + (j & 31)]! >> (j >> 5)) & 1) === 0;
        out[i + j] = scale * ((low | (high << 4)) - 32) * (isLow ? quant - 4 : quant);
      }
    }
  },
  Q4_K(bytes, at, out, count) {
    const table = halfTable();
    for (let i = 0; i < count; i += BLOCK, at += 144) {
      for (let group = 0; group < 8; group++) {
        const scale = table[u16(bytes, at)]! * scaleOf(bytes, at + 4, group);
        const minimum = table[u16(bytes, at + 2)]! * minimumOf(bytes, at + 4, group);
        const quants = at + 16 + (group >> 1) * 32;
        const shift = (group & 1) * 4;
        for (let j = 0; j < 32; j++) out[i + group * 32 + j] = scale * ((bytes[quants + j]! >> shift) & 15) - minimum;
      }
    }
  },
  Q5_K(bytes, at, out, count) {
    const table = halfTable();
    for (let i = 0; i < count; i += BLOCK, at += 176) {
      for (let group = 0; group < 8; group++) {
        const scale = table[u16(bytes, at)]! * scaleOf(bytes, at + 4, group);
        const minimum = table[u16(bytes, at + 2)]! * minimumOf(bytes, at + 4, group);
        const quants = at + 48 + (group >> 1) * 32;
        const shift = (group & 1) * 4;
        for (let j = 0; j < 32; j++) {
          const quant = ((bytes[quants + j]! >> shift) & 15) | (((bytes[at + 16 + j]! >> group) & 1) << 4);
          out[i + group * 32 + j] = scale * quant - minimum;
        }
      }
    }
  },
  Q6_K(bytes, at, out, count) {
    const table = halfTable();
    for (let i = 0; i < count; i += BLOCK, at += 210) {
      const scale = table[u16(bytes, at + 208)]!;
      for (let j = 0; j < BLOCK; j++) {
        const half = j >> 7;
        const low = (bytes[at + half * 64 + (j & 63)]! >> (((j >> 6) & 1) * 4)) & 15;
        const high = (bytes[at + 128 + half * 32 + (j & 31)]! >> (((j >> 5) & 3) * 2)) & 3;
        const groupScale = (bytes[at + 192 + (j >> 4)]! << 24) >> 24;
        out[i + j] = scale * groupScale * ((low | (high << 4)) - 32);
      }
    }
  },
} as const satisfies Record<string, Dequantiser>;
