// The matrix product (SPEC section 5) with 256-bit vectors: int16 products of two columns at once (vpmaddwd), as kernels/matmul.h does with 128 bits.
#pragma once
#include <immintrin.h>

#include "../fixed.h"
#include "../input.h"
#include "../model.h"
#include "../requantise.h"

// Columns of a row that share a multiplier: their sum is below 127 * 8191 * 64 < 2^26.
#define BLOCK 64
// Blocks whose sums times multipliers (at most 15) are added in int32 before they are added in int64: 127 * 15 * 8191 * 128 < 2^31.
#define PAIR 2
// Vectors of one pass over the weights: 4 accumulators each, 16 registers in all.
#define PASS 3

// The sums of eight rows in order. Accumulators hold four rows each, two partial sums a row.
static inline __m256i join(__m256i a, __m256i b) {
  __m256i both = _mm256_hadd_epi32(a, b); // rows 0 1 4 5 2 3 6 7
  return _mm256_permutevar8x32_epi32(both, _mm256_setr_epi32(0, 1, 4, 5, 2, 3, 6, 7));
}

static inline __m256i eight_multipliers(const uint8_t *at) { return _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)at)); }

// sums[0..8) += what is left of a pair of blocks.
static inline void add_wide(i64 *sums, __m256i pair) {
  __m256i *at = (__m256i *)sums;
  __m256i low = _mm256_cvtepi32_epi64(_mm256_castsi256_si128(pair)), high = _mm256_cvtepi32_epi64(_mm256_extracti128_si256(pair, 1));
  _mm256_storeu_si256(at, _mm256_add_epi64(_mm256_loadu_si256(at), low));
  _mm256_storeu_si256(at + 1, _mm256_add_epi64(_mm256_loadu_si256(at + 1), high));
}

static inline __m256i four_rows(const i8 *p) { return _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)p)); }

static inline __m256i four_columns(const i16 *x) {
  i64 columns;
  memcpy(&columns, x, 8);
  return _mm256_set1_epi64x(columns);
}

// sums[v][0..16) += 16 rows times `vectors` vectors over `blocks` <= PAIR blocks. `vectors` is a constant after inlining.
static inline __attribute__((always_inline)) void dot_rows(const i8 *p, const uint8_t *multipliers, const i16 *x, usize stride, i32 blocks, i32 vectors, i64 *sums) {
  __m256i totals[PASS][2];
  for (i32 v = 0; v < vectors; v++) totals[v][0] = totals[v][1] = _mm256_setzero_si256();
  for (i32 g = 0; g < blocks; g++, x += BLOCK, multipliers += 16) {
    __m256i a[PASS][4];
    for (i32 v = 0; v < vectors; v++) {
      for (i32 r = 0; r < 4; r++) a[v][r] = _mm256_setzero_si256();
    }
    for (i32 k = 0; k < BLOCK; k += 4, p += 64) {
      __m256i w[4] = {four_rows(p), four_rows(p + 16), four_rows(p + 32), four_rows(p + 48)};
      for (i32 v = 0; v < vectors; v++) {
        __m256i q = four_columns(x + (usize)v * stride + k);
        for (i32 r = 0; r < 4; r++) a[v][r] = _mm256_add_epi32(a[v][r], _mm256_madd_epi16(w[r], q));
      }
    }
    __m256i low = eight_multipliers(multipliers), high = eight_multipliers(multipliers + 8);
    for (i32 v = 0; v < vectors; v++) {
      totals[v][0] = _mm256_add_epi32(totals[v][0], _mm256_mullo_epi32(join(a[v][0], a[v][1]), low));
      totals[v][1] = _mm256_add_epi32(totals[v][1], _mm256_mullo_epi32(join(a[v][2], a[v][3]), high));
    }
  }
  for (i32 v = 0; v < vectors; v++) {
    add_wide(sums + 16 * v, totals[v][0]);
    add_wide(sums + 16 * v + 8, totals[v][1]);
  }
}

static inline void sum_rows(const matrix *m, i32 row, const i16 *x, i32 tokens, i64 *sums) {
  i32 blocks = m->columns / BLOCK;
  const i8 *p = m->weights + (usize)row * (usize)m->columns;
  const uint8_t *multipliers = m->block_multipliers + (usize)row * (usize)blocks;
  usize stride = (usize)m->columns;
  for (i32 i = 0; i < 16 * tokens; i++) sums[i] = 0;
  for (i32 g = 0; g < blocks; g += PAIR, p += 16 * PAIR * BLOCK, multipliers += 16 * PAIR, x += PAIR * BLOCK) {
    i32 count = blocks - g < PAIR ? blocks - g : PAIR, t = 0;
    for (; t + PASS <= tokens; t += PASS) dot_rows(p, multipliers, x + (usize)t * stride, stride, count, PASS, sums + 16 * t);
    for (; t < tokens; t++) dot_rows(p, multipliers, x + (usize)t * stride, stride, count, 1, sums + 16 * t);
  }
}

// y[t][0..rows) = rows `first ...` of the matrix times `tokens` rows of input; `rows` is a multiple of 16. Any values may stand in the padding: its weights are zero.
static inline void matmul_rows(const matrix *m, i32 first, i32 rows, input in, i32 tokens, i32 fraction_bits, const scratch *s, i32 *y, i32 stride) {
  for (i32 n = 0; n < rows; n += 16) {
    sum_rows(m, first + n, in.values, tokens, s->sums);
    for (i32 t = 0; t < tokens; t++) requantise16(s->sums + 16 * t, m, first + n, in.scales[t], fraction_bits, y + (usize)t * (usize)stride + n);
  }
}

// What this level wants of a quantised row besides its integers: nothing.
static inline void pack_row(input in, i32 columns, i32 bits) { (void)in, (void)columns, (void)bits; }
