// Attention over many positions with AVX-512 VNNI (SPEC sections 9 and 10).
#pragma once
#include "../model.h"
#include "fixed-avx512.h"

// Positions summed in int32 before they are added in int64: 255 * 127 * 8192 < 2^31.
#define VALUE_BLOCK 8192

// What 32 columns of a key add to 16 partial sums of its dot product: |all| < 2^28.
static inline __m512i dot_part(__m512i sum, const i8 *key, const i16 *query) {
  return _mm512_dpwssd_epi32(sum, _mm512_cvtepi8_epi16(_mm256_loadu_si256((const __m256i *)key)), _mm512_loadu_si512(query));
}

// Sums of the lanes of 16 vectors, in order.
static inline __m512i add_across(__m512i v[16]) {
  for (i32 i = 0; i < 8; i++) v[i] = _mm512_add_epi32(_mm512_unpacklo_epi32(v[2 * i], v[2 * i + 1]), _mm512_unpackhi_epi32(v[2 * i], v[2 * i + 1]));
  for (i32 i = 0; i < 4; i++) v[i] = _mm512_add_epi32(_mm512_unpacklo_epi64(v[2 * i], v[2 * i + 1]), _mm512_unpackhi_epi64(v[2 * i], v[2 * i + 1]));
  // now every 128 bits of v[i] hold a part of each of the sums 4i .. 4i+3
  for (i32 i = 0; i < 2; i++) v[i] = _mm512_add_epi32(_mm512_shuffle_i32x4(v[2 * i], v[2 * i + 1], 0x88), _mm512_shuffle_i32x4(v[2 * i], v[2 * i + 1], 0xdd));
  return _mm512_add_epi32(_mm512_shuffle_i32x4(v[0], v[1], 0x88), _mm512_shuffle_i32x4(v[0], v[1], 0xdd));
}

// Dot products with 16 keys; behind `count` the last one again. A stride that is no multiple of 32 reads 16 bytes of what follows a key, which is another one or a value: the query is zero there.
static inline __m512i dot_keys(const i16 *query, const i8 *keys, i32 count, i32 stride) {
  __m512i sums[16];
#pragma GCC unroll 16
  for (i32 i = 0; i < 16; i++) {
    const i8 *key = keys + (usize)(i < count ? i : count - 1) * (usize)stride;
    sums[i] = dot_part(_mm512_setzero_si512(), key, query);
    for (i32 k = 32; k < stride; k += 32) sums[i] = dot_part(sums[i], key + k, query + k);
  }
  return add_across(sums);
}

// Eight scores of SPEC section 9: |dots * key scales| < 2^60, |t * multiplier| < 2^61.
static inline __m512i eight_scores(__m256i dots, __m256i key_scales, i64 multiplier, i32 shift) {
  __m512i t = rsh8(_mm512_mullo_epi64(_mm512_cvtepi32_epi64(dots), _mm512_cvtepu32_epi64(key_scales)), 16);
  return clamp8(rsh8(_mm512_mullo_epi64(t, all8(multiplier)), shift), SCORE_LIMIT);
}

// y = scores of `positions` keys in log2 units, Q16, of a query of `stride` integers with zeros at its end. Returns the largest.
static inline i32 score_keys(const i16 *query, const kv_head *head, i32 positions, i32 stride, i64 multiplier, i32 shift, i32 *y) {
  __m512i largest = _mm512_set1_epi32(-SCORE_LIMIT);
  for (i32 first = 0; first < positions; first += 16) {
    i32 count = positions - first < 16 ? positions - first : 16;
    __mmask16 some = (__mmask16)(0xffff >> (16 - count));
    __m512i dots = dot_keys(query, head->keys + (usize)first * (usize)stride, count, stride), scales = _mm512_maskz_loadu_epi32(some, head->key_scales + first);
    __m512i low = eight_scores(_mm512_castsi512_si256(dots), _mm512_castsi512_si256(scales), multiplier, shift);
    __m512i high = eight_scores(_mm512_extracti64x4_epi64(dots, 1), _mm512_extracti64x4_epi64(scales, 1), multiplier, shift);
    __m512i all = _mm512_inserti64x4(_mm512_castsi256_si512(_mm512_cvtepi64_epi32(low)), _mm512_cvtepi64_epi32(high), 1);
    _mm512_mask_storeu_epi32(y + first, some, all);
    largest = _mm512_mask_max_epi32(largest, some, largest, all);
  }
  return _mm512_reduce_max_epi32(largest);
}

// Unnormalised softmax weights, Q15, times the values' scales (2^15 * 2^32). Returns the sum of the weights.
static inline i64 weights(const i32 *scores, i32 largest, const u32 *value_scales, i32 positions, i64 *weighted) {
  __m512i sum = _mm512_setzero_si512();
  for (i32 j = 0; j < positions; j += 8) {
    __mmask8 some = (__mmask8)(positions - j < 8 ? 0xff >> (8 - (positions - j)) : 0xff);
    __m256i d = _mm256_sub_epi32(_mm256_set1_epi32(largest), _mm256_maskz_loadu_epi32(some, scores + j));
    __m512i p = _mm512_maskz_mov_epi64(some, exp2n8(_mm512_cvtepu32_epi64(d), 15));
    sum = _mm512_add_epi64(sum, p);
    _mm512_mask_storeu_epi64(weighted + j, some, _mm512_mul_epu32(p, _mm512_cvtepu32_epi64(_mm256_maskz_loadu_epi32(some, value_scales + j))));
  }
  return _mm512_reduce_add_epi64(sum);
}

