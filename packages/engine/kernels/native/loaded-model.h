// A model as the kernels see it, made from 64-bit words (src/native/model-words.ts has them in the same order). Nothing that JavaScript says is trusted to stay
// within `weights`: every number is checked against the bounds of SPEC section 2.2 and every tensor against the bytes there are.
#pragma once
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "levels.h"
#include "row-sums.h"

#define THREAD_LIMIT 64
#define PATIENCE_SECONDS 10
#define MODEL_MAGIC 0x636f6d6d6f6e7765LL
#define LAYER_WORDS 61
// Columns of a panel of 8 rows in kernels/matmul.h.
#define PANEL_COLUMNS 1024
#define CHUNK_LIMIT 256
// UNIT of kernels/step.h.
#define TILE_ROWS 32

typedef struct {
  i64 magic;
  const kernel_table *kernels;
  model m;
  i32 vocabulary, context, chunk, logit_rows;
  i32 ready; // tokens of the last chunk, whose logits can be computed
  layer *layers;
  i32 *row_sums;
  void *workspace;
  team team;
  worker *workers; // the caller's first
  pthread_t threads[THREAD_LIMIT];
  i32 helpers; // that run
  void *weights_reference; // napi_ref
} loaded_model;

typedef struct {
  const i64 *words;
  usize left, size;
  const i8 *base;
  const char *fault; // the first one
} word_reader;

static i64 next_word(word_reader *r, i64 least, i64 most, const char *what) {
  if (r->fault != NULL) return least;
  if (r->left == 0) r->fault = "the list of words ends too early";
  else if (*r->words < least || *r->words > most) r->fault = what;
  else return r->left--, *r->words++;
  return least;
}

// Address of `bytes` bytes at the next word's offset.
static const void *next_part(word_reader *r, usize bytes, const char *what) {
  i64 offset = next_word(r, 0, (i64)1 << 52, what);
  if (r->fault == NULL && (offset % 64 != 0 || (usize)offset > r->size || r->size - (usize)offset < bytes)) r->fault = what;
  return r->fault == NULL ? r->base + offset : NULL;
}

static matrix next_matrix(word_reader *r, i64 rows, i64 columns) {
  rows = pad_to((i32)rows, 16), columns = pad_to((i32)columns, 64);
  matrix m = {0};
  m.weights = next_part(r, (usize)rows * (usize)columns, "weights of a matrix");
  m.block_multipliers = next_part(r, (usize)rows * (usize)columns / 64, "block multipliers of a matrix");
  m.multipliers = next_part(r, 4 * (usize)rows, "multipliers of a matrix");
  m.rows = (i32)next_word(r, rows, rows, "rows of a matrix");
  m.columns = (i32)next_word(r, columns, columns, "columns of a matrix");
  m.exponent = (i32)next_word(r, -64, 64, "exponent of a matrix");
  m.activation_bits = (i32)next_word(r, 8, 14, "activation bits of a matrix");
  return m;
}

static norm next_norm(word_reader *r, i64 length) {
  norm n;
  n.weights = next_part(r, 4 * (usize)length, "weights of a norm");
  n.exponent = (i32)next_word(r, -64, 64, "exponent of a norm");
  return n;
}

// A part that may be missing: -1.
static const i32 *next_optional(word_reader *r, i64 length, const char *what) {
  if (r->fault == NULL && r->left > 0 && *r->words == -1) {
    r->words++, r->left--;
    return NULL;
  }
  return next_part(r, 4 * (usize)length, what);
}

static norm next_head_norm(word_reader *r, i64 length) {
  norm n;
  n.weights = next_optional(r, length, "weights of a norm of heads");
  n.exponent = (i32)next_word(r, -64, 64, "exponent of a norm of heads");
  return n;
}

