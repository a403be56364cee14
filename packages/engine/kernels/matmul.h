// Matrix times quantised vectors, requantised to fixed point (SPEC sections 5 and 6).
#pragma once
#include "fixed.h"
#include "input.h"
#include "model.h"
#include "requantise.h"

// Columns summed in int32 before they are added in int64: at most 2048, 127 * 8191 * 2048 < 2^31. Half of it leaves room in the first cache for the vectors.
#define BLOCK 1024
// Up to so many vectors the weights are widened again for every pair of them; for more it pays to keep them widened in memory.
#define DIRECT 8

static inline v128_t add(v128_t a, v128_t b) { return wasm_i32x4_add(a, b); }
static inline v128_t dot(v128_t a, v128_t b) { return wasm_i32x4_dot_i16x8(a, b); }

// Accumulators hold two rows each, two partial sums a row.
static inline v128_t join(v128_t a, v128_t b) {
  return add(wasm_i32x4_shuffle(a, b, 0, 2, 4, 6), wasm_i32x4_shuffle(a, b, 1, 3, 5, 7));
}

// The one place where the sums of a block leave the kernels below: sums[0..8) += four accumulators of two rows.
static inline void add_block(i64 *sums, const v128_t a[4]) {
  v128_t *at = (v128_t *)sums, low = join(a[0], a[1]), high = join(a[2], a[3]);
  at[0] = wasm_i64x2_add(at[0], wasm_i64x2_extend_low_i32x4(low));
  at[1] = wasm_i64x2_add(at[1], wasm_i64x2_extend_high_i32x4(low));
  at[2] = wasm_i64x2_add(at[2], wasm_i64x2_extend_low_i32x4(high));
  at[3] = wasm_i64x2_add(at[3], wasm_i64x2_extend_high_i32x4(high));
}

// Decode: sums[0..16) += 16 rows of int8 weights times one vector, over `columns` <= BLOCK columns.
static inline void dot_rows(const i8 *p, const i16 *x, i32 columns, i64 *sums) {
  v128_t z = wasm_i32x4_splat(0), a[8] = {z, z, z, z, z, z, z, z};
  for (i32 k = 0; k < columns; k += 4, p += 64) {
    v128_t v = wasm_v128_load64_splat(x + k);
    for (i32 i = 0; i < 8; i++) a[i] = add(a[i], dot(wasm_i16x8_load8x8(p + 8 * i), v));
  }
  add_block(sums, a);
  add_block(sums + 8, a + 4);
}

// Two rows of four columns, from packed int8 or from a panel.
static inline v128_t two_rows(const void *p, i32 i, bool widened) {
  return widened ? wasm_v128_load((const i16 *)p + 8 * i) : wasm_i16x8_load8x8((const i8 *)p + 8 * i);
}

// sums[v][0..8) += 8 rows times `vectors` vectors. `widened` and `vectors` (at most 2) are constants after inlining.
static inline __attribute__((always_inline)) void dot_half(const void *p, bool widened, const i16 *x, usize stride, i32 vectors, i32 columns, i64 *sums) {
  v128_t z = wasm_i32x4_splat(0), a[2][4] = {{z, z, z, z}, {z, z, z, z}};
  for (i32 k = 0; k < columns; k += 4, p = (const i8 *)p + 64) {
    v128_t v0 = wasm_v128_load64_splat(x + k), v1 = vectors == 2 ? wasm_v128_load64_splat(x + stride + k) : z;
    for (i32 i = 0; i < 4; i++) {
      v128_t w = two_rows(p, i, widened);
      a[0][i] = add(a[0][i], dot(w, v0));
      if (vectors == 2) a[1][i] = add(a[1][i], dot(w, v1));
    }
  }
  add_block(sums, a[0]);
  if (vectors == 2) add_block(sums + 16, a[1]);
}

static inline __attribute__((always_inline)) void dot_half_all(const void *p, bool widened, const i16 *x, usize stride, i32 tokens, i32 columns, i64 *sums) {
  i32 t = 0;
  for (; t + 2 <= tokens; t += 2, x += 2 * stride, sums += 32) dot_half(p, widened, x, stride, 2, columns, sums);
  if (t < tokens) dot_half(p, widened, x, stride, 1, columns, sums);
}

// 8 of 16 rows as int16, once for all vectors.
static inline void widen_half(const i8 *p, i32 columns, i16 *panel) {
  for (i32 k = 0; k < columns; k += 4, p += 64, panel += 32) {
    for (i32 i = 0; i < 4; i++) wasm_v128_store(panel + 8 * i, wasm_i16x8_load8x8(p + 8 * i));
  }
}

// sums[t][0..16) = 16 rows times `tokens` vectors.
static inline void sum_rows(const matrix *m, i32 first, const i16 *x, i32 tokens, const scratch *s) {
  const i8 *p = m->weights + (usize)first * (usize)m->columns;
  usize stride = (usize)m->columns;
  for (i32 i = 0; i < 16 * tokens; i++) s->sums[i] = 0;
  for (i32 k = 0; k < m->columns; k += BLOCK) {
    i32 columns = m->columns - k < BLOCK ? m->columns - k : BLOCK;
    if (tokens == 1) {
      dot_rows(p + k * 16, x + k, columns, s->sums);
      continue;
    }
    for (i32 half = 0; half < 16; half += 8) {
      const i8 *at = p + k * 16 + half * 4;
      if (tokens <= DIRECT) {
        dot_half_all(at, false, x + k, stride, tokens, columns, s->sums + half);
      } else {
        widen_half(at, columns, s->panel);
        dot_half_all(s->panel, true, x + k, stride, tokens, columns, s->sums + half);
      }
    }
  }
}

// y[t][0..rows) = rows `first ...` of the matrix times `tokens` rows of input; `rows` is a multiple of 16. Any values may stand in the padding: its weights are zero.
static inline void matmul_rows(const matrix *m, i32 first, i32 rows, input in, i32 tokens, i32 fraction_bits, const scratch *s, i32 *y, i32 stride) {
  for (i32 n = 0; n < rows; n += 16) {
    sum_rows(m, first + n, in.values, tokens, s);
    for (i32 t = 0; t < tokens; t++) requantise16(s->sums + 16 * t, m, first + n, in.scales[t], fraction_bits, y + (usize)t * (usize)stride + n);
  }
}

// What this level wants of a quantised row besides its integers: nothing.
static inline void pack_row(input in, i32 columns, i32 bits) { (void)in, (void)columns, (void)bits; }
