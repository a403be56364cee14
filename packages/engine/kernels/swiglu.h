// SwiGLU (SPEC section 11).
//
// No processor divides vectors of 64-bit integers, and one such division takes some ten cycles. Vectors use a reciprocal: with x = D / 2^25, 1/2 <= x <= 1,
// (420 - 576 x + 256 x^2) / 99 is off from 1/x by at most 1/99 of it; a step of Newton's iteration in 16 bits and one in 32 bits leave 2^-23. Less a little for all
// roundings it is never too large, so the quotient is right or one too small, which the remainder tells. A test tries every D that occurs.
#pragma once
#include "exp2n.h"
#include "fixed.h"

// log2(e) in Q16
#define LOG2_E 94548
// Q14
#define RECIPROCAL_0 69507
#define RECIPROCAL_1 95325
#define RECIPROCAL_2 42366
// Q29
#define RECIPROCAL_SLACK 4

// g * sigmoid(g), int32 Q16 in and out.
static inline i64 silu(i64 gate) {
  u64 d = (u64)rsh(magnitude(gate) * LOG2_E, 16);
  u64 e = (u64)exp2n(d > INT32_LIMIT ? INT32_LIMIT : (u32)d, 24), one = 1 << 24;
  u64 sigmoid = ((gate >= 0 ? one : e) << 20) / (one + e);
  return rsh(gate * (i64)sigmoid, 20);
}

#if defined(__AVX512DQ__)
#include "native/swiglu-avx512.h"
#elif defined(__wasm__)
#include "swiglu-vectors.h"
#else
static inline i32 swiglu_vectors(const i32 *gate, const i32 *up, i32 n, i64 *z) { return (void)gate, (void)up, (void)n, (void)z, 0; }
#endif

// silu(gate) * up, Q32, below 2^62.
static inline void swiglu(const i32 *gate, const i32 *up, i32 n, i64 *z) {
  for (i32 i = swiglu_vectors(gate, up, n, z); i < n; i++) z[i] = silu(gate[i]) * up[i];
}
