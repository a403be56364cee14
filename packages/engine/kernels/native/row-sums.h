// Sums of the rows of a packed matrix: the correction for unsigned activations (matmul-vnni.h).
#pragma once
#include "../model.h"

static void sum_weights(const matrix *m, i32 *row_sums) {
  for (i32 row = 0; row < m->rows; row += 16) {
    const i8 *p = m->weights + (usize)row * (usize)m->columns;
    i32 sums[16] = {0};
    for (i32 k = 0; k < m->columns; k += 4, p += 64) {
      for (i32 i = 0; i < 16; i++) sums[i] += p[4 * i] + p[4 * i + 1] + p[4 * i + 2] + p[4 * i + 3];
    }
    memcpy(row_sums + row, sums, sizeof sums);
  }
}
