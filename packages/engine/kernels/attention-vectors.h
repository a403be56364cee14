// Attention over many positions with 128-bit vectors (SPEC sections 9 and 10).
#pragma once
#include "exp2n.h"
#include "fixed.h"
#include "model.h"

// Positions summed in int32 before they are added in int64: 32767 * 127 * 512 < 2^31.
#define VALUE_BLOCK 512

static inline v128_t dot_part(v128_t sum, const i8 *key, v128_t low, v128_t high) {
  sum = wasm_i32x4_add(sum, wasm_i32x4_dot_i16x8(wasm_i16x8_load8x8(key), low));
  return wasm_i32x4_add(sum, wasm_i32x4_dot_i16x8(wasm_i16x8_load8x8(key + 8), high));
}

// Dot products of the query with the keys of four positions: |each| < 2^28.
static inline v128_t dot_keys(const i16 *query, const i8 *const key[4], i32 stride) {
  v128_t a = wasm_i32x4_splat(0), b = a, c = a, d = a;
  for (i32 i = 0; i < stride; i += 16) {
    v128_t low = wasm_v128_load(query + i), high = wasm_v128_load(query + i + 8);
    a = dot_part(a, key[0] + i, low, high);
    b = dot_part(b, key[1] + i, low, high);
    c = dot_part(c, key[2] + i, low, high);
    d = dot_part(d, key[3] + i, low, high);
  }
  v128_t ab = wasm_i32x4_add(wasm_i32x4_shuffle(a, b, 0, 2, 4, 6), wasm_i32x4_shuffle(a, b, 1, 3, 5, 7));
  v128_t cd = wasm_i32x4_add(wasm_i32x4_shuffle(c, d, 0, 2, 4, 6), wasm_i32x4_shuffle(c, d, 1, 3, 5, 7));
  return wasm_i32x4_add(wasm_i32x4_shuffle(ab, cd, 0, 2, 4, 6), wasm_i32x4_shuffle(ab, cd, 1, 3, 5, 7));
}

static inline i32 score_of(i32 dot, u32 key_scale, i64 multiplier, i32 shift) {
  i64 score = rsh(rsh((i64)dot * key_scale, 16) * multiplier, shift);
  return score > SCORE_LIMIT ? SCORE_LIMIT : score < -SCORE_LIMIT ? -SCORE_LIMIT : (i32)score;
}

// y = scores of `positions` keys in log2 units, Q16, of a query of `stride` integers with zeros at its end. Returns the largest.
static inline i32 score_keys(const i16 *query, const kv_head *head, i32 positions, i32 stride, i64 multiplier, i32 shift, i32 *y) {
  i32 largest = -SCORE_LIMIT;
  for (i32 first = 0; first < positions; first += 4) {
    i32 count = positions - first < 4 ? positions - first : 4;
    const i8 *key[4];
    for (i32 i = 0; i < 4; i++) key[i] = head->keys + (usize)(first + (i < count ? i : 0)) * (usize)stride;
    i32 dots[4];
    wasm_v128_store(dots, dot_keys(query, key, stride));
    for (i32 i = 0; i < count; i++) {
      i32 score = y[first + i] = score_of(dots[i], head->key_scales[first + i], multiplier, shift);
      if (score > largest) largest = score;
    }
  }
  return largest;
}

// Unnormalised softmax weights, Q15, times the values' scales. Returns the sum of the weights.
static inline i64 weights(const i32 *scores, i32 largest, const u32 *value_scales, i32 positions, i64 *weighted) {
  i64 sum = 0;
  i32 j = 0;
#ifdef __wasm__
  v128_t sums = wasm_i64x2_splat(0), top = wasm_i32x4_splat(largest);
  for (; j + 4 <= positions; j += 4) {
    v128_t p = exp2n4(wasm_i32x4_sub(top, wasm_v128_load(scores + j)), 15), scales = wasm_v128_load(value_scales + j);
    sums = wasm_i64x2_add(sums, wasm_u64x2_extend_low_u32x4(p));
    sums = wasm_i64x2_add(sums, wasm_u64x2_extend_high_u32x4(p));
    wasm_v128_store(weighted + j, wasm_u64x2_extmul_low_u32x4(p, scales));
    wasm_v128_store(weighted + j + 2, wasm_u64x2_extmul_high_u32x4(p, scales));
  }
  sum = wasm_i64x2_extract_lane(sums, 0) + wasm_i64x2_extract_lane(sums, 1);
#endif
  for (; j < positions; j++) {
    i64 p = exp2n((u32)largest - (u32)scores[j], 15);
    sum += p;
    weighted[j] = p * value_scales[j];
  }
  return sum;
}

// Sums of 16 channels over one block of positions.
typedef struct {
  v128_t a, b, c, d;
} channels;

// Adds two positions' values (u, v), weighted by the two int16 of every lane of w.
static inline void weigh_two(channels *sum, v128_t u, v128_t v, v128_t w) {
  v128_t low = wasm_i8x16_shuffle(u, v, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  v128_t high = wasm_i8x16_shuffle(u, v, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
  sum->a = wasm_i32x4_add(sum->a, wasm_i32x4_dot_i16x8(wasm_i16x8_extend_low_i8x16(low), w));
  sum->b = wasm_i32x4_add(sum->b, wasm_i32x4_dot_i16x8(wasm_i16x8_extend_high_i8x16(low), w));
  sum->c = wasm_i32x4_add(sum->c, wasm_i32x4_dot_i16x8(wasm_i16x8_extend_low_i8x16(high), w));
  sum->d = wasm_i32x4_add(sum->d, wasm_i32x4_dot_i16x8(wasm_i16x8_extend_high_i8x16(high), w));
}

static inline void add_channels(v128_t *at, v128_t sum) {
  at[0] = wasm_i64x2_add(at[0], wasm_i64x2_extend_low_i32x4(sum));
  at[1] = wasm_i64x2_add(at[1], wasm_i64x2_extend_high_i32x4(sum));
}

// acc[c] = sum over positions of weight * value.
static inline void weigh_values(const i16 *weights, const i8 *values, i32 positions, i32 stride, i64 *acc) {
  v128_t zero = wasm_i64x2_splat(0);
  for (i32 c = 0; c < stride; c += 16) {
    v128_t *out = (v128_t *)(acc + c);
    for (i32 i = 0; i < 8; i++) out[i] = zero;
    for (i32 start = 0; start < positions; start += VALUE_BLOCK) {
      i32 end = positions - start < VALUE_BLOCK ? positions : start + VALUE_BLOCK, j = start;
      channels sum = {zero, zero, zero, zero};
      const i8 *value = values + (usize)start * (usize)stride + c;
      for (; j + 2 <= end; j += 2, value += 2 * stride) {
        weigh_two(&sum, wasm_v128_load(value), wasm_v128_load(value + stride), wasm_v128_load32_splat(weights + j));
      }
      if (j < end) weigh_two(&sum, wasm_v128_load(value), zero, wasm_i32x4_splat(weights[j]));
      add_channels(out, sum.a);
      add_channels(out + 2, sum.b);
      add_channels(out + 4, sum.c);
      add_channels(out + 6, sum.d);
    }
  }
}
