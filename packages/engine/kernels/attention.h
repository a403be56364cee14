// RoPE, the KV cache and attention of one head (SPEC sections 7 to 10).
#pragma once
#include "fixed.h"
#include "model.h"
#include "quantise.h"

#define SCORE_LIMIT (1 << 30)
#define HEAD_SIZE_LIMIT 256
// Positions summed in int32 before they are added in int64: 32767 * 127 * 512 < 2^31.
#define VALUE_BLOCK 512

static inline void rope(const i32 *head, const i16 *table, i32 size, i64 *out) {
  for (i32 i = 0; i < size; i += 2) {
    i64 a = head[i], b = head[i + 1], c = table[i], s = table[i + 1];
    out[i] = sat(rsh(a * c - b * s, 15));
    out[i + 1] = sat(rsh(a * s + b * c, 15));
  }
}

// int8 and S = mantissa * 2^(exponent + 7). `row` has head_stride(size) bytes.
static inline u32 cache_entry(const i64 *vector, i32 size, i8 *row) {
  i16 q[HEAD_SIZE_LIMIT];
  scale s = quantise(vector, size, 8, q);
  for (i32 i = 0; i < size; i++) row[i] = (i8)q[i];
  for (i32 i = size; i < head_stride(size); i++) row[i] = 0;
  return (u32)s.mantissa << (s.exponent + 7);
}

static inline void store_key_value(const kv_head *head, i32 position, const i32 *key, const i32 *value, const i16 *table, i32 size) {
  i64 wide[HEAD_SIZE_LIMIT];
  usize row = (usize)position * (usize)head_stride(size);
  rope(key, table, size, wide);
  head->key_scales[position] = cache_entry(wide, size, head->keys + row);
  for (i32 i = 0; i < size; i++) wide[i] = value[i];
  head->value_scales[position] = cache_entry(wide, size, head->values + row);
}

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

// Scores in log2 units, Q16. Returns the largest.
static inline i32 scores(const i64 *q, const kv_head *head, i32 positions, const model *m, i32 *y) {
  i16 query[HEAD_SIZE_LIMIT];
  i32 size = m->head_size, stride = head_stride(size);
  scale s = quantise(q, size, 14, query);
  for (i32 i = size; i < stride; i++) query[i] = 0;
  i64 multiplier = rsh((i64)s.mantissa * m->attention_mantissa, 16);
  i32 shift = clamp_shift(16 + 7 - (s.exponent + m->attention_exponent) - 16);
  i32 largest = -SCORE_LIMIT;
  for (i32 first = 0; first < positions; first += 4) {
    i32 count = positions - first < 4 ? positions - first : 4;
    const i8 *key[4];
    for (i32 i = 0; i < 4; i++) key[i] = head->keys + (usize)(first + (i < count ? i : 0)) * (usize)stride;
    i32 dots[4];
    wasm_v128_store(dots, dot_keys(query, key, stride));
    for (i32 i = 0; i < count; i++) {
      i64 t = rsh((i64)dots[i] * head->key_scales[first + i], 16);
      i64 score = rsh(t * multiplier, shift);
      i32 clamped = score > SCORE_LIMIT ? SCORE_LIMIT : score < -SCORE_LIMIT ? -SCORE_LIMIT : (i32)score;
      y[first + i] = clamped;
      if (clamped > largest) largest = clamped;
    }
  }
  return largest;
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

// One query head (after RoPE) over positions 0 .. positions-1; out: `head_size` integers, Q24.
static inline void attend(const i64 *q, const kv_head *head, i32 positions, const model *m, const scratch *w, i64 *out) {
  i32 largest = scores(q, head, positions, m, w->scores);
  i64 sum = 0;
  for (i32 j = 0; j < positions; j++) {
    i64 p = exp2n((u32)largest - (u32)w->scores[j], 15);
    sum += p;
    w->weighted[j] = p * head->value_scales[j];
  }
  scale s = sdiv(quantise(w->weighted, positions, 16, w->probability), (u64)sum);
  i32 shift = clamp_shift(-s.exponent + 16 + 7 - 24);
  i64 acc[HEAD_SIZE_LIMIT] __attribute__((aligned(16)));
  weigh_values(w->probability, head->values, positions, head_stride(m->head_size), acc);
  for (i32 i = 0; i < m->head_size; i++) out[i] = rsh(acc[i] * s.mantissa, shift);
}
