// What JavaScript writes into memory for the kernels: see src/wasm/model-layout.ts, which has the same fields in the same order.
#pragma once
#include "fixed.h"

// Packed int8 [N/16][K/4][16][4], K padded to 64 and N to 16 with zeros; one multiplier for 64 columns of a row, [N/16][K/64][16], and one a padded row.
typedef struct {
  const i8 *weights;
  const uint8_t *block_multipliers;
  const i32 *multipliers;
  i32 rows, columns; // padded
  i32 exponent, activation_bits;
#ifndef __wasm__
  const i32 *row_sums; // of the weights times their block multipliers, for products of unsigned bytes
#endif
} matrix;

typedef struct {
  const i32 *weights;
  i32 exponent;
} norm;

typedef struct {
  norm attention_norm, ffn_norm;
  matrix q, k, v, o, gate, up, down;
  const i32 *q_bias, *k_bias, *v_bias; // NULL: none
  norm q_norm, k_norm;                 // weights NULL: none
  i32 commit_point; // -1: none
} layer;

// One token of a step: its id, the cache of its sequence, and where it stands in it.
typedef struct {
  i8 *cache;
  i32 id, capacity, position;
} row;

// Shared by all threads: `chunk` rows. Results of matrices are padded to 16, inputs of matrices to 64.
typedef struct {
  i32 *x;         // [chunk][width] residual stream
  i16 *input;     // [chunk][largest padded columns] of a matrix
  scale *scales;  // [chunk] of `input`
  i32 *q, *k, *v; // [chunk][padded rows]
  i64 *attended;  // [chunk][heads * head size]
  i64 *activated; // [chunk][padded ffn width]
  i32 *committed; // [chunk][commit points][width]
  i32 *logits;    // [logit rows][padded vocabulary]
#ifndef __wasm__
  uint8_t *bytes; // [chunk][2][largest padded columns] `input` in unsigned bytes
#endif
} workspace;

// Of one thread.
typedef struct {
  i16 *input;       // [largest padded columns] of a matrix, when there is one row: every thread makes it for itself
  scale *scales;    // [1] of `input`
  i64 *wide;        // [width]
  i32 *scores;      // [context]
  i64 *weighted;    // [context]
  i16 *probability; // [context]
  i16 *panel;       // [8][PANEL] weights times multipliers, widened to int16
  i64 *sums;        // [chunk][16]; in the addon [chunk][32]
  i32 *tile;        // [2][chunk][UNIT] results that are used at once
#ifndef __wasm__
  uint8_t *bytes; // [2][largest padded columns] `input` in unsigned bytes
  i32 *parts;     // [2 * chunk][32] sums of bytes
#endif
} scratch;

typedef struct {
  i32 layer_count, width, heads, kv_heads, head_size, ffn_width, points;
  u32 epsilon_low, epsilon_high;
  u32 head_epsilon_low, head_epsilon_high; // of q_norm and k_norm
  i32 attention_mantissa, attention_exponent;
  const i16 *rope; // [context][head size]: (cos, sin) pairs
  const layer *layers;
  matrix embedding, head;
  norm output_norm;
  workspace w;
} model;

// Cache of one KV head of one layer: keys and values [capacity][head stride] int8, one u32 scale a position.
typedef struct {
  i8 *keys, *values;
  u32 *key_scales, *value_scales;
} kv_head;

// Head size padded so that a row of the cache is whole vectors; the padding stays zero.
static inline i32 head_stride(i32 head_size) { return pad_to(head_size, 16); }

// Bytes of a kv_head's block, in the order of its fields.
static inline usize kv_block_bytes(i32 capacity, i32 stride) { return (usize)capacity * (2 * (usize)stride + 8); }

static inline kv_head kv_head_at(i8 *cache, i32 capacity, i32 stride, i32 index) {
  i8 *block = cache + (usize)index * kv_block_bytes(capacity, stride);
  i8 *values = block + (usize)capacity * (usize)stride;
  u32 *key_scales = (u32 *)(values + (usize)capacity * (usize)stride);
  return (kv_head){block, values, key_scales, key_scales + capacity};
}
