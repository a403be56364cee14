// The matrix product (SPEC section 5) with AVX-512 VNNI: vpdpbusd sums products of four unsigned with four signed bytes in int32, without saturation.
//
// The weights are the signed bytes. The activations are made unsigned and cut into bytes (8 bits: one, 14 bits: two):
//   q in [-127, 127]:    q + 128 = low             sum w * q = sum w * low - 128 * sum w
//   q in [-8191, 8191]:  q + 8192 = 128 high + low  sum w * q = 128 * sum w * high + sum w * low - 8192 * sum w,  0 <= high, low <= 127
// The same holds with every block of 64 columns times its multiplier (at most 15), which is multiplied when the block is complete. What stands in the padding
// does not matter: its weights are zero.
#pragma once
#include "../input.h"
#include "../model.h"
#include "fixed-avx512.h"

// Columns of a row that share a multiplier.
#define BLOCK 64
// Columns whose sums times multipliers are added in int32: 127 * 15 * 255 * 4096 < 2^31.
#define SLAB 4096
// Byte vectors of one pass over 32 rows: 12 accumulators of a block, 12 of a slab.
#define PASS 6

// The quantised row in.values as unsigned bytes: low, after them high for more than 8 bits.
static inline void pack_row(input in, i32 columns, i32 bits) {
  const i16 *x = in.values;
  if (bits <= 8) {
    for (i32 i = 0; i < columns; i++) in.bytes[i] = (uint8_t)(x[i] + 128);
    return;
  }
  for (i32 i = 0; i < columns; i++) {
    i32 u = x[i] + 8192;
    in.bytes[i] = (uint8_t)(u & 127);
    in.bytes[columns + i] = (uint8_t)(u >> 7);
  }
}

static inline __m512i four_columns(const uint8_t *x) {
  i32 columns;
  memcpy(&columns, x, 4);
  return _mm512_set1_epi32(columns);
}

static inline __m512i multipliers_at(const uint8_t *at) { return _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)at)); }

// 16 * tiles rows of a matrix from one column on: weights, and multipliers of their blocks. The second tile stands one row of tiles further on.
typedef struct {
  const i8 *weights, *next_weights;
  const uint8_t *multipliers, *next_multipliers;
} rows_at;

// parts[v][0..16 * tiles) = 16 * tiles rows times `vectors` byte vectors over `columns` <= SLAB. `tiles` and `vectors` are constants after inlining.
static inline __attribute__((always_inline)) void dot_rows(rows_at r, i32 tiles, const uint8_t *x, usize stride, i32 vectors, i32 columns, i32 *parts) {
  __m512i first[PASS], second[PASS];
  for (i32 v = 0; v < vectors; v++) first[v] = second[v] = _mm512_setzero_si512();
  for (i32 k = 0; k < columns; k += BLOCK, x += BLOCK, r.multipliers += 16, r.next_multipliers += 16) {
    __m512i a[PASS], b[PASS];
    for (i32 v = 0; v < vectors; v++) a[v] = b[v] = _mm512_setzero_si512();
    for (i32 i = 0; i < BLOCK; i += 4, r.weights += 64, r.next_weights += 64) {
      __m512i w = _mm512_loadu_si512(r.weights), u = tiles == 2 ? _mm512_loadu_si512(r.next_weights) : w;
      for (i32 v = 0; v < vectors; v++) {
        __m512i q = four_columns(x + (usize)v * stride + i);
        a[v] = _mm512_dpbusd_epi32(a[v], q, w);
        if (tiles == 2) b[v] = _mm512_dpbusd_epi32(b[v], q, u);
      }
    }
    __m512i m = multipliers_at(r.multipliers), n = tiles == 2 ? multipliers_at(r.next_multipliers) : m;
    for (i32 v = 0; v < vectors; v++) {
      first[v] = _mm512_add_epi32(first[v], _mm512_mullo_epi32(a[v], m));
      if (tiles == 2) second[v] = _mm512_add_epi32(second[v], _mm512_mullo_epi32(b[v], n));
    }
  }
  for (i32 v = 0; v < vectors; v++) {
    _mm512_storeu_si512(parts + 32 * v, first[v]);
    if (tiles == 2) _mm512_storeu_si512(parts + 32 * v + 16, second[v]);
  }
}

// Decode: one or two byte vectors, two chains of sums each; the next block does not wait for them.
static inline __attribute__((always_inline)) void dot_rows_few(rows_at r, const uint8_t *x, usize stride, i32 vectors, i32 columns, i32 *parts) {
  __m512i totals[2] = {_mm512_setzero_si512(), _mm512_setzero_si512()};
  for (i32 k = 0; k < columns; k += BLOCK, x += BLOCK, r.weights += 16 * BLOCK, r.multipliers += 16) {
    __m512i a[2], b[2], m = multipliers_at(r.multipliers);
    for (i32 v = 0; v < vectors; v++) a[v] = b[v] = _mm512_setzero_si512();
#pragma GCC unroll 8
    for (i32 i = 0; i < BLOCK; i += 8) {
      __m512i w = _mm512_loadu_si512(r.weights + 16 * i), u = _mm512_loadu_si512(r.weights + 16 * i + 64);
      for (i32 v = 0; v < vectors; v++) {
        a[v] = _mm512_dpbusd_epi32(a[v], four_columns(x + (usize)v * stride + i), w);
        b[v] = _mm512_dpbusd_epi32(b[v], four_columns(x + (usize)v * stride + i + 4), u);
      }
    }
    for (i32 v = 0; v < vectors; v++) totals[v] = _mm512_add_epi32(totals[v], _mm512_mullo_epi32(_mm512_add_epi32(a[v], b[v]), m));
  }
  for (i32 v = 0; v < vectors; v++) _mm512_storeu_si512(parts + 32 * v, totals[v]);
}

