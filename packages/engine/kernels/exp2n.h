// The exponential of softmax, SwiGLU and sampler (SPEC section 1).
#pragma once
#include "fixed.h"

// 2^-d with `fraction_bits` fraction bits, d >= 0 in Q16: a cubic on the fraction, monotone over all d.
static inline i64 exp2n(u32 d, i32 fraction_bits) {
  i32 whole = (i32)(d >> 16);
  if (whole > 31) return 0;
  i64 f = d & 65535;
  i64 g = -42019797;
  g = 247557401 + rsh(g * f, 16);
  g = -742408516 + rsh(g * f, 16);
  g = 1073741824 + rsh(g * f, 16);
  return rsh(g, 30 - fraction_bits + whole);
}

#ifdef __wasm__
// (x + half) >> shift of four 64-bit numbers, two in each vector: the low halves.
static inline v128_t high_part4(v128_t first, v128_t second, v128_t half, u32 shift) {
  return wasm_i32x4_shuffle(wasm_u64x2_shr(wasm_i64x2_add(first, half), shift), wasm_u64x2_shr(wasm_i64x2_add(second, half), shift), 0, 2, 4, 6);
}

// constant + rsh(g * f, 16) in 32 bits, of four
static inline v128_t cubic_step(v128_t g, v128_t f, i32 constant) {
  USED_HERE(g);
  USED_HERE(f);
  v128_t product = high_part4(wasm_i64x2_extmul_low_i32x4(g, f), wasm_i64x2_extmul_high_i32x4(g, f), wasm_i64x2_splat(1 << 15), 16);
  return wasm_i32x4_add(wasm_i32x4_splat(constant), product);
}

// exp2n of four, d of 32 bits without a sign. A shift of its own for each of them is a product with a power of two:
//   rsh(g, 30 - o + whole) = rsh(g * 2^k, 31), k = o + 1 - whole, for k >= 0; for k < 0 both are 0, as g <= 2^30, and so is the power below.
static inline v128_t exp2n4(v128_t d, i32 fraction_bits) {
  d = wasm_u32x4_min(d, wasm_i32x4_splat((32 << 16) - 1)); // 0 from there on
  v128_t f = wasm_v128_and(d, wasm_i32x4_splat(65535));
  v128_t g = cubic_step(cubic_step(cubic_step(wasm_i32x4_splat(-42019797), f, 247557401), f, -742408516), f, 1073741824);
  v128_t k = wasm_i32x4_sub(wasm_i32x4_splat(fraction_bits + 1), wasm_u32x4_shr(d, 16)); // -16 .. 25
  // its byte j is 2^(k - 8j) if that is 1 to 128, else 0: looked up at k - 8j, where there is no place below 0 or above 15
  v128_t places = wasm_i8x16_sub(wasm_i8x16_shuffle(k, k, 0, 0, 0, 0, 4, 4, 4, 4, 8, 8, 8, 8, 12, 12, 12, 12), wasm_i32x4_splat(0x18100800));
  v128_t power = wasm_i8x16_swizzle(wasm_i8x16_make(1, 2, 4, 8, 16, 32, 64, -128, 0, 0, 0, 0, 0, 0, 0, 0), places);
  return high_part4(wasm_u64x2_extmul_low_u32x4(g, power), wasm_u64x2_extmul_high_u32x4(g, power), wasm_i64x2_splat(1 << 30), 31);
}
#endif
