// Rotary position embedding of one head (SPEC section 7).
#pragma once
#include "fixed.h"
#ifdef __AVX512DQ__
#include "native/rope-avx512.h"
#else
static inline i32 rope_vectors(const i32 *head, const i16 *table, i32 size, i64 *out) { return (void)head, (void)table, (void)size, (void)out, 0; }
#endif

static inline void rope(const i32 *head, const i16 *table, i32 size, i64 *out) {
  for (i32 i = rope_vectors(head, table, size, out); i < size; i += 2) {
    i64 a = head[i], b = head[i + 1], c = table[i], s = table[i + 1];
    out[i] = sat(rsh(a * c - b * s, 15));
    out[i + 1] = sat(rsh(a * s + b * c, 15));
  }
}
