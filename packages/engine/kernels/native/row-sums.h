// Sums of the rows of a packed matrix, block multipliers included (below 127 * 15 * 2^16 < 2^31): the correction for unsigned activations (matmul-vnni.h).
#pragma once
#include "../model.h"

static void sum_weights(const matrix *m, i32 *row_sums) {
  for (i32 row = 0; row < m->rows; row += 16) {
    const i8 *p = m->weights + (usize)row * (usize)m->columns;
    const uint8_t *multipliers = m->block_multipliers + (usize)row * (usize)m->columns / 64;
    i32 sums[16] = {0};
    for (i32 k = 0; k < m->columns; k += 64, multipliers += 16) {
      i32 block[16] = {0};
      for (i32 step = 0; step < 16; step++, p += 64) {
        for (i32 i = 0; i < 16; i++) block[i] += p[4 * i] + p[4 * i + 1] + p[4 * i + 2] + p[4 * i + 3];
      }
      for (i32 i = 0; i < 16; i++) sums[i] += block[i] * multipliers[i];
    }
    memcpy(row_sums + row, sums, sizeof sums);
  }
}
