// The handful of 128-bit operations that the kernels use, for compilers of real machines: vector extensions of gcc and clang, no ISA named except where it pays.
#pragma once
#include <stdint.h>
#include <string.h>

typedef int32_t v128_t __attribute__((vector_size(16), aligned(8)));
typedef int8_t simd_i8x8 __attribute__((vector_size(8)));
typedef uint8_t simd_u8x8 __attribute__((vector_size(8)));
typedef uint16_t simd_u16x4 __attribute__((vector_size(8)));
typedef int8_t simd_i8x16 __attribute__((vector_size(16)));
typedef int16_t simd_i16x8 __attribute__((vector_size(16)));
typedef int32_t simd_i32x2 __attribute__((vector_size(8)));
typedef int64_t simd_i64x2 __attribute__((vector_size(16)));

#if defined(__clang__) || __GNUC__ >= 12
#define SIMD_SHUFFLE(type, mask, a, b, ...) ((v128_t)__builtin_shufflevector((type)(a), (type)(b), __VA_ARGS__))
#else
#define SIMD_SHUFFLE(type, mask, a, b, ...) ((v128_t)__builtin_shuffle((type)(a), (type)(b), (mask){__VA_ARGS__}))
#endif
#define wasm_i32x4_shuffle(a, b, ...) SIMD_SHUFFLE(v128_t, v128_t, a, b, __VA_ARGS__)
#define wasm_i8x16_shuffle(a, b, ...) SIMD_SHUFFLE(simd_i8x16, simd_i8x16, a, b, __VA_ARGS__)
#define wasm_i64x2_shuffle(a, b, ...) SIMD_SHUFFLE(simd_i64x2, simd_i64x2, a, b, __VA_ARGS__)

static inline v128_t wasm_v128_load(const void *from) {
  v128_t v;
  memcpy(&v, from, 16);
  return v;
}

static inline void wasm_v128_store(void *to, v128_t v) { memcpy(to, &v, 16); }

static inline v128_t wasm_i32x4_splat(int32_t x) { return (v128_t){x, x, x, x}; }

static inline v128_t wasm_i16x8_splat(int16_t x) { return (v128_t)(simd_i16x8){x, x, x, x, x, x, x, x}; }

static inline v128_t wasm_i64x2_splat(int64_t x) { return (v128_t)(simd_i64x2){x, x}; }

static inline v128_t wasm_v128_load32_splat(const void *from) {
  int32_t x;
  memcpy(&x, from, 4);
  return wasm_i32x4_splat(x);
}

static inline v128_t wasm_v128_load64_splat(const void *from) {
  int64_t x;
  memcpy(&x, from, 8);
  return wasm_i64x2_splat(x);
}

static inline v128_t simd_widen8(simd_i8x8 v) { return (v128_t) __builtin_convertvector(v, simd_i16x8); }

static inline v128_t wasm_i16x8_load8x8(const void *from) {
  simd_i8x8 v;
  memcpy(&v, from, 8);
  return simd_widen8(v);
}

static inline v128_t wasm_i16x8_extend_low_i8x16(v128_t v) {
  simd_i8x8 half;
  memcpy(&half, &v, 8);
  return simd_widen8(half);
}

static inline v128_t wasm_i16x8_extend_high_i8x16(v128_t v) {
  simd_i8x8 half;
  memcpy(&half, (const char *)&v + 8, 8);
  return simd_widen8(half);
}

static inline v128_t wasm_u16x8_load8x8(const void *from) {
  simd_u8x8 v;
  memcpy(&v, from, 8);
  return (v128_t) __builtin_convertvector(v, simd_i16x8);
}

static inline v128_t wasm_u32x4_extend_low_u16x8(v128_t v) {
  simd_u16x4 half;
  memcpy(&half, &v, 8);
  return __builtin_convertvector(half, v128_t);
}

static inline v128_t wasm_u32x4_extend_high_u16x8(v128_t v) {
  simd_u16x4 half;
  memcpy(&half, (const char *)&v + 8, 8);
  return __builtin_convertvector(half, v128_t);
}

static inline v128_t wasm_i64x2_extend_low_i32x4(v128_t v) {
  return (v128_t) __builtin_convertvector(((simd_i32x2){v[0], v[1]}), simd_i64x2);
}

static inline v128_t wasm_i64x2_extend_high_i32x4(v128_t v) {
  return (v128_t) __builtin_convertvector(((simd_i32x2){v[2], v[3]}), simd_i64x2);
}

static inline v128_t wasm_i32x4_add(v128_t a, v128_t b) { return a + b; }

static inline v128_t wasm_i32x4_mul(v128_t a, v128_t b) { return a * b; }

static inline v128_t wasm_i16x8_mul(v128_t a, v128_t b) { return (v128_t)((simd_i16x8)a * (simd_i16x8)b); }

static inline v128_t wasm_i64x2_add(v128_t a, v128_t b) { return (v128_t)((simd_i64x2)a + (simd_i64x2)b); }

// a[2i] * b[2i] + a[2i+1] * b[2i+1]
#ifdef __SSE2__
#include <emmintrin.h>
static inline v128_t wasm_i32x4_dot_i16x8(v128_t a, v128_t b) { return (v128_t)_mm_madd_epi16((__m128i)a, (__m128i)b); }
#else
static inline v128_t wasm_i32x4_dot_i16x8(v128_t a, v128_t b) {
  simd_i16x8 u = (simd_i16x8)a, v = (simd_i16x8)b;
  v128_t sum;
  for (int i = 0; i < 4; i++) sum[i] = (int32_t)u[2 * i] * v[2 * i] + (int32_t)u[2 * i + 1] * v[2 * i + 1];
  return sum;
}
#endif
