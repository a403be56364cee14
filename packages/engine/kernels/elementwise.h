// Embedding and the residual add (SPEC sections 3 and 12).
#pragma once
#include "fixed.h"
#include "model.h"

// One id's row as residual, int32 Q12.
static inline void embed(const matrix *m, i32 id, i32 width, i32 *x) {
  const i8 *row = m->weights + (usize)(id >> 4) * 16 * (usize)m->columns + (id & 15) * 4;
  const uint8_t *blocks = m->block_multipliers + (usize)(id >> 4) * (usize)(m->columns >> 2) + (id & 15);
  i64 multiplier = m->multipliers[id];
  i32 shift = clamp_shift(m->exponent - 8);
  for (i32 k = 0; k < width; k++) x[k] = sat(rsh(row[(k >> 2) * 64 + (k & 3)] * blocks[(k >> 6) * 16] * multiplier, shift));
}

// sat(x + y)
static inline void add_to_residual(i32 *x, const i32 *y, i32 n) {
  i32 i = 0;
#ifdef __wasm__
  v128_t lowest = wasm_i32x4_splat(-INT32_LIMIT), highest = wasm_i32x4_splat(INT32_LIMIT);
  for (; i + 4 <= n; i += 4) {
    v128_t a = wasm_v128_load(x + i), b = wasm_v128_load(y + i), sum = wasm_i32x4_add(a, b);
    v128_t wrapped = wasm_i32x4_shr(wasm_v128_and(wasm_v128_xor(a, sum), wasm_v128_xor(b, sum)), 31);
    v128_t limit = wasm_v128_xor(wasm_i32x4_shr(a, 31), highest);
    wasm_v128_store(x + i, wasm_i32x4_max(wasm_v128_bitselect(limit, sum, wrapped), lowest));
  }
#endif
  // in 32 bits, so that compilers make vectors of it
  for (; i < n; i++) {
    i32 a = x[i], b = y[i], sum = (i32)((u32)a + (u32)b), wrapped = ((a ^ sum) & (b ^ sum)) >> 31;
    i32 limited = (sum & ~wrapped) | (((a >> 31) ^ INT32_LIMIT) & wrapped);
    x[i] = limited < -INT32_LIMIT ? -INT32_LIMIT : limited;
  }
}
