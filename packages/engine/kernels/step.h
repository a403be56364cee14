// One step of the model over a table of rows, one row a token: a piece of a prompt, one token of each of many sequences, or a mixture. Every thread runs all of this file.
#pragma once
#include "attention.h"
#include "elementwise.h"
#include "heads.h"
#include "input.h"
#include "model.h"
#include "quantise.h"
#include "swiglu.h"
#include "team.h"

#define VALUE_BITS 16
#define RESIDUAL_BITS 12
// Rows of a matrix that are computed at a time: two tiles.
#define UNIT 32

typedef struct {
  const model *m;
  const row *rows;
  const i32 *wanted; // logits: their places in the last step; NULL for all rows
  i32 count;
  const worker *me;
} step;

// Makes input row `i` out of row `i` of something.
typedef scale quantise_row(const step *s, i32 i, const norm *weights, i32 bits, i16 *q);

static inline scale quantise_norm(const step *s, i32 i, const norm *weights, i32 bits, i16 *q) {
  const model *m = s->m;
  const i32 *x = m->w.x + (usize)(s->wanted ? s->wanted[i] : i) * (usize)m->width;
  return rms_norm_quantise(x, m->width, weights, (u64)m->epsilon_high << 32 | m->epsilon_low, bits, s->me->s.wide, q);
}

static inline scale quantise_attended(const step *s, i32 i, const norm *none, i32 bits, i16 *q) {
  i32 n = s->m->heads * s->m->head_size;
  scale result = quantise(s->m->w.attended + (usize)i * (usize)n, n, bits, q);
  (void)none;
  return (scale){result.mantissa, result.exponent - 24};
}

static inline scale quantise_activated(const step *s, i32 i, const norm *none, i32 bits, i16 *q) {
  const model *m = s->m;
  scale result = quantise(m->w.activated + (usize)i * (usize)pad_to(m->ffn_width, 16), m->ffn_width, bits, q);
  (void)none;
  return (scale){result.mantissa, result.exponent - 32};
}

// Input of `matrix`: a share of the rows by every thread, or the only row by every thread for itself, which costs less than to wait for another one.
static inline input make_input(const step *s, const matrix *matrix, const norm *weights, quantise_row *make) {
  const workspace *w = &s->m->w;
  const scratch *own = &s->me->s;
  i32 columns = matrix->columns, bits = matrix->activation_bits;
#ifdef __wasm__
  input all = s->count == 1 ? (input){own->input, own->scales} : (input){w->input, w->scales};
#else
  input all = s->count == 1 ? (input){own->input, own->scales, own->bytes} : (input){w->input, w->scales, w->bytes};
#endif
  span rows = {0, 1};
  while (s->count == 1 || take(s->me, s->count, &rows)) {
    for (i32 i = rows.first; i < rows.end; i++) {
      input one = input_at(all, i, columns);
      *one.scales = make(s, i, weights, bits, one.values);
      pack_row(one, columns, bits);
    }
    if (s->count == 1) return all;
  }
  meet(s->me);
  return all;
}

static inline i32 units_of(const matrix *m) { return (m->rows + UNIT - 1) / UNIT; }

static inline i32 unit_rows(const matrix *m, i32 unit) { return m->rows - unit * UNIT < UNIT ? m->rows - unit * UNIT : UNIT; }

typedef struct {
  const matrix *m;
  i32 *y; // [rows of the step][padded rows]
} product;

// Products with the same input.
static void project(const step *s, input in, const product *products, i32 count) {
  i32 total = 0;
  for (i32 i = 0; i < count; i++) total += units_of(products[i].m);
  for (span units; take(s->me, total, &units);) {
    for (i32 i = units.first; i < units.end; i++) {
      const product *p = products;
      i32 unit = i;
      while (unit >= units_of(p->m)) unit -= units_of(p++->m);
      matmul_rows(p->m, unit * UNIT, unit_rows(p->m, unit), in, s->count, VALUE_BITS, &s->me->s, p->y + unit * UNIT, p->m->rows);
    }
  }
  meet(s->me);
}

// Residual stream += product; a commit point (or -1) gets a copy.
static void add_product(const step *s, input in, const matrix *matrix, i32 point) {
  const model *m = s->m;
  i32 *tile = s->me->s.tile;
  for (span units; take(s->me, units_of(matrix), &units);) {
    for (i32 first = units.first * UNIT, unit = units.first; unit < units.end; unit++, first += UNIT) {
      i32 rows = unit_rows(matrix, unit), width = m->width - first < rows ? m->width - first : rows;
      matmul_rows(matrix, first, rows, in, s->count, RESIDUAL_BITS, &s->me->s, tile, UNIT);
      for (i32 t = 0; t < s->count; t++) {
        i32 *x = m->w.x + (usize)t * (usize)m->width + first;
        add_to_residual(x, tile + t * UNIT, width);
        if (point < 0) continue;
        i32 *to = m->w.committed + ((usize)t * (usize)m->points + (usize)point) * (usize)m->width + first;
        for (i32 k = 0; k < width; k++) to[k] = x[k];
      }
    }
  }
  meet(s->me);
}

