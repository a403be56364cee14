// Single operations by name on a piece of memory that JavaScript owns, for the tests that compare them with engine.wasm: arguments, addresses (offsets into the memory)
// and the layout of structs are those of engine.wasm, so one image of memory serves both.
#pragma once
#include "loaded-model.h"

typedef struct {
  i8 *base;
  usize size;
  const i64 *arguments;
  bool outside; // an address or a size that does not fit
} operation_call;

static i32 number(operation_call *c, i32 index, i64 least, i64 most) {
  i64 value = c->arguments[index];
  if (value >= least && value <= most) return (i32)value;
  c->outside = true;
  return (i32)least;
}

static void *bytes_at(operation_call *c, i64 offset, usize bytes) {
  if (offset >= 0 && offset % 2 == 0 && (usize)offset <= c->size && c->size - (usize)offset >= bytes) return c->base + offset;
  c->outside = true;
  return NULL;
}

static void *bytes_of(operation_call *c, i32 index, usize bytes) { return bytes_at(c, c->arguments[index], bytes); }

// The struct `matrix` of engine.wasm: seven int32.
static matrix matrix_of(operation_call *c, i32 index) {
  matrix m = {0};
  const i32 *words = bytes_of(c, index, 28);
  if (words == NULL) return m;
  m.rows = words[3], m.columns = words[4], m.exponent = words[5], m.activation_bits = words[6];
  if (m.rows < 16 || m.rows > 1 << 20 || m.rows % 16 != 0 || m.columns < 64 || m.columns > 1 << 16 || m.columns % 64 != 0) c->outside = true;
  else {
    m.weights = bytes_at(c, words[0], (usize)m.rows * (usize)m.columns);
    m.block_multipliers = bytes_at(c, words[1], (usize)m.rows * (usize)m.columns / 64);
    m.multipliers = bytes_at(c, words[2], 4 * (usize)m.rows);
  }
  return m;
}

static bool run_matmul(operation_call *c, const kernel_table *k) {
  matrix m = matrix_of(c, 0);
  i32 tokens = number(c, 3, 1, 256), fraction_bits = number(c, 4, 0, 32);
  if (c->outside) return true;
  input in = {bytes_of(c, 1, 2 * (usize)tokens * (usize)m.columns), bytes_of(c, 2, sizeof(scale) * (usize)tokens), NULL};
  scratch s = {.panel = bytes_of(c, 5, 2 * 16 * PANEL_COLUMNS), .sums = NULL};
  i32 *y = bytes_of(c, 7, 4 * (usize)tokens * (usize)m.rows);
  if (c->outside) return true;
  i32 *row_sums = malloc(4 * (usize)m.rows);
  in.bytes = malloc(2 * (usize)tokens * (usize)m.columns);
  s.parts = malloc(4 * 32 * 2 * (usize)tokens);
  s.sums = malloc(8 * 32 * (usize)tokens);
  bool memory = row_sums != NULL && in.bytes != NULL && s.parts != NULL && s.sums != NULL;
  if (memory) {
    sum_weights(&m, row_sums);
    m.row_sums = row_sums;
    k->matmul(&m, in, tokens, fraction_bits, &s, y);
  }
  free(row_sums);
  free(in.bytes);
  free(s.parts);
  free(s.sums);
  return memory;
}

static void run_attend(operation_call *c, const kernel_table *k) {
  i32 size = number(c, 0, 2, 256), mantissa = number(c, 1, 0, 65535), exponent = number(c, 2, -64, 64);
  i32 capacity = number(c, 5, 1, 1 << 17), positions = number(c, 6, 1, capacity);
  const i64 *q = bytes_of(c, 3, 8 * (usize)size);
  i8 *cache = bytes_of(c, 4, kv_block_bytes(capacity, head_stride(size)));
  i32 *scores = bytes_of(c, 7, 4 * (usize)positions);
  i64 *weighted = bytes_of(c, 8, 8 * (usize)positions);
  i16 *probability = bytes_of(c, 9, 2 * (usize)positions);
  i64 *out = bytes_of(c, 10, 8 * (usize)size);
  if (!c->outside) k->attend(size, mantissa, exponent, q, cache, capacity, positions, scores, weighted, probability, out);
}

static void run_store(operation_call *c, const kernel_table *k) {
  i32 capacity = number(c, 1, 1, 1 << 17), position = number(c, 2, 0, capacity - 1), size = number(c, 6, 2, 256);
  i8 *cache = bytes_of(c, 0, kv_block_bytes(capacity, head_stride(size)));
  const i32 *key = bytes_of(c, 3, 4 * (usize)size), *value = bytes_of(c, 4, 4 * (usize)size);
  const i16 *table = bytes_of(c, 5, 2 * (usize)size);
  if (!c->outside) k->store_key_value(cache, capacity, position, key, value, table, size);
}

static void run_quantise(operation_call *c, const kernel_table *k) {
  i32 n = number(c, 1, 1, 1 << 20), bits = number(c, 2, 8, 16);
  const i64 *v = bytes_of(c, 0, 8 * (usize)n);
  i16 *q = bytes_of(c, 3, 2 * (usize)n);
  scale *s = bytes_of(c, 4, sizeof(scale));
  if (!c->outside) k->quantise(v, n, bits, q, s);
}

