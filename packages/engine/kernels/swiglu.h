// SwiGLU (SPEC section 11).
#pragma once
#include "exp2n.h"
#include "fixed.h"

// log2(e) in Q16
#define LOG2_E 94548

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
