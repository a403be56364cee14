// Vectors of int64 to b-bit integers and one scale (SPEC section 1), and RMSNorm fused with it (SPEC section 4).
#pragma once
#include "fixed.h"
#include "model.h"

#ifdef __wasm__
static inline v128_t larger(v128_t a, v128_t b) { return wasm_v128_bitselect(a, b, wasm_i64x2_gt(a, b)); }

static inline i64 largest_of(const i64 *v, i32 n) {
  v128_t a = wasm_i64x2_splat(0), b = a;
  i32 i = 0;
  for (; i + 4 <= n; i += 4) {
    a = larger(a, wasm_i64x2_abs(wasm_v128_load(v + i)));
    b = larger(b, wasm_i64x2_abs(wasm_v128_load(v + i + 2)));
  }
  a = larger(a, b);
  i64 largest = wasm_i64x2_extract_lane(a, 0), other = wasm_i64x2_extract_lane(a, 1);
  if (other > largest) largest = other;
  for (; i < n; i++) {
    i64 m = magnitude(v[i]);
    if (m > largest) largest = m;
  }
  return largest;
}

// Four values with 24 bits left: their low halves are all of them, for shifts up to 32.
static inline v128_t four_normalised(const i64 *v, i32 shift, v128_t half) {
  v128_t a = wasm_v128_load(v), b = wasm_v128_load(v + 2);
  if (shift > 0) a = wasm_u64x2_shr(wasm_i64x2_add(a, half), (u32)shift), b = wasm_u64x2_shr(wasm_i64x2_add(b, half), (u32)shift);
  else a = wasm_i64x2_shl(a, (u32)-shift), b = wasm_i64x2_shl(b, (u32)-shift);
  return wasm_i32x4_shuffle(a, b, 0, 2, 4, 6);
}

// rsh(value * reciprocal, 32): the high halves of the rounded products.
static inline v128_t four_products(v128_t values, v128_t reciprocal) {
  v128_t half = wasm_i64x2_splat((i64)1 << 31);
  v128_t a = wasm_i64x2_add(wasm_i64x2_extmul_low_i32x4(values, reciprocal), half), b = wasm_i64x2_add(wasm_i64x2_extmul_high_i32x4(values, reciprocal), half);
  return wasm_i32x4_shuffle(a, b, 1, 3, 5, 7);
}

// The loops of `quantise` eight at a time. Returns how many it has done.
static inline i32 quantise_eights(const i64 *v, i32 n, i32 shift, i32 reciprocal, i16 *q) {
  v128_t half = wasm_i64x2_splat(shift > 0 ? (i64)1 << (shift - 1) : 0), r = wasm_i32x4_splat(reciprocal);
  i32 i = 0;
  for (; i + 8 <= n; i += 8) {
    USED_HERE(shift);
    USED_HERE(r);
    v128_t a = four_products(four_normalised(v + i, shift, half), r), b = four_products(four_normalised(v + i + 4, shift, half), r);
    wasm_v128_store(q + i, wasm_i16x8_narrow_i32x4(a, b));
  }
  return i;
}
#else
static inline i64 largest_of(const i64 *v, i32 n) {
  i64 largest = 0;
  for (i32 i = 0; i < n; i++) {
    i64 a = magnitude(v[i]);
    if (a > largest) largest = a;
  }
  return largest;
}
#endif

// `q` gets n integers of at most 2^(bits-1) - 1; the scale is rounded up, so nothing clamps. |v| < 2^62, 8 <= bits <= 16.
static inline scale quantise(const i64 *v, i32 n, i32 bits, i16 *q) {
  i64 largest = largest_of(v, n);
  if (largest == 0) {
    for (i32 i = 0; i < n; i++) q[i] = 0;
    return (scale){0, 0};
  }
  i32 shift = bit_length((u64)largest) - 24;
  if (shift < -8) shift = -8;
  i64 p = (i64)1 << (bits - 1), d = (p - 1) << 8;
  i64 norm = shift > 0 ? rsh(largest, shift) : largest << -shift;
  i64 mantissa = (norm * p + d - 1) / d;
  i64 reciprocal = ((i64)1 << (bits + 23)) / mantissa;
  i32 i = 0;
#ifdef __wasm__
  if (shift <= 32 && reciprocal <= INT32_LIMIT) i = quantise_eights(v, n, shift, (i32)reciprocal, q);
#endif
  if (shift > 0) {
    for (; i < n; i++) q[i] = (i16)rsh(rsh(v[i], shift) * reciprocal, 32);
  } else {
    i64 gain = (i64)1 << -shift;
    for (; i < n; i++) q[i] = (i16)rsh(v[i] * gain * reciprocal, 32);
  }
  return (scale){(i32)mantissa, shift + 8 - (bits - 1)};
}

// floor(V * 2^-shift) in [2^50, 2^52) for V = epsilon + sum x^2 < 2^80, shift even. x = 2^15 a + c keeps each partial sum below 2^53.
static inline u64 normalised_squares(const i32 *x, i32 n, u64 epsilon, i32 *shift) {
  i64 aa = 0, ac = 0, cc = 0;
  for (i32 i = 0; i < n; i++) {
    i64 a = x[i] >> 15, c = x[i] & 32767;
    aa += a * a;
    ac += a * c;
    cc += c * c;
  }
  u64 low = (u64)aa << 30, high = (u64)aa >> 34;
  u64 middle = (u64)ac << 16;
  high += (ac < 0 ? ~(u64)0 : 0) + (low + middle < low);
  low += middle;
  u64 last = (u64)cc + epsilon;
  high += low + last < low;
  low += last;
  i32 s = (high ? 64 + bit_length(high) : bit_length(low)) - 52;
  if (s & 1) s++;
  *shift = s;
  if (s <= 0) return low << -s;
  return (low >> s) | (high << (64 - s));
}

// x: int32 Q12. `wide` is scratch for n int64. |x * w| <= 2^52.
static inline scale rms_norm_quantise(const i32 *x, i32 n, const norm *w, u64 epsilon, i32 bits, i64 *wide, i16 *q) {
  i32 shift;
  u64 squares = normalised_squares(x, n, epsilon, &shift);
  u64 root = isqrt(squares / (u64)n);
  for (i32 i = 0; i < n; i++) wide[i] = (i64)x[i] * w->weights[i];
  scale s = sdiv(quantise(wide, n, bits, q), root);
  s.exponent -= w->exponent + shift / 2;
  return s;
}
