// The layer loop over a chunk of tokens, and its operations one by one for tests. One thread; every buffer belongs to the caller.
#include "attention.h"
#include "elementwise.h"
#include "fixed.h"
#if defined(__AVX512VNNI__)
#include "native/matmul-vnni.h"
#elif defined(__AVX2__)
#include "native/matmul-avx2.h"
#else
#include "matmul.h"
#endif
#include "model.h"
#include "quantise.h"

#define VALUE_BITS 16
#define RESIDUAL_BITS 12

static inline u64 epsilon_of(const model *m) { return (u64)m->epsilon_high << 32 | m->epsilon_low; }

static void norm_rows(const model *m, const norm *weights, i32 columns, i32 bits, const i32 *x, i32 tokens) {
  for (i32 t = 0; t < tokens; t++) {
    m->w.scales[t] = rms_norm_quantise(x + t * m->width, m->width, weights, epsilon_of(m), bits, m->w.wide, m->w.input + t * columns);
  }
}

static void add_rows(const model *m, i32 stride, i32 tokens) {
  for (i32 t = 0; t < tokens; t++) add_to_residual(m->w.x + t * m->width, m->w.out + t * stride, m->width);
}

static void attention(const model *m, const layer *l, i8 *cache, i32 capacity, i32 position, i32 tokens) {
  const workspace *w = &m->w;
  i32 size = m->head_size, stride = head_stride(size), group = m->heads / m->kv_heads;
  norm_rows(m, &l->attention_norm, l->q.columns, l->q.activation_bits, w->x, tokens);
  matmul(&l->q, w->input, w->scales, tokens, VALUE_BITS, w, w->q);
  matmul(&l->k, w->input, w->scales, tokens, VALUE_BITS, w, w->k);
  matmul(&l->v, w->input, w->scales, tokens, VALUE_BITS, w, w->v);
  for (i32 t = 0; t < tokens; t++) {
    const i16 *table = m->rope + (position + t) * size;
    for (i32 g = 0; g < m->kv_heads; g++) {
      kv_head head = kv_head_at(cache, capacity, stride, g);
      store_key_value(&head, position + t, w->k + t * l->k.rows + g * size, w->v + t * l->v.rows + g * size, table, size);
    }
    for (i32 h = 0; h < m->heads; h++) {
      kv_head head = kv_head_at(cache, capacity, stride, h / group);
      i64 query[HEAD_SIZE_LIMIT];
      rope(w->q + t * l->q.rows + h * size, table, size, query);
      attend(query, &head, position + t + 1, m, w->attended + h * size);
    }
    w->scales[t] = quantise(w->attended, m->heads * size, l->o.activation_bits, w->input + t * l->o.columns);
    w->scales[t].exponent -= 24;
  }
  matmul(&l->o, w->input, w->scales, tokens, RESIDUAL_BITS, w, w->out);
  add_rows(m, l->o.rows, tokens);
}

static void feed_forward(const model *m, const layer *l, i32 tokens) {
  const workspace *w = &m->w;
  norm_rows(m, &l->ffn_norm, l->gate.columns, l->gate.activation_bits, w->x, tokens);
  matmul(&l->gate, w->input, w->scales, tokens, VALUE_BITS, w, w->gate);
  matmul(&l->up, w->input, w->scales, tokens, VALUE_BITS, w, w->up);
  for (i32 t = 0; t < tokens; t++) {
    swiglu(w->gate + t * l->gate.rows, w->up + t * l->up.rows, m->ffn_width, w->wide);
    w->scales[t] = quantise(w->wide, m->ffn_width, l->down.activation_bits, w->input + t * l->down.columns);
    w->scales[t].exponent -= 32;
  }
  matmul(&l->down, w->input, w->scales, tokens, RESIDUAL_BITS, w, w->out);
  add_rows(m, l->down.rows, tokens);
}

