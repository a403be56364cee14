// RoPE of eight pairs at once; included by ../rope.h.
#pragma once
#include "fixed-avx512.h"

// Of every 64 bits the low half is the first of a pair. |a c| + |b s| < 2^47. Returns how many it has done.
static inline i32 rope_vectors(const i32 *head, const i16 *table, i32 size, i64 *out) {
  const __m512i low = _mm512_setr_epi64(0, 8, 1, 9, 2, 10, 3, 11), high = _mm512_setr_epi64(4, 12, 5, 13, 6, 14, 7, 15);
  i32 i = 0;
  for (; i + 16 <= size; i += 16) {
    __m512i a = _mm512_loadu_si512(head + i), c = _mm512_cvtepi16_epi32(_mm256_loadu_si256((const __m256i *)(table + i)));
    __m512i b = _mm512_srli_epi64(a, 32), s = _mm512_srli_epi64(c, 32);
    __m512i first = clamp8(rsh8(_mm512_sub_epi64(_mm512_mul_epi32(a, c), _mm512_mul_epi32(b, s)), 15), INT32_LIMIT);
    __m512i second = clamp8(rsh8(_mm512_add_epi64(_mm512_mul_epi32(a, s), _mm512_mul_epi32(b, c)), 15), INT32_LIMIT);
    _mm512_storeu_si512(out + i, _mm512_permutex2var_epi64(first, low, second));
    _mm512_storeu_si512(out + i + 8, _mm512_permutex2var_epi64(first, high, second));
  }
  return i;
}
