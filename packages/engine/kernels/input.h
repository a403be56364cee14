// What goes into a matrix product: quantised rows, and what the instruction set wants them to look like.
#pragma once
#include "model.h"

typedef struct {
  i16 *values;   // [rows][columns]
  scale *scales; // [rows]
#ifndef __wasm__
  uint8_t *bytes; // [rows][2][columns], made by pack_row of the level
#endif
} input;

static inline input input_at(input in, i32 row, i32 columns) {
  in.values += (usize)row * (usize)columns;
  in.scales += row;
#ifndef __wasm__
  in.bytes += 2 * (usize)row * (usize)columns;
#endif
  return in;
}
