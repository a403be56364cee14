// The end of engine.c for real machines: its functions as a table.
#pragma once
#include "kernel-table.h"

// As op_matmul of WASM; the rows are packed first.
static void matmul_all(const matrix *m, input in, i32 tokens, i32 fraction_bits, const scratch *s, i32 *y) {
  for (i32 t = 0; t < tokens; t++) pack_row(input_at(in, t, m->columns), m->columns, m->activation_bits);
  matmul_rows(m, 0, m->rows, in, tokens, fraction_bits, s, y, m->rows);
}

const kernel_table EXPORT(kernels) = {
  .forward = EXPORT(forward),
  .logits = EXPORT(logits),
  .help = EXPORT(help),
  .run_apart = EXPORT(run_apart),
  .dismiss = EXPORT(dismiss),
  .exp2n = EXPORT(op_exp2n),
  .isqrt = EXPORT(op_isqrt),
  .sdiv = EXPORT(op_sdiv),
  .quantise = EXPORT(op_quantise),
  .rms_norm_quantise = EXPORT(op_rms_norm_quantise),
  .norm_head = EXPORT(op_norm_head),
  .matmul = matmul_all,
  .rope = EXPORT(op_rope),
  .store_key_value = EXPORT(op_store_key_value),
  .attend = EXPORT(op_attend),
  .embed = EXPORT(op_embed),
  .swiglu = EXPORT(op_swiglu),
  .add_to_residual = EXPORT(op_add_to_residual),
};