// A weight p, 0 <= p <= 32767, in two unsigned bytes: p = 128 high + low. Behind `positions` zeros, up to a multiple of 32.
static inline void cut_weights(const i16 *weights, i32 positions, uint8_t *low, uint8_t *high) {
  for (i32 j = 0; j < positions; j += 32) {
    __mmask32 some = positions - j < 32 ? ((__mmask32)1 << (positions - j)) - 1 : 0xffffffff;
    __m512i p = _mm512_maskz_loadu_epi16(some, weights + j);
    _mm256_storeu_si256((__m256i *)(low + j), _mm512_cvtepi16_epi8(_mm512_and_si512(p, _mm512_set1_epi16(127))));
    _mm256_storeu_si256((__m256i *)(high + j), _mm512_cvtepi16_epi8(_mm512_srli_epi16(p, 7)));
  }
}

static inline __m512i four_weights(const uint8_t *at) {
  i32 four;
  memcpy(&four, at, 4);
  return _mm512_set1_epi32(four);
}

// Four channels of the `quarter`-th 16 of 64: low + 128 high added to acc.
static inline __attribute__((always_inline)) void add_fours(__m512i low, __m512i high, const i32 quarter, __mmask64 some, i64 *acc) {
  if (!(some >> (16 * quarter) & 1)) return;
  __m256i l = _mm256_cvtepi32_epi64(_mm512_extracti32x4_epi32(low, quarter)), h = _mm256_cvtepi32_epi64(_mm512_extracti32x4_epi32(high, quarter));
  __m256i *at = (__m256i *)(acc + 16 * quarter);
  _mm256_storeu_si256(at, _mm256_add_epi64(_mm256_loadu_si256(at), _mm256_add_epi64(l, _mm256_slli_epi64(h, 7))));
}

// acc[0..64) += weights times up to 64 channels (`some`) of `positions` <= VALUE_BLOCK values. Bytes of four positions are brought side by side: unpacking within 128 bits
// leaves four channels of every 16 in one vector.
static inline void weigh_channels(const uint8_t *low, const uint8_t *high, const i8 *values, i32 positions, i32 stride, __mmask64 some, i64 *acc) {
  __m512i zero = _mm512_setzero_si512(), l[4] = {zero, zero, zero, zero}, h[4] = {zero, zero, zero, zero};
  for (i32 j = 0; j < positions; j += 4) {
    __m512i v[4];
    for (i32 i = 0; i < 4; i++) v[i] = _mm512_maskz_loadu_epi8(some, values + (usize)(j + i < positions ? j + i : j) * (usize)stride);
    __m512i a = _mm512_unpacklo_epi8(v[0], v[1]), b = _mm512_unpackhi_epi8(v[0], v[1]), c = _mm512_unpacklo_epi8(v[2], v[3]), d = _mm512_unpackhi_epi8(v[2], v[3]);
    __m512i four[4] = {_mm512_unpacklo_epi16(a, c), _mm512_unpackhi_epi16(a, c), _mm512_unpacklo_epi16(b, d), _mm512_unpackhi_epi16(b, d)};
    __m512i p = four_weights(low + j), q = four_weights(high + j);
    for (i32 i = 0; i < 4; i++) {
      l[i] = _mm512_dpbusd_epi32(l[i], p, four[i]);
      h[i] = _mm512_dpbusd_epi32(h[i], q, four[i]);
    }
  }
  for (i32 i = 0; i < 4; i++) {
    add_fours(l[i], h[i], 0, some, acc + 4 * i);
    add_fours(l[i], h[i], 1, some, acc + 4 * i);
    add_fours(l[i], h[i], 2, some, acc + 4 * i);
    add_fours(l[i], h[i], 3, some, acc + 4 * i);
  }
}

// acc[c] = sum over positions of weight * value.
static inline void weigh_values(const i16 *weights, const i8 *values, i32 positions, i32 stride, i64 *acc) {
  uint8_t low[VALUE_BLOCK], high[VALUE_BLOCK];
  for (i32 c = 0; c < stride; c++) acc[c] = 0;
  for (i32 start = 0; start < positions; start += VALUE_BLOCK) {
    i32 count = positions - start < VALUE_BLOCK ? positions - start : VALUE_BLOCK;
    cut_weights(weights + start, count, low, high);
    for (i32 c = 0; c < stride; c += 64) {
      __mmask64 some = stride - c < 64 ? ((__mmask64)1 << (stride - c)) - 1 : ~(__mmask64)0;
      weigh_channels(low, high, values + (usize)start * (usize)stride + c, count, stride, some, acc + c);
    }
  }
}
