// Types and the few helpers that everything is built from (SPEC section 1). All values are integers; no floating point in any file of this folder.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __wasm__
#include <wasm_simd128.h>
#define EXPORT(name) __attribute__((export_name(#name))) name
#else
#include "native/simd128.h"
// Every instruction set has its own copy of all kernels: LEVEL names it.
#define JOIN_NAMES(name, level) name##_##level
#define LEVEL_NAME(name, level) JOIN_NAMES(name, level)
#define EXPORT(name) LEVEL_NAME(name, LEVEL)
#endif

typedef int8_t i8;
typedef int16_t i16;
typedef int32_t i32;
typedef int64_t i64;
typedef uint32_t u32;
typedef uint64_t u64;
typedef size_t usize; // bytes and places in memory: 32 bits in WASM, 64 in the addon

#ifdef __wasm__
// Makes a value new at this place: of a vector made outside of a loop the compiler sees neither that it shifts all lanes alike nor that a product widens, and takes both apart.
#define USED_HERE(value) __asm__ volatile("" : "+r"(value))
#endif

// value = integer * mantissa * 2^exponent
typedef struct {
  i32 mantissa, exponent;
} scale;

#define INT32_LIMIT 2147483647

// floor((x + 2^(s-1)) / 2^s), x for s = 0: the only rounding of signed values. |x| <= 2^62, 0 <= s <= 62.
static inline i64 rsh(i64 x, i32 s) { return (x + (((i64)1 << s) >> 1)) >> s; }

static inline i32 sat(i64 x) { return x > INT32_LIMIT ? INT32_LIMIT : x < -INT32_LIMIT ? -INT32_LIMIT : (i32)x; }

static inline i32 clamp_shift(i32 s) { return s < 0 ? 0 : s > 62 ? 62 : s; }

static inline i32 bit_length(u64 x) { return x ? 64 - __builtin_clzll(x) : 0; }

static inline i64 magnitude(i64 x) { return x < 0 ? -x : x; }

static inline i32 pad_to(i32 value, i32 multiple) { return (value + multiple - 1) / multiple * multiple; }

// The scale divided by an integer 1 <= denominator < 2^62.
static inline scale sdiv(scale s, u64 denominator) {
  i32 bits = bit_length(denominator);
  u64 normalised = bits <= 32 ? denominator << (32 - bits) : denominator >> (bits - 32);
  return (scale){(i32)(((u64)(u32)s.mantissa << 32) / normalised), s.exponent - bits};
}

// The r with r^2 <= n < (r+1)^2, by Newton's iteration from above.
static inline u64 isqrt(u64 n) {
  if (n == 0) return 0;
  u64 root = (u64)1 << ((bit_length(n) + 1) / 2);
  for (;;) {
    u64 next = (root + n / root) >> 1;
    if (next >= root) return root;
    root = next;
  }
}
