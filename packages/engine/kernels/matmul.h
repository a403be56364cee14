// Matrix times quantised vectors, requantised to fixed point (SPEC sections 5 and 6).
#pragma once
#include "fixed.h"
#include "model.h"
#include "requantise.h"

// Columns summed in int32 before they are added in int64: 127 * 8191 * 2048 < 2^31.
#define BLOCK 2048

static inline v128_t add(v128_t a, v128_t b) { return wasm_i32x4_add(a, b); }
static inline v128_t dot(v128_t a, v128_t b) { return wasm_i32x4_dot_i16x8(a, b); }

// Accumulators hold two rows each, two partial sums a row.
static inline v128_t join(v128_t a, v128_t b) {
  return add(wasm_i32x4_shuffle(a, b, 0, 2, 4, 6), wasm_i32x4_shuffle(a, b, 1, 3, 5, 7));
}

static inline void add_wide(i64 *sums, v128_t block) {
  v128_t *at = (v128_t *)sums;
  at[0] = wasm_i64x2_add(at[0], wasm_i64x2_extend_low_i32x4(block));
  at[1] = wasm_i64x2_add(at[1], wasm_i64x2_extend_high_i32x4(block));
}

static inline void clear16(i64 *sums) {
  for (i32 i = 0; i < 16; i++) sums[i] = 0;
}

// Decode: sums[0..16) += 16 rows of int8 weights times one vector, over `columns` <= BLOCK columns.
static inline void dot_rows(const i8 *p, const i16 *x, i32 columns, i64 *sums) {
  v128_t z = wasm_i32x4_splat(0), a0 = z, a1 = z, a2 = z, a3 = z, a4 = z, a5 = z, a6 = z, a7 = z;
  for (i32 k = 0; k < columns; k += 4, p += 64) {
    v128_t v = wasm_v128_load64_splat(x + k);
    a0 = add(a0, dot(wasm_i16x8_load8x8(p), v));
    a1 = add(a1, dot(wasm_i16x8_load8x8(p + 8), v));
    a2 = add(a2, dot(wasm_i16x8_load8x8(p + 16), v));
    a3 = add(a3, dot(wasm_i16x8_load8x8(p + 24), v));
    a4 = add(a4, dot(wasm_i16x8_load8x8(p + 32), v));
    a5 = add(a5, dot(wasm_i16x8_load8x8(p + 40), v));
    a6 = add(a6, dot(wasm_i16x8_load8x8(p + 48), v));
    a7 = add(a7, dot(wasm_i16x8_load8x8(p + 56), v));
  }
  add_wide(sums, join(a0, a1));
  add_wide(sums + 4, join(a2, a3));
  add_wide(sums + 8, join(a4, a5));
  add_wide(sums + 12, join(a6, a7));
}

// Prefill: widens 8 of 16 rows to int16, once for all tokens of the chunk.
static inline void widen_half(const i8 *p, i32 columns, i16 *panel) {
  for (i32 k = 0; k < columns; k += 4, p += 64, panel += 32) {
    wasm_v128_store(panel, wasm_i16x8_load8x8(p));
    wasm_v128_store(panel + 8, wasm_i16x8_load8x8(p + 8));
    wasm_v128_store(panel + 16, wasm_i16x8_load8x8(p + 16));
    wasm_v128_store(panel + 24, wasm_i16x8_load8x8(p + 24));
  }
}

// sums[0..8) and sums[16..24) += 8 widened rows times two vectors.
static inline void dot_half_two(const i16 *s, const i16 *x, const i16 *y, i32 columns, i64 *sums) {
  v128_t z = wasm_i32x4_splat(0), a0 = z, a1 = z, a2 = z, a3 = z, b0 = z, b1 = z, b2 = z, b3 = z;
  for (i32 k = 0; k < columns; k += 4, s += 32) {
    v128_t v = wasm_v128_load64_splat(x + k), u = wasm_v128_load64_splat(y + k), w;
    w = wasm_v128_load(s), a0 = add(a0, dot(w, v)), b0 = add(b0, dot(w, u));
    w = wasm_v128_load(s + 8), a1 = add(a1, dot(w, v)), b1 = add(b1, dot(w, u));
    w = wasm_v128_load(s + 16), a2 = add(a2, dot(w, v)), b2 = add(b2, dot(w, u));
    w = wasm_v128_load(s + 24), a3 = add(a3, dot(w, v)), b3 = add(b3, dot(w, u));
  }
  add_wide(sums, join(a0, a1));
  add_wide(sums + 4, join(a2, a3));
  add_wide(sums + 16, join(b0, b1));
  add_wide(sums + 20, join(b2, b3));
}

// sums[0..8) += 8 widened rows times one vector: the odd token of a chunk.
static inline void dot_half_one(const i16 *s, const i16 *x, i32 columns, i64 *sums) {
  v128_t z = wasm_i32x4_splat(0), a0 = z, a1 = z, a2 = z, a3 = z;
  for (i32 k = 0; k < columns; k += 4, s += 32) {
    v128_t v = wasm_v128_load64_splat(x + k);
    a0 = add(a0, dot(wasm_v128_load(s), v));
    a1 = add(a1, dot(wasm_v128_load(s + 8), v));
    a2 = add(a2, dot(wasm_v128_load(s + 16), v));
    a3 = add(a3, dot(wasm_v128_load(s + 24), v));
  }
  add_wide(sums, join(a0, a1));
  add_wide(sums + 4, join(a2, a3));
}

static inline void sum_rows_one(const matrix *m, i32 row, const i16 *x, i64 *sums) {
  const i8 *p = m->weights + (usize)row * (usize)m->columns;
  clear16(sums);
  for (i32 k = 0; k < m->columns; k += BLOCK) {
    i32 columns = m->columns - k < BLOCK ? m->columns - k : BLOCK;
    dot_rows(p + k * 16, x + k, columns, sums);
  }
}

static inline void sum_rows_many(const matrix *m, i32 row, const i16 *x, i32 tokens, const workspace *w) {
  const i8 *p = m->weights + (usize)row * (usize)m->columns;
  for (i32 t = 0; t < tokens; t++) clear16(w->sums + 16 * t);
  for (i32 k = 0; k < m->columns; k += BLOCK) {
    i32 columns = m->columns - k < BLOCK ? m->columns - k : BLOCK;
    for (i32 half = 0; half < 16; half += 8) {
      widen_half(p + k * 16 + half * 4, columns, w->panel);
      const i16 *at = x + k;
      i64 *sums = w->sums + half;
      i32 t = 0;
      for (; t + 2 <= tokens; t += 2, at += 2 * m->columns, sums += 32) dot_half_two(w->panel, at, at + m->columns, columns, sums);
      if (t < tokens) dot_half_one(w->panel, at, columns, sums);
    }
  }
}

// y[t][n] for all padded rows n. x: [tokens][padded columns], with any values in the padding (its weights are zero).
static inline void matmul(const matrix *m, const i16 *x, const scale *scales, i32 tokens, i32 fraction_bits, const workspace *w, i32 *y) {
  for (i32 row = 0; row < m->rows; row += 16) {
    if (tokens == 1) {
      sum_rows_one(m, row, x, w->sums);
    } else {
      sum_rows_many(m, row, x, tokens, w);
    }
    for (i32 t = 0; t < tokens; t++) {
      requantise16(w->sums + 16 * t, m, row, scales[t], fraction_bits, y + (usize)t * (usize)m->rows + row);
    }
  }
}