static void read_graph(word_reader *r, loaded_model *to) {
  model *m = &to->m;
  m->layer_count = (i32)next_word(r, 1, 1 << 12, "layers");
  m->width = (i32)next_word(r, 1, 1 << 16, "width");
  m->heads = (i32)next_word(r, 1, 1 << 12, "heads");
  m->kv_heads = (i32)next_word(r, 1, m->heads, "KV heads");
  m->head_size = (i32)next_word(r, 2, 256, "head size");
  m->ffn_width = (i32)next_word(r, 1, 1 << 16, "FFN width");
  m->points = (i32)next_word(r, 0, m->layer_count, "commit points");
  to->vocabulary = (i32)next_word(r, 1, 1 << 20, "vocabulary");
  to->context = (i32)next_word(r, 1, 1 << 17, "context");
  to->chunk = (i32)next_word(r, 1, CHUNK_LIMIT, "chunk");
  to->logit_rows = (i32)next_word(r, 1, to->chunk, "logit rows");
  i64 epsilon = next_word(r, 1, (i64)1 << 53, "norm epsilon");
  m->epsilon_low = (u32)epsilon, m->epsilon_high = (u32)(epsilon >> 32);
  epsilon = next_word(r, 0, (i64)1 << 53, "epsilon of norms of heads");
  m->head_epsilon_low = (u32)epsilon, m->head_epsilon_high = (u32)(epsilon >> 32);
  m->attention_mantissa = (i32)next_word(r, 0, 65535, "attention scale");
  m->attention_exponent = (i32)next_word(r, -64, 64, "attention scale");
  if (r->fault == NULL && (m->heads % m->kv_heads != 0 || m->head_size % 2 != 0 || (i64)m->heads * m->head_size > 1 << 16)) {
    r->fault = "heads and head size";
  }
  m->rope = next_part(r, 2 * (usize)to->context * (usize)m->head_size, "RoPE table");
}

static void read_layer(word_reader *r, const model *m, layer *l) {
  i64 q = (i64)m->heads * m->head_size, kv = (i64)m->kv_heads * m->head_size;
  l->attention_norm = next_norm(r, m->width);
  l->ffn_norm = next_norm(r, m->width);
  l->q = next_matrix(r, q, m->width);
  l->k = next_matrix(r, kv, m->width);
  l->v = next_matrix(r, kv, m->width);
  l->o = next_matrix(r, m->width, q);
  l->gate = next_matrix(r, m->ffn_width, m->width);
  l->up = next_matrix(r, m->ffn_width, m->width);
  l->down = next_matrix(r, m->width, m->ffn_width);
  l->q_bias = next_optional(r, q, "bias of q");
  l->k_bias = next_optional(r, kv, "bias of k");
  l->v_bias = next_optional(r, kv, "bias of v");
  l->q_norm = next_head_norm(r, m->head_size);
  l->k_norm = next_head_norm(r, m->head_size);
  l->commit_point = (i32)next_word(r, -1, m->points - 1, "commit point of a layer");
}

static i32 *attach_row_sums(matrix *m, i32 *at) {
  sum_weights(m, at);
  m->row_sums = at;
  return at + m->rows;
}

// Once for all matrices: after this nothing reads weights but the kernels.
static bool add_row_sums(loaded_model *to) {
  model *m = &to->m;
  usize rows = (usize)m->embedding.rows + (usize)m->head.rows;
  for (i32 i = 0; i < m->layer_count; i++) {
    const layer *l = to->layers + i;
    rows += (usize)l->q.rows + (usize)l->k.rows + (usize)l->v.rows + (usize)l->o.rows + (usize)l->gate.rows + (usize)l->up.rows + (usize)l->down.rows;
  }
  i32 *at = to->row_sums = malloc(4 * rows);
  if (at == NULL) return false;
  at = attach_row_sums(&m->embedding, at);
  at = attach_row_sums(&m->head, at);
  for (i32 i = 0; i < m->layer_count; i++) {
    layer *l = to->layers + i;
    matrix *all[] = {&l->q, &l->k, &l->v, &l->o, &l->gate, &l->up, &l->down};
    for (i32 k = 0; k < 7; k++) at = attach_row_sums(all[k], at);
  }
  return true;
}

// `at` NULL: only counts. @returns the bytes up to the end of this part.
static usize place(i8 *at, usize end, void *field, usize bytes) {
  if (at != NULL) {
    i8 *address = at + end;
    memcpy(field, &address, sizeof address);
  }
  return (end + bytes + 63) / 64 * 64;
}

static usize widest_input(const model *m) {
  i32 attended = m->heads * m->head_size, widest = m->width > m->ffn_width ? m->width : m->ffn_width;
  return (usize)pad_to(widest > attended ? widest : attended, 64);
}

