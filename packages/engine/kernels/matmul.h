// Matrix times quantised vectors, requantised to fixed point (SPEC sections 5 and 6).
#pragma once
#include "fixed.h"
#include "input.h"
#include "model.h"
#include "requantise.h"

// Columns of a row that share a multiplier: their sum is below 127 * 8191 * 64 < 2^26.
#define BLOCK 64
// Columns whose sums times multipliers (at most 15) are added in int32 before they are added in int64: 127 * 15 * 8191 * 128 < 2^31.
#define PAIR 128
// Columns of a panel: more would leave no room in the first cache for the vectors.
#define PANEL 1024
// Up to so many vectors the weights are widened again for every pair of them; for more it pays to keep them widened in memory.
#define DIRECT 6

static inline v128_t add(v128_t a, v128_t b) { return wasm_i32x4_add(a, b); }
static inline v128_t dot(v128_t a, v128_t b) { return wasm_i32x4_dot_i16x8(a, b); }

// Accumulators hold two rows each, two partial sums a row.
static inline v128_t join(v128_t a, v128_t b) {
  return add(wasm_i32x4_shuffle(a, b, 0, 2, 4, 6), wasm_i32x4_shuffle(a, b, 1, 3, 5, 7));
}

// sums[0..4) += what is left of a pair of blocks.
static inline void add_wide(i64 *sums, v128_t pair) {
  v128_t *at = (v128_t *)sums;
  at[0] = wasm_i64x2_add(at[0], wasm_i64x2_extend_low_i32x4(pair));
  at[1] = wasm_i64x2_add(at[1], wasm_i64x2_extend_high_i32x4(pair));
}

// totals[0..8) of a pair = or += the sums of one block of 8 rows, in four accumulators, times their multipliers.
static inline __attribute__((always_inline)) void scale_block(v128_t *totals, const v128_t a[4], const uint8_t *multipliers, bool first) {
  v128_t m = wasm_u16x8_load8x8(multipliers);
  v128_t low = wasm_i32x4_mul(join(a[0], a[1]), wasm_u32x4_extend_low_u16x8(m));
  v128_t high = wasm_i32x4_mul(join(a[2], a[3]), wasm_u32x4_extend_high_u16x8(m));
  totals[0] = first ? low : add(totals[0], low);
  totals[1] = first ? high : add(totals[1], high);
}

// Decode, one block of a pair: 16 rows of int8 weights times one vector.
static inline __attribute__((always_inline)) void dot_block(const i8 *p, const uint8_t *multipliers, const i16 *x, bool first, v128_t *totals) {
  v128_t z = wasm_i32x4_splat(0), a[8] = {z, z, z, z, z, z, z, z};
  for (i32 k = 0; k < BLOCK; k += 4, p += 64) {
    v128_t v = wasm_v128_load64_splat(x + k);
    for (i32 i = 0; i < 8; i++) a[i] = add(a[i], dot(wasm_i16x8_load8x8(p + 8 * i), v));
  }
  scale_block(totals, a, multipliers, first);
  scale_block(totals + 2, a + 4, multipliers + 8, first);
}

// Decode: sums[0..16) += 16 rows times one vector. `totals` lie in memory: registers are needed for the accumulators.
static inline void dot_rows(const i8 *p, const uint8_t *multipliers, const i16 *x, i32 columns, v128_t *totals, i64 *sums) {
  for (i32 k = 0; k < columns; k += PAIR, p += 16 * PAIR, multipliers += 32, x += PAIR) {
    dot_block(p, multipliers, x, true, totals);
    if (k + BLOCK < columns) dot_block(p + 16 * BLOCK, multipliers + 16, x + BLOCK, false, totals);
    for (i32 i = 0; i < 4; i++) add_wide(sums + 4 * i, totals[i]);
  }
}

// Two rows of four columns, from packed int8 or from a panel.
static inline v128_t two_rows(const void *p, i32 i, bool widened) {
  return widened ? wasm_v128_load((const i16 *)p + 8 * i) : wasm_i16x8_load8x8((const i8 *)p + 8 * i);
}

// a[v][0..4) = 8 rows times `vectors` vectors. `widened` and `vectors` (at most 2) are constants after inlining.
static inline __attribute__((always_inline)) void dot_steps(const void *p, bool widened, const i16 *x, usize stride, i32 vectors, i32 columns, v128_t a[2][4]) {
  v128_t z = wasm_i32x4_splat(0);
  for (i32 i = 0; i < 4; i++) a[0][i] = a[1][i] = z;
  for (i32 k = 0; k < columns; k += 4, p = (const i8 *)p + 64) {
    v128_t v0 = wasm_v128_load64_splat(x + k), v1 = vectors == 2 ? wasm_v128_load64_splat(x + stride + k) : z;
    for (i32 i = 0; i < 4; i++) {
      v128_t w = two_rows(p, i, widened);
      a[0][i] = add(a[0][i], dot(w, v0));
      if (vectors == 2) a[1][i] = add(a[1][i], dot(w, v1));
    }
  }
}

