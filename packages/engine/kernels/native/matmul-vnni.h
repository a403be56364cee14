// The matrix product (SPEC section 5) with AVX-512 VNNI: vpdpbusd sums products of four unsigned with four signed bytes in int32, without saturation.
//
// The weights are the signed bytes. The activations are made unsigned and cut into bytes (8 bits: one, 14 bits: two):
//   q in [-127, 127]:    q + 128 = low             sum w * q = sum w * low - 128 * sum w
//   q in [-8191, 8191]:  q + 8192 = 128 high + low  sum w * q = 128 * sum w * high + sum w * low - 8192 * sum w,  0 <= high, low <= 127
// A sum of bytes is below 127 * 255 * 65536 < 2^31 over all columns that a matrix can have: one block. What stands in the padding does not matter: its weights are zero.
#pragma once
#include <immintrin.h>

#include "../fixed.h"
#include "../input.h"
#include "../model.h"

// Byte vectors of one pass over 32 rows: 16 accumulators.
#define PASS 8

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

// parts[v][0..16 * tiles) = 16 * tiles rows times `vectors` byte vectors. `tiles` and `vectors` are constants after inlining.
static inline __attribute__((always_inline)) void dot_rows(const i8 *p, i32 tiles, const uint8_t *x, usize stride, i32 vectors, i32 columns, i32 *parts) {
  __m512i a[PASS], b[PASS];
  const i8 *next = p + 16 * (usize)columns;
  for (i32 v = 0; v < vectors; v++) a[v] = b[v] = _mm512_setzero_si512();
  for (i32 k = 0; k < columns; k += 4, p += 64, next += 64) {
    __m512i first = _mm512_loadu_si512(p), second = tiles == 2 ? _mm512_loadu_si512(next) : first;
    for (i32 v = 0; v < vectors; v++) {
      __m512i q = four_columns(x + (usize)v * stride + k);
      a[v] = _mm512_dpbusd_epi32(a[v], q, first);
      if (tiles == 2) b[v] = _mm512_dpbusd_epi32(b[v], q, second);
    }
  }
  for (i32 v = 0; v < vectors; v++) {
    _mm512_storeu_si512(parts + 32 * v, a[v]);
    if (tiles == 2) _mm512_storeu_si512(parts + 32 * v + 16, b[v]);
  }
}

// Decode: one or two byte vectors; eight chains of sums, since one chain would wait for its own results.
static inline __attribute__((always_inline)) void dot_rows_few(const i8 *p, const uint8_t *x, usize stride, i32 vectors, i32 columns, i32 *parts) {
  __m512i a[2][4];
  for (i32 v = 0; v < vectors; v++) a[v][0] = a[v][1] = a[v][2] = a[v][3] = _mm512_setzero_si512();
  for (i32 k = 0; k < columns; k += 16, p += 256) {
    for (i32 i = 0; i < 4; i++) {
      __m512i w = _mm512_loadu_si512(p + 64 * i);
      for (i32 v = 0; v < vectors; v++) {
        a[v][i] = _mm512_dpbusd_epi32(a[v][i], four_columns(x + (usize)v * stride + k + 4 * i), w);
      }
    }
  }
  for (i32 v = 0; v < vectors; v++) {
    __m512i sum = _mm512_add_epi32(_mm512_add_epi32(a[v][0], a[v][1]), _mm512_add_epi32(a[v][2], a[v][3]));
    _mm512_storeu_si512(parts + 32 * v, sum);
  }
}

static inline __attribute__((always_inline)) void dot_tiles(const i8 *p, i32 tiles, const uint8_t *x, usize stride, i32 vectors, i32 columns, i32 *parts) {
  i32 v = 0;
  for (; v + PASS <= vectors; v += PASS) dot_rows(p, tiles, x + (usize)v * stride, stride, PASS, columns, parts + 32 * v);
  for (; v + 2 <= vectors; v += 2) dot_rows(p, tiles, x + (usize)v * stride, stride, 2, columns, parts + 32 * v);
  if (v < vectors) dot_rows(p, tiles, x + (usize)v * stride, stride, 1, columns, parts + 32 * v);
}

static inline __m512i widen(const i32 *values) { return _mm512_cvtepi32_epi64(_mm256_loadu_si256((const __m256i *)values)); }

// rsh and sat of fixed.h, eight at a time.
static inline __m512i rsh8(__m512i x, i32 s) {
  return _mm512_sra_epi64(_mm512_add_epi64(x, _mm512_set1_epi64(((i64)1 << s) >> 1)), _mm_cvtsi32_si128(s));
}

static inline __m256i sat8(__m512i x) {
  __m512i limit = _mm512_set1_epi64(INT32_LIMIT);
  return _mm512_cvtepi64_epi32(_mm512_max_epi64(_mm512_min_epi64(x, limit), _mm512_set1_epi64(-INT32_LIMIT)));
}

// The exact sums of 16 rows from their parts (`high` NULL: 8 bits), requantised as requantise16 does.
static inline void finish16(const i32 *low, const i32 *high, const matrix *m, i32 row, scale s, i32 fraction_bits, i32 *y) {
  i32 shift = clamp_shift(m->exponent - 22 - s.exponent - fraction_bits);
  __m512i mantissa = _mm512_set1_epi64(s.mantissa);
  for (i32 i = 0; i < 16; i += 8) {
    __m512i sum = widen(low + i), offset = widen(m->row_sums + row + i);
    if (high) sum = _mm512_add_epi64(sum, _mm512_slli_epi64(widen(high + i), 7));
    sum = _mm512_sub_epi64(sum, _mm512_slli_epi64(offset, high ? 13 : 7));
    __m512i t = rsh8(_mm512_mullo_epi64(sum, widen(m->multipliers + row + i)), 22);
    _mm256_storeu_si256((__m256i *)(y + i), sat8(rsh8(_mm512_mullo_epi64(t, mantissa), shift)));
  }
}

// y[t][0..rows) = rows `first ...` of the matrix times `tokens` rows of input; `rows` is a multiple of 16. Any values may stand in the padding.
static inline void matmul_rows(const matrix *m, i32 first, i32 rows, input in, i32 tokens, i32 fraction_bits, const scratch *s, i32 *y, i32 stride) {
  i32 halves = m->activation_bits <= 8 ? 1 : 2, vectors = halves * tokens, columns = m->columns;
  usize bytes = (usize)(halves == 2 ? columns : 2 * columns); // from one vector to the next
  for (i32 n = 0, tiles; n < rows; n += 16 * tiles) {
    const i8 *p = m->weights + (usize)(first + n) * (usize)columns;
    tiles = tokens > 1 && n + 32 <= rows ? 2 : 1;
    if (vectors == 1) dot_rows_few(p, in.bytes, bytes, 1, columns, s->parts);
    else if (tokens == 1) dot_rows_few(p, in.bytes, bytes, 2, columns, s->parts);
    else if (tiles == 2) dot_tiles(p, 2, in.bytes, bytes, vectors, columns, s->parts);
    else dot_tiles(p, 1, in.bytes, bytes, vectors, columns, s->parts);
    for (i32 t = 0; t < tokens; t++) {
      for (i32 tile = 0; tile < tiles; tile++) {
        const i32 *low = s->parts + 32 * halves * t + 16 * tile, *high = halves == 2 ? low + 32 : NULL;
        finish16(low, high, m, first + n + 16 * tile, in.scales[t], fraction_bits, y + (usize)t * (usize)stride + n + 16 * tile);
      }
    }
  }
}
