// Sums of a matrix product to fixed point (SPEC section 6).
#pragma once
#include "fixed.h"
#include "model.h"

#ifdef __wasm__
// Columns up to which a sum of products, without its sixteenths, fits in int32: 127 * 8191 * 2048 < 2^31.
#define NARROW_COLUMNS 2048
// Added to a product before it is shifted as an unsigned number, and subtracted again: a signed shift of 64 bits is slow. A multiple of every 2^shift that leaves anything.
#define BIAS_BITS 50

// The low halves of x >> bits after rounding, for sums that fit in int32 then.
static inline v128_t narrow(v128_t first, v128_t second, i32 bits) {
  v128_t half = wasm_i64x2_splat((i64)1 << (bits - 1));
  return wasm_i32x4_shuffle(wasm_u64x2_shr(wasm_i64x2_add(first, half), (u32)bits), wasm_u64x2_shr(wasm_i64x2_add(second, half), (u32)bits), 0, 2, 4, 6);
}

// requantise16 for at most NARROW_COLUMNS columns. False when a result has to be saturated: then nothing of `y` counts.
static inline bool requantise16_narrow(const i64 *sums, const i32 *multipliers, i32 mantissa, i32 shift, i32 *y) {
  i64 bias = shift <= BIAS_BITS ? (i64)1 << BIAS_BITS : 0; // |product| < 2^49: a longer shift gives 0
  v128_t before = wasm_i64x2_splat(bias + (((i64)1 << shift) >> 1)), after = wasm_i64x2_splat(bias >> shift);
  v128_t m = wasm_i32x4_splat(mantissa), wrong = wasm_i32x4_splat(0);
  for (i32 i = 0; i < 16; i += 4) {
    USED_HERE(shift);
    USED_HERE(m);
    v128_t acc = narrow(wasm_v128_load(sums + i), wasm_v128_load(sums + i + 2), 4), rows = wasm_v128_load(multipliers + i);
    v128_t t = narrow(wasm_i64x2_extmul_low_i32x4(acc, rows), wasm_i64x2_extmul_high_i32x4(acc, rows), 22);
    v128_t a = wasm_i64x2_sub(wasm_u64x2_shr(wasm_i64x2_add(wasm_i64x2_extmul_low_i32x4(t, m), before), (u32)shift), after);
    v128_t b = wasm_i64x2_sub(wasm_u64x2_shr(wasm_i64x2_add(wasm_i64x2_extmul_high_i32x4(t, m), before), (u32)shift), after);
    v128_t low = wasm_i32x4_shuffle(a, b, 0, 2, 4, 6), high = wasm_i32x4_shuffle(a, b, 1, 3, 5, 7);
    wrong = wasm_v128_or(wrong, wasm_v128_xor(high, wasm_i32x4_shr(low, 31)));
    wrong = wasm_v128_or(wrong, wasm_i32x4_eq(low, wasm_i32x4_splat(-INT32_LIMIT - 1)));
    wasm_v128_store(y + i, low);
  }
  return !wasm_v128_any_true(wrong);
}
#endif

// Sum times row scale times token scale, int32 with `fraction_bits` fraction bits. |sum| < 2^40, block multipliers (sixteenths) included.
static inline void requantise16(const i64 *sums, const matrix *m, i32 row, scale s, i32 fraction_bits, i32 *y) {
  i32 shift = clamp_shift(m->exponent - 22 - s.exponent - fraction_bits);
#ifdef __wasm__
  if (m->columns <= NARROW_COLUMNS && requantise16_narrow(sums, m->multipliers + row, s.mantissa, shift, y)) return;
#endif
  for (i32 i = 0; i < 16; i++) y[i] = sat(rsh(rsh(rsh(sums[i], 4) * m->multipliers[row + i], 22) * s.mantissa, shift));
}
