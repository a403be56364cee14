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
  u32 row = (u32)position * (u32)head_stride(size);
  rope(key, table, size, wide);
  head->key_scales[position] = cache_entry(wide, size, head->keys + row);
  for (i32 i = 0; i < size; i++) wide[i] = value[i];
  head->value_scales[position] = cache_entry(wide, size, head->values + row);
}

static inline i32 dot_key(const i16 *query, const i8 *key, i32 stride) {
  v128_t a = wasm_i32x4_splat(0), b = a;
  for (i32 i = 0; i < stride; i += 16) {
    a = wasm_i32x4_add(a, wasm_i32x4_dot_i16x8(wasm_i16x8_load8x8(key + i), wasm_v128_load(query + i)));
    b = wasm_i32x4_add(b, wasm_i32x4_dot_i16x8(wasm_i16x8_load8x8(key + i + 8), wasm_v128_load(query + i + 8)));
  }
  a = wasm_i32x4_add(a, b);
  a = wasm_i32x4_add(a, wasm_i32x4_shuffle(a, a, 2, 3, 0, 1));
  a = wasm_i32x4_add(a, wasm_i32x4_shuffle(a, a, 1, 0, 3, 2));
  return wasm_i32x4_extract_lane(a, 0);
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
  const i8 *key = head->keys;
  for (i32 j = 0; j < positions; j++, key += stride) {
    i64 t = rsh((i64)dot_key(query, key, stride) * head->key_scales[j], 16);
    i64 score = rsh(t * multiplier, shift);
    y[j] = score > SCORE_LIMIT ? SCORE_LIMIT : score < -SCORE_LIMIT ? -SCORE_LIMIT : (i32)score;
    if (y[j] > largest) largest = y[j];
  }
  return largest;
}

// acc[c] = sum over positions of weight * value, 8 channels at a time.
static inline void weigh_values(const i16 *weights, const i8 *values, i32 positions, i32 stride, i64 *acc) {
  for (i32 c = 0; c < stride; c += 8) {
    v128_t *out = (v128_t *)(acc + c);
    out[0] = out[1] = out[2] = out[3] = wasm_i64x2_splat(0);
    for (i32 start = 0; start < positions; start += VALUE_BLOCK) {
      i32 end = positions - start < VALUE_BLOCK ? positions : start + VALUE_BLOCK;
      v128_t low = wasm_i32x4_splat(0), high = low;
      const i8 *value = values + (u32)start * (u32)stride + c;
      for (i32 j = start; j < end; j++, value += stride) {
        v128_t w = wasm_v128_load16_splat(weights + j), v = wasm_i16x8_load8x8(value);
        low = wasm_i32x4_add(low, wasm_i32x4_extmul_low_i16x8(v, w));
        high = wasm_i32x4_add(high, wasm_i32x4_extmul_high_i16x8(v, w));
      }
      out[0] = wasm_i64x2_add(out[0], wasm_i64x2_extend_low_i32x4(low));
      out[1] = wasm_i64x2_add(out[1], wasm_i64x2_extend_high_i32x4(low));
      out[2] = wasm_i64x2_add(out[2], wasm_i64x2_extend_low_i32x4(high));
      out[3] = wasm_i64x2_add(out[3], wasm_i64x2_extend_high_i32x4(high));
    }
  }
}

// One query head (after RoPE) over positions 0 .. positions-1; out: `head_size` integers, Q24.
static inline void attend(const i64 *q, const kv_head *head, i32 positions, const model *m, i64 *out) {
  const workspace *w = &m->w;
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
