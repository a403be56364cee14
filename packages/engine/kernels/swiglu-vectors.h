// SwiGLU of four values at once with 128-bit vectors; included by swiglu.h.
#pragma once

// floor(n * 2^20 / d) for n <= 2^24 <= d <= 2^25
static inline v128_t divide4(v128_t n, v128_t d) {
  v128_t x = wasm_u32x4_shr(d, 10); // Q15
  v128_t slope = wasm_i32x4_sub(wasm_i32x4_splat(RECIPROCAL_1), wasm_u32x4_shr(wasm_i32x4_mul(x, wasm_i32x4_splat(RECIPROCAL_2)), 15));
  v128_t y = wasm_i32x4_sub(wasm_i32x4_splat(RECIPROCAL_0), wasm_u32x4_shr(wasm_i32x4_mul(x, slope), 15)); // Q14
  v128_t two = wasm_i32x4_splat(1 << 30), error = wasm_i32x4_sub(two, wasm_i32x4_mul(x, y));
  y = wasm_i32x4_mul(y, wasm_u32x4_shr(error, 14)); // Q29
  error = wasm_i32x4_sub(two, multiply4(d, y, 25));
  y = wasm_i32x4_sub(multiply4(y, error, 29), wasm_i32x4_splat(RECIPROCAL_SLACK));
  v128_t q = multiply4(n, y, 34);
  v128_t rest = wasm_i32x4_sub(wasm_i32x4_shl(n, 20), wasm_i32x4_mul(q, d)); // below 2^26: its low half is all of it
  return wasm_i32x4_sub(q, wasm_i32x4_ge(rest, d));
}

// The low halves of rsh of 64-bit numbers are the same with and without regard to their sign.
static inline v128_t silu4(v128_t gate) {
  v128_t half = wasm_i64x2_splat(1 << 15), factor = wasm_i32x4_splat(LOG2_E), size = wasm_i32x4_abs(gate);
  v128_t d = high_part4(wasm_u64x2_extmul_low_u32x4(size, factor), wasm_u64x2_extmul_high_u32x4(size, factor), half, 16);
  v128_t one = wasm_i32x4_splat(1 << 24), e = exp2n4(d, 24);
  v128_t s = divide4(wasm_v128_bitselect(e, one, wasm_i32x4_shr(gate, 31)), wasm_i32x4_add(one, e));
  return high_part4(wasm_i64x2_extmul_low_i32x4(gate, s), wasm_i64x2_extmul_high_i32x4(gate, s), wasm_i64x2_splat(1 << 19), 20);
}

// Returns how many it has done.
static inline i32 swiglu_vectors(const i32 *gate, const i32 *up, i32 n, i64 *z) {
  i32 i = 0;
  for (; i + 4 <= n; i += 4) {
    v128_t s = silu4(wasm_v128_load(gate + i)), u = wasm_v128_load(up + i);
    wasm_v128_store(z + i, wasm_i64x2_extmul_low_i32x4(s, u));
    wasm_v128_store(z + i + 2, wasm_i64x2_extmul_high_i32x4(s, u));
  }
  return i;
}
