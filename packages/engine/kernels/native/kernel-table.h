// All kernels of one instruction set: engine.c is compiled once for each, the addon picks one at run time.
#pragma once
#include "../input.h"
#include "../model.h"
#include "../team.h"

typedef struct kernel_table {
  i32 (*forward)(const model *, const worker *, const row *rows, i32 count);
  i32 (*logits)(const model *, const worker *, const i32 *wanted, i32 count);
  void (*help)(worker *);
  i32 (*run_apart)(worker *helper, i32 task, const worker *as, const model *, const void *rows, i32 count);
  void (*dismiss)(const worker *);
  u32 (*exp2n)(u32 d, i32 fraction_bits);
  u64 (*isqrt)(u64 n);
  void (*sdiv)(scale *, u64 denominator);
  void (*quantise)(const i64 *, i32 n, i32 bits, i16 *q, scale *);
  void (*rms_norm_quantise)(const i32 *x, i32 n, const i32 *weights, i32 exponent, u64 epsilon, i32 bits, i64 *wide, i16 *q, scale *);
  void (*norm_head)(i32 *x, i32 n, const i32 *weights, i32 exponent, u64 epsilon);
  void (*matmul)(const matrix *, input, i32 tokens, i32 fraction_bits, const scratch *, i32 *y);
  void (*rope)(const i32 *head, const i16 *table, i32 size, i64 *out);
  void (*store_key_value)(i8 *cache, i32 capacity, i32 position, const i32 *key, const i32 *value, const i16 *table, i32 size);
  void (*attend)(i32 size, i32 mantissa, i32 exponent, const i64 *q, i8 *cache, i32 capacity, i32 positions, i32 *scores, i64 *weighted, i16 *probability,
                 i64 *out);
  void (*embed)(const matrix *, i32 id, i32 width, i32 *x);
  void (*swiglu)(const i32 *gate, const i32 *up, i32 n, i64 *z);
  void (*add_to_residual)(i32 *x, const i32 *y, i32 n);
} kernel_table;
