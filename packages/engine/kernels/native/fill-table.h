// The end of engine.c for real machines: its functions as a table.
#pragma once
#include "kernel-table.h"

static void matmul_in(const matrix *m, const i16 *x, const scale *s, i32 tokens, i32 fraction_bits, const workspace *w, i32 *y) {
  matmul(m, x, s, tokens, fraction_bits, w, y);
}

const kernel_table EXPORT(kernels) = {
  .forward = EXPORT(forward),
  .logits = EXPORT(logits),
  .exp2n = EXPORT(op_exp2n),
  .isqrt = EXPORT(op_isqrt),
  .sdiv = EXPORT(op_sdiv),
  .quantise = EXPORT(op_quantise),
  .rms_norm_quantise = EXPORT(op_rms_norm_quantise),
  .matmul = matmul_in,
  .rope = EXPORT(op_rope),
  .store_key_value = EXPORT(op_store_key_value),
  .attend = EXPORT(op_attend),
  .embed = EXPORT(op_embed),
  .swiglu = EXPORT(op_swiglu),
  .add_to_residual = EXPORT(op_add_to_residual),
};
