// The KV cache and attention of one head (SPEC sections 8 to 10).
#pragma once
#include "fixed.h"
#include "model.h"
#include "quantise.h"
#include "rope.h"

#define SCORE_LIMIT (1 << 30)
#define HEAD_SIZE_LIMIT 256
#ifdef __AVX512VNNI__
#include "native/attention-vnni.h"
#else
#include "attention-vectors.h"
#endif

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

// Scores of all keys. Returns the largest.
static inline i32 scores(const i64 *q, const kv_head *head, i32 positions, const model *m, i32 *y) {
  i16 query[HEAD_SIZE_LIMIT];
  i32 size = m->head_size;
  scale s = quantise(q, size, 14, query);
  for (i32 i = size; i < pad_to(size, 32); i++) query[i] = 0;
  i64 multiplier = rsh((i64)s.mantissa * m->attention_mantissa, 16);
  i32 shift = clamp_shift(16 + 7 - (s.exponent + m->attention_exponent) - 16);
  return score_keys(query, head, positions, head_stride(size), multiplier, shift, y);
}

// One query head (after RoPE) over positions 0 .. positions-1; out: `head_size` integers, Q24.
static inline void attend(const i64 *q, const kv_head *head, i32 positions, const model *m, const scratch *w, i64 *out) {
  i32 largest = scores(q, head, positions, m, w->scores);
  i64 sum = weights(w->scores, largest, head->value_scales, positions, w->weighted);
  scale s = sdiv(quantise(w->weighted, positions, 16, w->probability), (u64)sum);
  i32 shift = clamp_shift(-s.exponent + 16 + 7 - 24);
  i64 acc[HEAD_SIZE_LIMIT] __attribute__((aligned(64)));
  weigh_values(w->probability, head->values, positions, head_stride(m->head_size), acc);
  for (i32 i = 0; i < m->head_size; i++) out[i] = rsh(acc[i] * s.mantissa, shift);
}
