// SwiGLU of eight values at once; included by ../swiglu.h.
//
// No processor divides vectors of 64-bit integers. A reciprocal does it: with x = D / 2^25, 1/2 <= x <= 1, (420 - 576 x + 256 x^2) / 99 is off from 1/x by at most
// 1/99 of it; a step of Newton's iteration in 16 bits and one in 32 bits leave 2^-23. Less a little for all roundings it is never too large, so the quotient is right or
// one too small, which the remainder tells. A test tries every D that occurs.
#pragma once
#include "fixed-avx512.h"

// Q14
#define RECIPROCAL_0 69507
#define RECIPROCAL_1 95325
#define RECIPROCAL_2 42366
// Q29
#define RECIPROCAL_SLACK 4

// a * b >> shift, for numbers below 2^32
static inline __m512i multiply8(__m512i a, __m512i b, u32 shift) { return _mm512_srli_epi64(_mm512_mul_epu32(a, b), shift); }

// floor(n * 2^20 / d) for n <= 2^24 <= d <= 2^25
static inline __m512i divide8(__m512i n, __m512i d) {
  __m512i x = _mm512_srli_epi64(d, 10); // Q15
  __m512i y = _mm512_sub_epi64(all8(RECIPROCAL_0), multiply8(x, _mm512_sub_epi64(all8(RECIPROCAL_1), multiply8(x, all8(RECIPROCAL_2), 15)), 15)); // Q14
  __m512i error = _mm512_sub_epi64(all8(1 << 30), multiply8(x, y, 0));
  y = multiply8(y, _mm512_srli_epi64(error, 14), 0); // Q29
  error = _mm512_sub_epi64(all8(1 << 30), multiply8(d, y, 25));
  y = _mm512_sub_epi64(multiply8(y, error, 29), all8(RECIPROCAL_SLACK));
  __m512i q = multiply8(n, y, 34);
  __m512i rest = _mm512_sub_epi64(_mm512_slli_epi64(n, 20), multiply8(q, d, 0));
  return _mm512_mask_add_epi64(q, _mm512_cmpge_epi64_mask(rest, d), q, all8(1));
}

static inline __m512i silu8(__m512i gate) {
  __m512i d = rsh8(_mm512_mul_epu32(_mm512_abs_epi64(gate), all8(LOG2_E)), 16);
  __m512i one = all8(1 << 24), e = exp2n8(_mm512_min_epi64(d, all8(INT32_LIMIT)), 24);
  __m512i n = _mm512_mask_mov_epi64(one, _mm512_movepi64_mask(gate), e);
  return rsh8(_mm512_mul_epi32(gate, divide8(n, _mm512_add_epi64(one, e))), 20);
}

// Returns how many it has done.
static inline i32 swiglu_vectors(const i32 *gate, const i32 *up, i32 n, i64 *z) {
  i32 i = 0;
  for (; i + 8 <= n; i += 8) _mm512_storeu_si512(z + i, _mm512_mul_epi32(silu8(widen8(gate + i)), widen8(up + i)));
  return i;
}