static usize place_workspace(loaded_model *to, i8 *at, usize end) {
  const model *m = &to->m;
  workspace *w = &to->m.w;
  usize chunk = (usize)to->chunk, width = (usize)m->width, columns = widest_input(m);
  usize attended = (usize)m->heads * (usize)m->head_size, kv = (usize)pad_to(m->kv_heads * m->head_size, 16);
  end = place(at, end, &w->x, 4 * chunk * width);
  end = place(at, end, &w->input, 2 * chunk * columns);
  end = place(at, end, &w->scales, sizeof(scale) * chunk);
  end = place(at, end, &w->q, 4 * chunk * (usize)pad_to((i32)attended, 16));
  end = place(at, end, &w->k, 4 * chunk * kv);
  end = place(at, end, &w->v, 4 * chunk * kv);
  end = place(at, end, &w->attended, 8 * chunk * attended);
  end = place(at, end, &w->activated, 8 * chunk * (usize)pad_to(m->ffn_width, 16));
  return place(at, end, &w->bytes, 2 * chunk * columns);
}

static usize place_scratch(const loaded_model *of, scratch *s, i8 *at, usize end) {
  const model *m = &of->m;
  usize chunk = (usize)of->chunk, context = (usize)of->context, columns = widest_input(m);
  end = place(at, end, &s->input, 2 * columns);
  end = place(at, end, &s->scales, sizeof(scale));
  end = place(at, end, &s->wide, 8 * (usize)m->width);
  end = place(at, end, &s->scores, 4 * context);
  end = place(at, end, &s->weighted, 8 * context);
  end = place(at, end, &s->probability, 2 * context);
  end = place(at, end, &s->panel, 2 * 16 * PANEL_COLUMNS);
  end = place(at, end, &s->sums, 8 * 32 * chunk);
  end = place(at, end, &s->tile, 4 * 2 * TILE_ROWS * chunk);
  end = place(at, end, &s->bytes, 2 * columns);
  return place(at, end, &s->parts, 4 * 32 * 2 * chunk);
}

static usize place_all(loaded_model *to, i8 *at) {
  usize end = place_workspace(to, at, 0);
  for (i32 i = 0; i < to->team.threads; i++) end = place_scratch(to, &to->workers[i].s, at, end);
  return end;
}

static void free_model(loaded_model *model) {
  free(model->layers);
  free(model->row_sums);
  free(model->workspace);
  free(model->workers);
  free(model);
}

static bool allocate_workspace(loaded_model *to, i32 threads) {
  to->workers = calloc((usize)threads, sizeof(worker));
  if (to->workers == NULL) return false;
  to->team = (team){.threads = threads, .patience = PATIENCE_SECONDS, .workers = to->workers};
  for (i32 i = 0; i < threads; i++) to->workers[i] = (worker){.team = &to->team, .index = i, .kernels = to->kernels};
  to->workspace = calloc(1, place_all(to, NULL) + 64);
  if (to->workspace == NULL) return false;
  place_all(to, (i8 *)(((uintptr_t)to->workspace + 63) / 64 * 64));
  return true;
}

// NULL with `*fault` set when the words are wrong, NULL without it when there is no memory.
static loaded_model *load_model(const level *level, const i8 *base, usize size, const i64 *words, usize count, i32 threads, const char **fault) {
  word_reader r = {words, count, size, base, NULL};
  loaded_model *to = calloc(1, sizeof *to);
  if (to == NULL) return NULL;
  to->magic = MODEL_MAGIC;
  to->kernels = level->kernels;
  model *m = &to->m;
  read_graph(&r, to);
  m->embedding = next_matrix(&r, to->vocabulary, m->width);
  m->head = next_matrix(&r, to->vocabulary, m->width);
  m->output_norm = next_norm(&r, m->width);
  if (r.fault == NULL && r.left != (usize)LAYER_WORDS * (usize)m->layer_count) r.fault = "number of words";
  bool memory = r.fault != NULL || (to->layers = calloc((usize)m->layer_count, sizeof(layer))) != NULL;
  for (i32 i = 0; memory && r.fault == NULL && i < m->layer_count; i++) read_layer(&r, m, to->layers + i);
  *fault = r.fault;
  if (memory && r.fault == NULL) {
    m->layers = to->layers;
    if (allocate_workspace(to, threads) && add_row_sums(to)) return to;
  }
  free_model(to);
  return NULL;
}

static usize cache_bytes(const model *m, i32 capacity) {
  return (usize)m->layer_count * (usize)m->kv_heads * kv_block_bytes(capacity, head_stride(m->head_size));
}
