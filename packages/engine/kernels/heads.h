// What happens to a head of q, k or v between its matrix and RoPE or the cache (SPEC sections 6.1 and 6.2).
#pragma once
#include "elementwise.h"
#include "fixed.h"
#include "model.h"
#include "quantise.h"

// RMSNorm of one head of q or k, int32 Q16, in place.
static inline void norm_head(i32 *x, i32 size, const norm *w, u64 epsilon) {
  i32 shift; // even
  u64 squares = normalised_squares(x, size, epsilon, &shift);
  i64 reciprocal = ((i64)1 << 51) / (i64)isqrt(squares / (u64)size);
  i32 last = clamp_shift(w->exponent + 8);
  for (i32 i = 0; i < size; i++) x[i] = sat(rsh(rsh(x[i] * reciprocal, 27 + shift / 2) * w->weights[i], last));
}

// Head `index` of a row of q, k or v; `bias` and the weights of `n` are NULL where the graph has none.
static inline i32 *finish_head(const model *m, i32 *row, i32 index, const i32 *bias, const norm *n) {
  i32 size = m->head_size, *x = row + index * size;
  if (bias != NULL) add_to_residual(x, bias + index * size, size);
  if (n->weights != NULL) norm_head(x, size, n, (u64)m->head_epsilon_high << 32 | m->head_epsilon_low);
  return x;
}