// Runs `tokens` ids at positions `position ...`, fills the cache, leaves the residual stream in w.x and commit points in w.committed.
void EXPORT(forward)(const model *m, const i32 *ids, i8 *cache, i32 capacity, i32 position, i32 tokens) {
  const workspace *w = &m->w;
  usize layer_bytes = (usize)m->kv_heads * kv_block_bytes(capacity, head_stride(m->head_size));
  for (i32 t = 0; t < tokens; t++) embed(&m->embedding, ids[t], m->width, w->x + t * m->width);
  for (i32 i = 0; i < m->layer_count; i++) {
    const layer *l = m->layers + i;
    attention(m, l, cache + (usize)i * layer_bytes, capacity, position, tokens);
    feed_forward(m, l, tokens);
    if (l->commit_point < 0) continue;
    for (i32 t = 0; t < tokens; t++) {
      i32 *to = w->committed + (t * m->points + l->commit_point) * m->width;
      for (i32 k = 0; k < m->width; k++) to[k] = w->x[t * m->width + k];
    }
  }
}

// Logits of rows `first ... first + count` of the last chunk into w.logits, int32 Q16.
void EXPORT(logits)(const model *m, i32 first, i32 count) {
  const workspace *w = &m->w;
  norm_rows(m, &m->output_norm, m->head.columns, m->head.activation_bits, w->x + first * m->width, count);
  matmul(&m->head, w->input, w->scales, count, VALUE_BITS, w, w->logits);
}

// Single operations, for the tests that compare them with the reference.
u32 EXPORT(op_exp2n)(u32 d, i32 fraction_bits) { return (u32)exp2n(d, fraction_bits); }

u64 EXPORT(op_isqrt)(u64 n) { return isqrt(n); }

void EXPORT(op_sdiv)(scale *s, u64 denominator) { *s = sdiv(*s, denominator); }

void EXPORT(op_quantise)(const i64 *v, i32 n, i32 bits, i16 *q, scale *s) { *s = quantise(v, n, bits, q); }

void EXPORT(op_rms_norm_quantise)(const i32 *x, i32 n, const i32 *weights, i32 exponent, u64 epsilon, i32 bits, i64 *wide, i16 *q, scale *s) {
  norm w = {weights, exponent};
  *s = rms_norm_quantise(x, n, &w, epsilon, bits, wide, q);
}

void EXPORT(op_matmul)(const matrix *m, const i16 *x, const scale *scales, i32 tokens, i32 fraction_bits, i16 *panel, i64 *sums, i32 *y) {
  workspace w = {.panel = panel, .sums = sums};
  matmul(m, x, scales, tokens, fraction_bits, &w, y);
}

void EXPORT(op_rope)(const i32 *head, const i16 *table, i32 size, i64 *out) { rope(head, table, size, out); }

void EXPORT(op_store_key_value)(i8 *cache, i32 capacity, i32 position, const i32 *key, const i32 *value, const i16 *table, i32 size) {
  kv_head head = kv_head_at(cache, capacity, head_stride(size), 0);
  store_key_value(&head, position, key, value, table, size);
}

void EXPORT(op_attend)(const model *m, const i64 *q, i8 *cache, i32 capacity, i32 positions, i64 *out) {
  kv_head head = kv_head_at(cache, capacity, head_stride(m->head_size), 0);
  attend(q, &head, positions, m, out);
}

void EXPORT(op_embed)(const matrix *m, i32 id, i32 width, i32 *x) { embed(m, id, width, x); }

void EXPORT(op_swiglu)(const i32 *gate, const i32 *up, i32 n, i64 *z) { swiglu(gate, up, n, z); }

void EXPORT(op_add_to_residual)(i32 *x, const i32 *y, i32 n) { add_to_residual(x, y, n); }

#ifdef __wasm__
// checks at load time; the addon's host has faster ones
#include "find-lowest.h"
#include "sha256.h"
#else
#include "native/fill-table.h"
#endif