static void run_norm(operation_call *c, const kernel_table *k) {
  i32 n = number(c, 1, 1, 1 << 16), exponent = number(c, 3, -64, 64), bits = number(c, 5, 8, 16);
  const i32 *x = bytes_of(c, 0, 4 * (usize)n), *weights = bytes_of(c, 2, 4 * (usize)n);
  i64 *wide = bytes_of(c, 6, 8 * (usize)n);
  i16 *q = bytes_of(c, 7, 2 * (usize)n);
  scale *s = bytes_of(c, 8, sizeof(scale));
  if (!c->outside) k->rms_norm_quantise(x, n, weights, exponent, (u64)c->arguments[4], bits, wide, q, s);
}

static void run_norm_head(operation_call *c, const kernel_table *k) {
  i32 n = number(c, 1, 2, 256), exponent = number(c, 3, -64, 64);
  i32 *x = bytes_of(c, 0, 4 * (usize)n);
  const i32 *weights = bytes_of(c, 2, 4 * (usize)n);
  if (!c->outside) k->norm_head(x, n, weights, exponent, (u64)c->arguments[4]);
}

static void run_rope(operation_call *c, const kernel_table *k) {
  i32 size = number(c, 2, 2, 256);
  const i32 *head = bytes_of(c, 0, 4 * (usize)size);
  const i16 *table = bytes_of(c, 1, 2 * (usize)size);
  i64 *out = bytes_of(c, 3, 8 * (usize)size);
  if (!c->outside) k->rope(head, table, size, out);
}

static void run_swiglu(operation_call *c, const kernel_table *k) {
  i32 n = number(c, 2, 1, 1 << 16);
  const i32 *gate = bytes_of(c, 0, 4 * (usize)n), *up = bytes_of(c, 1, 4 * (usize)n);
  i64 *z = bytes_of(c, 3, 8 * (usize)n);
  if (!c->outside) k->swiglu(gate, up, n, z);
}

static void run_add(operation_call *c, const kernel_table *k) {
  i32 n = number(c, 2, 1, 1 << 16);
  i32 *x = bytes_of(c, 0, 4 * (usize)n);
  const i32 *y = bytes_of(c, 1, 4 * (usize)n);
  if (!c->outside) k->add_to_residual(x, y, n);
}

static void run_embed(operation_call *c, const kernel_table *k) {
  matrix m = matrix_of(c, 0);
  i32 id = number(c, 1, 0, m.rows - 1), width = number(c, 2, 1, m.columns);
  i32 *x = c->outside ? NULL : bytes_of(c, 3, 4 * (usize)width);
  if (!c->outside) k->embed(&m, id, width, x);
}

static void run_sdiv(operation_call *c, const kernel_table *k) {
  scale *s = bytes_of(c, 0, sizeof(scale));
  if (c->arguments[1] < 1) c->outside = true;
  if (!c->outside) k->sdiv(s, (u64)c->arguments[1]);
}

typedef enum { DONE, UNKNOWN, WRONG_COUNT, OUTSIDE, NO_MEMORY } operation_status;

static operation_status run_operation(const kernel_table *k, const char *name, operation_call *c, usize count, u64 *result) {
  static const struct {
    const char *name;
    usize arguments;
    void (*run)(operation_call *, const kernel_table *);
  } operations[] = {
    {"op_sdiv", 2, run_sdiv},   {"op_quantise", 5, run_quantise},    {"op_rms_norm_quantise", 9, run_norm}, {"op_rope", 4, run_rope},
    {"op_swiglu", 4, run_swiglu}, {"op_add_to_residual", 3, run_add}, {"op_store_key_value", 7, run_store},  {"op_attend", 11, run_attend},
    {"op_embed", 4, run_embed},  {"op_norm_head", 5, run_norm_head},
  };
  *result = 0;
  if (strcmp(name, "op_exp2n") == 0) {
    if (count != 2) return WRONG_COUNT;
    i32 bits = number(c, 1, 0, 30);
    if (!c->outside) *result = k->exp2n((u32)c->arguments[0], bits);
    return c->outside ? OUTSIDE : DONE;
  }
  if (strcmp(name, "op_isqrt") == 0) {
    if (count != 1) return WRONG_COUNT;
    *result = k->isqrt((u64)c->arguments[0]);
    return DONE;
  }
  if (strcmp(name, "op_matmul") == 0) {
    if (count != 8) return WRONG_COUNT;
    bool memory = run_matmul(c, k);
    return c->outside ? OUTSIDE : memory ? DONE : NO_MEMORY;
  }
  for (usize i = 0; i < sizeof operations / sizeof *operations; i++) {
    if (strcmp(name, operations[i].name) != 0) continue;
    if (count != operations[i].arguments) return WRONG_COUNT;
    operations[i].run(c, k);
    return c->outside ? OUTSIDE : DONE;
  }
  return UNKNOWN;
}
