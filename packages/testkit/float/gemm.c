// Float32 matrix product for the quality bench alone: the reference that the integer engine is measured against.
// Y[m][n] = sum_k X[m][k] * W[n][k]; every row contiguous in k; K a multiple of 4, M and N any.
// Build: npm run build:gemm (see build-gemm.mjs). Nothing that the network runs or signs uses this file.
#include <wasm_simd128.h>
#include <stdint.h>

static inline float sum(v128_t v) {
  return wasm_f32x4_extract_lane(v, 0) + wasm_f32x4_extract_lane(v, 1) + wasm_f32x4_extract_lane(v, 2) + wasm_f32x4_extract_lane(v, 3);
}

#define ROWS 3
#define TOKENS 4

__attribute__((export_name("gemm"))) void gemm(const float *x, int32_t ldx, const float *w, int32_t ldw, float *y, int32_t ldy, int32_t m, int32_t n, int32_t k) {
  for (int32_t j = 0; j < n; j += ROWS) {
    int32_t rows = n - j < ROWS ? n - j : ROWS;
    for (int32_t i = 0; i < m; i += TOKENS) {
      int32_t tokens = m - i < TOKENS ? m - i : TOKENS;
      if (rows == ROWS && tokens == TOKENS) {
        v128_t acc[ROWS][TOKENS];
        for (int r = 0; r < ROWS; r++) for (int t = 0; t < TOKENS; t++) acc[r][t] = wasm_f32x4_splat(0);
        const float *xp = x + (int64_t)i * ldx, *wp = w + (int64_t)j * ldw;
        for (int32_t c = 0; c < k; c += 4) {
          v128_t a[TOKENS];
          for (int t = 0; t < TOKENS; t++) a[t] = wasm_v128_load(xp + t * ldx + c);
          for (int r = 0; r < ROWS; r++) {
            v128_t b = wasm_v128_load(wp + r * ldw + c);
            for (int t = 0; t < TOKENS; t++) acc[r][t] = wasm_f32x4_add(acc[r][t], wasm_f32x4_mul(a[t], b));
          }
        }
        for (int r = 0; r < ROWS; r++) for (int t = 0; t < TOKENS; t++) y[(int64_t)(i + t) * ldy + j + r] = sum(acc[r][t]);
      } else {
        for (int r = 0; r < rows; r++) for (int t = 0; t < tokens; t++) {
          const float *xp = x + (int64_t)(i + t) * ldx, *wp = w + (int64_t)(j + r) * ldw;
          v128_t acc = wasm_f32x4_splat(0);
          for (int32_t c = 0; c < k; c += 4) acc = wasm_f32x4_add(acc, wasm_f32x4_mul(wasm_v128_load(xp + c), wasm_v128_load(wp + c)));
          y[(int64_t)(i + t) * ldy + j + r] = sum(acc);
        }
      }
    }
  }
}
