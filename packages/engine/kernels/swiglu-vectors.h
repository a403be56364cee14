// SwiGLU of four values at once with 128-bit vectors; included by swiglu.h. Their quotients are computed one by one: a division takes as long as a reciprocal of four.
#pragma once

// floor(n * 2^20 / d) of one lane, for n <= 2^24 <= d <= 2^25
#define LANE_QUOTIENT(n, d, lane) ((i32)(((u64)(u32)wasm_i32x4_extract_lane(n, lane) << 20) / (u32)wasm_i32x4_extract_lane(d, lane)))

// The low halves of rsh of 64-bit numbers are the same with and without regard to their sign.
static inline v128_t silu4(v128_t gate) {
  v128_t half = wasm_i64x2_splat(1 << 15), factor = wasm_i32x4_splat(LOG2_E), size = wasm_i32x4_abs(gate);
  USED_HERE(factor);
  v128_t d = high_part4(wasm_u64x2_extmul_low_u32x4(size, factor), wasm_u64x2_extmul_high_u32x4(size, factor), half, 16); // below 2^32
  v128_t one = wasm_i32x4_splat(1 << 24), e = exp2n4(d, 24);
  v128_t n = wasm_v128_bitselect(e, one, wasm_i32x4_shr(gate, 31)), sum = wasm_i32x4_add(one, e);
  v128_t sigmoid = wasm_i32x4_make(LANE_QUOTIENT(n, sum, 0), LANE_QUOTIENT(n, sum, 1), LANE_QUOTIENT(n, sum, 2), LANE_QUOTIENT(n, sum, 3));
  return high_part4(wasm_i64x2_extmul_low_i32x4(gate, sigmoid), wasm_i64x2_extmul_high_i32x4(gate, sigmoid), wasm_i64x2_splat(1 << 19), 20);
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
