// Embedding, SwiGLU and the residual add (SPEC sections 3, 11 and 12).
#pragma once
#include "fixed.h"
#include "model.h"

// log2(e) in Q16
#define LOG2_E 94548

// One id's row as residual, int32 Q12.
static inline void embed(const matrix *m, i32 id, i32 width, i32 *x) {
  const i8 *row = m->weights + (usize)(id >> 4) * 16 * (usize)m->columns + (id & 15) * 4;
  const uint8_t *blocks = m->block_multipliers + (usize)(id >> 4) * (usize)(m->columns >> 2) + (id & 15);
  i64 multiplier = m->multipliers[id];
  i32 shift = clamp_shift(m->exponent - 8);
  for (i32 k = 0; k < width; k++) x[k] = sat(rsh(row[(k >> 2) * 64 + (k & 3)] * blocks[(k >> 6) * 16] * multiplier, shift));
}

// g * sigmoid(g), int32 Q16 in and out.
static inline i64 silu(i64 gate) {
  u64 d = (u64)rsh(magnitude(gate) * LOG2_E, 16);
  u64 e = (u64)exp2n(d > INT32_LIMIT ? INT32_LIMIT : (u32)d, 24), one = 1 << 24;
  u64 sigmoid = ((gate >= 0 ? one : e) << 20) / (one + e);
  return rsh(gate * (i64)sigmoid, 20);
}

// silu(gate) * up, Q32, below 2^62.
static inline void swiglu(const i32 *gate, const i32 *up, i32 n, i64 *z) {
  for (i32 i = 0; i < n; i++) z[i] = silu(gate[i]) * up[i];
}

static inline void add_to_residual(i32 *x, const i32 *y, i32 n) {
  for (i32 i = 0; i < n; i++) x[i] = sat((i64)x[i] + y[i]);
}
