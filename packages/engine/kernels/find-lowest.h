// The one value that weights may not have (SPEC section 2).
#pragma once
#include "fixed.h"

// Place of the first -128 among `bytes` (a multiple of 64), or `bytes`.
usize EXPORT(find_lowest)(const i8 *values, usize bytes) {
  v128_t lowest = wasm_i8x16_splat(-128);
  for (usize at = 0; at < bytes; at += 64) {
    v128_t found = wasm_i64x2_splat(0);
    for (i32 i = 0; i < 4; i++) found = wasm_v128_or(found, wasm_i8x16_eq(wasm_v128_load(values + at + 16 * i), lowest));
    if (!wasm_v128_any_true(found)) continue;
    for (; values[at] != -128; at++) {}
    return at;
  }
  return bytes;
}
