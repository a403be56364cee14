// Vectors of int64 to b-bit integers and one scale (SPEC section 1), and RMSNorm fused with it (SPEC section 4).
#pragma once
#include "fixed.h"
#include "model.h"

// `q` gets n integers of at most 2^(bits-1) - 1; the scale is rounded up, so nothing clamps. |v| < 2^62, 8 <= bits <= 16.
static inline scale quantise(const i64 *v, i32 n, i32 bits, i16 *q) {
  i64 largest = 0;
  for (i32 i = 0; i < n; i++) {
    i64 a = magnitude(v[i]);
    if (a > largest) largest = a;
  }
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
  if (shift > 0) {
    for (i32 i = 0; i < n; i++) q[i] = (i16)rsh(rsh(v[i], shift) * reciprocal, 32);
  } else {
    i64 gain = (i64)1 << -shift;
    for (i32 i = 0; i < n; i++) q[i] = (i16)rsh(v[i] * gain * reciprocal, 32);
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