// sums[v][0..8) += 8 rows of packed weights times `vectors` vectors, over a pair of blocks or the last block.
static inline __attribute__((always_inline)) void dot_packed(const i8 *p, const uint8_t *multipliers, const i16 *x, usize stride, i32 vectors, i32 columns, v128_t *totals, i64 *sums) {
  v128_t a[2][4];
  dot_steps(p, false, x, stride, vectors, BLOCK, a);
  for (i32 v = 0; v < vectors; v++) scale_block(totals + 2 * v, a[v], multipliers, true);
  if (columns > BLOCK) {
    dot_steps(p + 16 * BLOCK, false, x + BLOCK, stride, vectors, BLOCK, a);
    for (i32 v = 0; v < vectors; v++) scale_block(totals + 2 * v, a[v], multipliers + 16, false);
  }
  for (i32 v = 0; v < vectors; v++) {
    add_wide(sums + 16 * v, totals[2 * v]);
    add_wide(sums + 16 * v + 4, totals[2 * v + 1]);
  }
}

// The same with a panel, whose weights are multiplied already.
static inline __attribute__((always_inline)) void dot_panel(const i16 *panel, const i16 *x, usize stride, i32 vectors, i32 columns, i64 *sums) {
  v128_t a[2][4];
  dot_steps(panel, true, x, stride, vectors, columns, a);
  for (i32 v = 0; v < vectors; v++) {
    add_wide(sums + 16 * v, join(a[v][0], a[v][1]));
    add_wide(sums + 16 * v + 4, join(a[v][2], a[v][3]));
  }
}

// 8 of 16 rows times their multipliers as int16 (127 * 15 < 2^11), once for all vectors.
static inline void widen_half(const i8 *p, const uint8_t *multipliers, i32 columns, i16 *panel) {
  for (i32 start = 0; start < columns; start += BLOCK, multipliers += 16) {
    v128_t m[4];
    for (i32 i = 0; i < 4; i++) {
      v128_t even = wasm_i16x8_splat(multipliers[2 * i]), odd = wasm_i16x8_splat(multipliers[2 * i + 1]);
      m[i] = wasm_i64x2_shuffle(even, odd, 0, 2);
    }
    for (i32 k = 0; k < BLOCK; k += 4, p += 64, panel += 32) {
      for (i32 i = 0; i < 4; i++) wasm_v128_store(panel + 8 * i, wasm_i16x8_mul(wasm_i16x8_load8x8(p + 8 * i), m[i]));
    }
  }
}

// sums[t][0..8) += 8 rows times `tokens` vectors, over at most PANEL columns.
static inline void dot_half_packed(const i8 *p, const uint8_t *multipliers, const i16 *x, usize stride, i32 tokens, i32 columns, v128_t *totals, i64 *sums) {
  for (i32 t = 0; t < tokens; t += 2, x += 2 * stride, sums += 32) {
    for (i32 k = 0; k < columns; k += PAIR) {
      i32 width = columns - k < PAIR ? columns - k : PAIR;
      if (t + 2 <= tokens) dot_packed(p + 16 * k, multipliers + k / 4, x + k, stride, 2, width, totals, sums);
      else dot_packed(p + 16 * k, multipliers + k / 4, x + k, stride, 1, width, totals, sums);
    }
  }
}

static inline void dot_half_panel(const i16 *panel, const i16 *x, usize stride, i32 tokens, i32 columns, i64 *sums) {
  for (i32 t = 0; t < tokens; t += 2, x += 2 * stride, sums += 32) {
    for (i32 k = 0; k < columns; k += PAIR) {
      i32 width = columns - k < PAIR ? columns - k : PAIR;
      if (t + 2 <= tokens) dot_panel(panel + 8 * k, x + k, stride, 2, width, sums);
      else dot_panel(panel + 8 * k, x + k, stride, 1, width, sums);
    }
  }
}

// sums[t][0..16) = 16 rows times `tokens` vectors.
static inline void sum_rows(const matrix *m, i32 first, const i16 *x, i32 tokens, const scratch *s) {
  const i8 *p = m->weights + (usize)first * (usize)m->columns;
  const uint8_t *multipliers = m->block_multipliers + (usize)first * (usize)(m->columns / BLOCK);
  usize stride = (usize)m->columns;
  v128_t *totals = (v128_t *)s->panel; // where no panel is made
  for (i32 i = 0; i < 16 * tokens; i++) s->sums[i] = 0;
  if (tokens == 1) {
    dot_rows(p, multipliers, x, m->columns, totals, s->sums);
    return;
  }
  for (i32 k = 0; k < m->columns; k += PANEL) {
    i32 columns = m->columns - k < PANEL ? m->columns - k : PANEL;
    for (i32 half = 0; half < 16; half += 8) {
      const i8 *at = p + k * 16 + half * 4;
      const uint8_t *by = multipliers + k / 4 + half;
      if (tokens <= DIRECT) {
        dot_half_packed(at, by, x + k, stride, tokens, columns, totals, s->sums + half);
      } else {
        widen_half(at, by, columns, s->panel);
        dot_half_panel(s->panel, x + k, stride, tokens, columns, s->sums + half);
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
