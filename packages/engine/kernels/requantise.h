// Sums of a matrix product to fixed point (SPEC section 6).
#pragma once
#include "fixed.h"
#include "model.h"

// Sum times row scale times token scale, int32 with `fraction_bits` fraction bits. |sum| < 2^40, block multipliers (sixteenths) included.
static inline void requantise16(const i64 *sums, const matrix *m, i32 row, scale s, i32 fraction_bits, i32 *y) {
  i32 shift = clamp_shift(m->exponent - 22 - s.exponent - fraction_bits);
  for (i32 i = 0; i < 16; i++) y[i] = sat(rsh(rsh(rsh(sums[i], 4) * m->multipliers[row + i], 22) * s.mantissa, shift));
}