static const norm no_norm;

static void store_keys_values(const step *s, const layer *l, usize cache_offset) {
  const model *m = s->m;
  i32 size = m->head_size;
  for (span items; take(s->me, s->count * m->kv_heads, &items);) {
    for (i32 i = items.first; i < items.end; i++) {
      i32 t = i / m->kv_heads, g = i % m->kv_heads;
      const row *r = s->rows + t;
      kv_head head = kv_head_at(r->cache + cache_offset * (usize)r->capacity, r->capacity, head_stride(size), g);
      i32 *key = finish_head(m, m->w.k + t * l->k.rows, g, l->k_bias, &l->k_norm);
      i32 *value = finish_head(m, m->w.v + t * l->v.rows, g, l->v_bias, &no_norm);
      store_key_value(&head, r->position, key, value, m->rope + r->position * size, size);
    }
  }
  meet(s->me);
}

static void attend_all(const step *s, const layer *l, usize cache_offset) {
  const model *m = s->m;
  i32 size = m->head_size, group = m->heads / m->kv_heads;
  for (span items; take(s->me, s->count * m->heads, &items);) {
    for (i32 i = items.first; i < items.end; i++) {
      i32 t = i / m->heads, h = i % m->heads;
      const row *r = s->rows + t;
      kv_head head = kv_head_at(r->cache + cache_offset * (usize)r->capacity, r->capacity, head_stride(size), h / group);
      i64 query[HEAD_SIZE_LIMIT];
      rope(finish_head(m, m->w.q + t * l->q.rows, h, l->q_bias, &l->q_norm), m->rope + r->position * size, size, query);
      attend(query, &head, r->position + 1, m, &s->me->s, m->w.attended + (usize)i * (usize)size);
    }
  }
  meet(s->me);
}

static void activate(const step *s, input in, const layer *l) {
  const scratch *own = &s->me->s;
  i32 *gate = own->tile, *up = own->tile + s->count * UNIT;
  for (span units; take(s->me, units_of(&l->gate), &units);) {
    for (i32 first = units.first * UNIT, unit = units.first; unit < units.end; unit++, first += UNIT) {
      i32 rows = unit_rows(&l->gate, unit);
      matmul_rows(&l->gate, first, rows, in, s->count, VALUE_BITS, own, gate, UNIT);
      matmul_rows(&l->up, first, rows, in, s->count, VALUE_BITS, own, up, UNIT);
      for (i32 t = 0; t < s->count; t++) swiglu(gate + t * UNIT, up + t * UNIT, rows, s->m->w.activated + (usize)t * (usize)l->gate.rows + first);
    }
  }
  meet(s->me);
}

static void run_layer(const step *s, i32 index) {
  const model *m = s->m;
  const layer *l = m->layers + index;
  usize cache_offset = (usize)index * (usize)m->kv_heads * kv_block_bytes(1, head_stride(m->head_size)); // times capacity
  input in = make_input(s, &l->q, &l->attention_norm, quantise_norm);
  project(s, in, (product[]){{&l->q, m->w.q}, {&l->k, m->w.k}, {&l->v, m->w.v}}, 3);
  store_keys_values(s, l, cache_offset);
  attend_all(s, l, cache_offset);
  add_product(s, make_input(s, &l->o, NULL, quantise_attended), &l->o, -1);
  activate(s, make_input(s, &l->gate, &l->ffn_norm, quantise_norm), l);
  add_product(s, make_input(s, &l->down, NULL, quantise_activated), &l->down, l->commit_point);
}

// Fills caches, leaves the residual stream in w.x and commit points in w.committed.
static void run_step(const step *s) {
  const model *m = s->m;
  for (span rows; take(s->me, s->count, &rows);) {
    for (i32 t = rows.first; t < rows.end; t++) embed(&m->embedding, s->rows[t].id, m->width, m->w.x + (usize)t * (usize)m->width);
  }
  meet(s->me);
  for (i32 i = 0; i < m->layer_count; i++) run_layer(s, i);
}

// Logits into w.logits, int32 Q16.
static void run_logits(const step *s) {
  const model *m = s->m;
  project(s, make_input(s, &m->head, &m->output_norm, quantise_norm), &(product){&m->head, m->w.logits}, 1);
}
