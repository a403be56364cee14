// The helpers of ../fixed.h for eight values of 64 bits at once.
#pragma once
#include <immintrin.h>

#include "../fixed.h"

static inline __m512i all8(i64 x) { return _mm512_set1_epi64(x); }

static inline __m512i widen8(const i32 *values) { return _mm512_cvtepi32_epi64(_mm256_loadu_si256((const __m256i *)values)); }

// rsh
static inline __m512i rsh8(__m512i x, i32 s) { return _mm512_sra_epi64(_mm512_add_epi64(x, all8(((i64)1 << s) >> 1)), _mm_cvtsi32_si128(s)); }

static inline __m512i clamp8(__m512i x, i64 limit) { return _mm512_max_epi64(_mm512_min_epi64(x, all8(limit)), all8(-limit)); }

// sat
static inline __m256i sat8(__m512i x) { return _mm512_cvtepi64_epi32(clamp8(x, INT32_LIMIT)); }

// exp2n for d of 32 bits without a sign. g stays below 2^31, so its low halves are all of it. More than 31 whole steps give 0 without being asked for: the half that
// is added is larger than g, and both are shifted out.
static inline __m512i exp2n8(__m512i d, i32 fraction_bits) {
  __m512i f = _mm512_and_si512(d, all8(65535)), g = all8(-42019797);
  g = _mm512_add_epi64(all8(247557401), rsh8(_mm512_mul_epi32(g, f), 16));
  g = _mm512_add_epi64(all8(-742408516), rsh8(_mm512_mul_epi32(g, f), 16));
  g = _mm512_add_epi64(all8(1073741824), rsh8(_mm512_mul_epi32(g, f), 16));
  __m512i shift = _mm512_add_epi64(_mm512_srli_epi64(d, 16), all8(30 - fraction_bits));
  __m512i half = _mm512_srli_epi64(_mm512_sllv_epi64(all8(1), shift), 1);
  return _mm512_srlv_epi64(_mm512_add_epi64(g, half), shift);
}