static inline __attribute__((always_inline)) void dot_tiles(rows_at r, i32 tiles, const uint8_t *x, usize stride, i32 vectors, i32 columns, i32 *parts) {
  i32 v = 0;
  for (; v + PASS <= vectors; v += PASS) dot_rows(r, tiles, x + (usize)v * stride, stride, PASS, columns, parts + 32 * v);
  for (; v + 2 <= vectors; v += 2) dot_rows(r, tiles, x + (usize)v * stride, stride, 2, columns, parts + 32 * v);
  if (v < vectors) dot_rows(r, tiles, x + (usize)v * stride, stride, 1, columns, parts + 32 * v);
}

// sums[0..16) = or += 16 rows of one slab from their parts (`high` NULL: 8 bits).
static inline void collect16(const i32 *low, const i32 *high, bool first, i64 *sums) {
  for (i32 i = 0; i < 16; i += 8) {
    __m512i sum = widen8(low + i);
    if (high) sum = _mm512_add_epi64(sum, _mm512_slli_epi64(widen8(high + i), 7));
    _mm512_storeu_si512(sums + i, first ? sum : _mm512_add_epi64(sum, _mm512_loadu_si512(sums + i)));
  }
}

// The exact sums of 16 rows, less what made the activations unsigned, requantised as requantise16 does.
static inline void finish16(const i64 *sums, const matrix *m, i32 row, scale s, i32 fraction_bits, i32 *y) {
  i32 shift = clamp_shift(m->exponent - 22 - s.exponent - fraction_bits);
  __m512i mantissa = _mm512_set1_epi64(s.mantissa);
  for (i32 i = 0; i < 16; i += 8) {
    __m512i offset = _mm512_slli_epi64(widen8(m->row_sums + row + i), m->activation_bits <= 8 ? 7 : 13);
    __m512i sum = rsh8(_mm512_sub_epi64(_mm512_loadu_si512(sums + i), offset), 4);
    __m512i t = rsh8(_mm512_mullo_epi64(sum, widen8(m->multipliers + row + i)), 22);
    _mm256_storeu_si256((__m256i *)(y + i), sat8(rsh8(_mm512_mullo_epi64(t, mantissa), shift)));
  }
}

// sums[t][0..16 * tiles) = 16 * tiles rows times `tokens` rows of input.
static inline void sum_rows(const matrix *m, i32 row, i32 tiles, const uint8_t *x, i32 tokens, i32 halves, const scratch *s) {
  i32 vectors = halves * tokens, columns = m->columns;
  usize stride = (usize)(halves == 2 ? columns : 2 * columns); // from one byte vector to the next
  for (i32 k = 0; k < columns; k += SLAB) {
    i32 count = columns - k < SLAB ? columns - k : SLAB;
    const i8 *p = m->weights + (usize)row * (usize)columns + 16 * (usize)k;
    const uint8_t *by = m->block_multipliers + ((usize)row * (usize)columns + 16 * (usize)k) / BLOCK;
    rows_at r = {p, p + 16 * (usize)columns, by, by + 16 * (usize)columns / BLOCK};
    if (vectors == 1) dot_rows_few(r, x + k, stride, 1, count, s->parts);
    else if (tokens == 1) dot_rows_few(r, x + k, stride, 2, count, s->parts);
    else if (tiles == 2) dot_tiles(r, 2, x + k, stride, vectors, count, s->parts);
    else dot_tiles(r, 1, x + k, stride, vectors, count, s->parts);
    for (i32 t = 0; t < tokens; t++) {
      for (i32 tile = 0; tile < tiles; tile++) {
        const i32 *low = s->parts + 32 * halves * t + 16 * tile;
        collect16(low, halves == 2 ? low + 32 : NULL, k == 0, s->sums + 32 * t + 16 * tile);
      }
    }
  }
}

// y[t][0..rows) = rows `first ...` of the matrix times `tokens` rows of input; `rows` is a multiple of 16. Any values may stand in the padding.
static inline void matmul_rows(const matrix *m, i32 first, i32 rows, input in, i32 tokens, i32 fraction_bits, const scratch *s, i32 *y, i32 stride) {
  for (i32 n = 0, tiles; n < rows; n += 16 * tiles) {
    tiles = tokens > 1 && n + 32 <= rows ? 2 : 1;
    sum_rows(m, first + n, tiles, in.bytes, tokens, m->activation_bits <= 8 ? 1 : 2, s);
    for (i32 t = 0; t < tokens; t++) {
      for (i32 tile = 0; tile < tiles; tile++) {
        i32 row = n + 16 * tile;
        finish16(s->sums + 32 * t + 16 * tile, m, first + row, in.scales[t], fraction_bits, y + (usize)t * (usize)stride + row);
      }
    }
  }
}
