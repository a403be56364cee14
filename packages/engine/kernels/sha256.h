// SHA-256 (FIPS 180-4) of four messages of one length, one in each lane, and Merkle trees of SPEC section 20 over bytes that lie in this memory.
#pragma once
#include "fixed.h"
#include "sha256-constants.h"

typedef uint8_t u8;

enum { LANES = 4 };

#define SHIFT_RIGHT(x, n) wasm_u32x4_shr(x, n)
#define ROTATE(x, n) wasm_v128_or(wasm_u32x4_shr(x, n), wasm_i32x4_shl(x, 32 - (n)))
#define XOR3(a, b, c) wasm_v128_xor(wasm_v128_xor(a, b), c)
#define ADD(a, b) wasm_i32x4_add(a, b)

// The word 16 places on: small sigmas of FIPS 180-4 section 4.1.2.
static inline v128_t next_word(const v128_t *w, i32 i) {
  v128_t early = w[(i + 1) & 15], late = w[(i + 14) & 15];
  v128_t s0 = XOR3(ROTATE(early, 7), ROTATE(early, 18), SHIFT_RIGHT(early, 3));
  v128_t s1 = XOR3(ROTATE(late, 17), ROTATE(late, 19), SHIFT_RIGHT(late, 10));
  return ADD(ADD(w[i], s0), ADD(w[(i + 9) & 15], s1));
}

static inline void one_round(v128_t *s, i32 i, v128_t input) {
  v128_t a = s[-i & 7], b = s[(1 - i) & 7], c = s[(2 - i) & 7], e = s[(4 - i) & 7], f = s[(5 - i) & 7], g = s[(6 - i) & 7];
  v128_t choice = wasm_v128_xor(g, wasm_v128_and(e, wasm_v128_xor(f, g)));
  v128_t majority = wasm_v128_xor(b, wasm_v128_and(wasm_v128_xor(a, b), wasm_v128_xor(b, c)));
  v128_t t = ADD(ADD(s[(7 - i) & 7], XOR3(ROTATE(e, 6), ROTATE(e, 11), ROTATE(e, 25))), ADD(choice, input));
  s[(3 - i) & 7] = ADD(s[(3 - i) & 7], t);
  s[(7 - i) & 7] = ADD(ADD(t, majority), XOR3(ROTATE(a, 2), ROTATE(a, 13), ROTATE(a, 22)));
}

// One block of each message. A function of its own: V8 replaces the first, slow code of a function only where it is entered.
static __attribute__((noinline)) void compress(v128_t *state, const u8 *const block[LANES]) {
  v128_t w[16], s[8];
  for (i32 q = 0; q < 4; q++) {
    v128_t row[4];
    for (i32 lane = 0; lane < LANES; lane++) {
      v128_t bytes = wasm_v128_load(block[lane] + 16 * q);
      row[lane] = wasm_i8x16_shuffle(bytes, bytes, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12);
    }
    v128_t low01 = wasm_i32x4_shuffle(row[0], row[1], 0, 4, 1, 5), high01 = wasm_i32x4_shuffle(row[0], row[1], 2, 6, 3, 7);
    v128_t low23 = wasm_i32x4_shuffle(row[2], row[3], 0, 4, 1, 5), high23 = wasm_i32x4_shuffle(row[2], row[3], 2, 6, 3, 7);
    w[4 * q] = wasm_i64x2_shuffle(low01, low23, 0, 2);
    w[4 * q + 1] = wasm_i64x2_shuffle(low01, low23, 1, 3);
    w[4 * q + 2] = wasm_i64x2_shuffle(high01, high23, 0, 2);
    w[4 * q + 3] = wasm_i64x2_shuffle(high01, high23, 1, 3);
  }
#pragma clang loop unroll(full)
  for (i32 i = 0; i < 8; i++) s[i] = state[i];
#pragma clang loop unroll(disable)
  for (i32 r = 0; r < 48; r += 16) {
#pragma clang loop unroll(full)
    for (i32 i = 0; i < 16; i++) {
      one_round(s, i, ADD(w[i], wasm_v128_load32_splat(round_constants + r + i)));
      w[i] = next_word(w, i);
    }
  }
#pragma clang loop unroll(full)
  for (i32 i = 0; i < 16; i++) one_round(s, i, ADD(w[i], wasm_v128_load32_splat(round_constants + 48 + i)));
#pragma clang loop unroll(full)
  for (i32 i = 0; i < 8; i++) state[i] = ADD(state[i], s[i]);
}

// The block of prefix || data || 0x80 || 0... || bit length whose first byte is byte `start` of the data; `last` carries the length.
static void assemble(u8 *block, const u8 *prefix, i32 skip, const u8 *data, i32 length, i32 start, i32 last) {
  for (i32 q = 0; q < 4; q++) wasm_v128_store(block + 16 * q, wasm_i64x2_splat(0));
  i32 from = start < 0 ? 0 : start, to = start + HASH_BLOCK < length ? start + HASH_BLOCK : length;
  if (start < 0) __builtin_memcpy(block, prefix, (usize)skip);
  if (to > from) __builtin_memcpy(block + (from - start), data + from, (usize)(to - from));
  if (length >= start && length < start + HASH_BLOCK) block[length - start] = 0x80;
  if (!last) return;
  u32 bits = 8 * (u32)(skip + length);
  for (i32 i = 0; i < 4; i++) block[HASH_BLOCK - 1 - i] = (u8)(bits >> (8 * i));
}

// Digests of prefix || data[lane], all of one length: the first `wanted` of them, one behind the other.
static void hash_lanes(const u8 *prefix, i32 skip, const u8 *const data[LANES], i32 length, i32 wanted, u8 *digests) {
  v128_t state[8];
  u8 edge[LANES][HASH_BLOCK];
  for (i32 i = 0; i < 8; i++) state[i] = wasm_i32x4_splat((i32)initial_state[i]);
  i32 blocks = (skip + length + 8) / HASH_BLOCK + 1;
  for (i32 b = 0; b < blocks; b++) {
    const u8 *block[LANES];
    i32 start = b * HASH_BLOCK - skip, whole = start >= 0 && start + HASH_BLOCK <= length;
    for (i32 lane = 0; lane < LANES; lane++) {
      block[lane] = whole ? data[lane] + start : edge[lane];
      if (!whole) assemble(edge[lane], prefix, skip, data[lane], length, start, b == blocks - 1);
    }
    compress(state, block);
  }
  for (i32 lane = 0; lane < wanted; lane++) {
    for (i32 i = 0; i < 8; i++) {
      u32 word = __builtin_bswap32(((const u32 *)&state[i])[lane]);
      __builtin_memcpy(digests + lane * DIGEST + 4 * i, &word, 4);
    }
  }
}

// Digests of the leaves of `bytes` bytes: 1,024 each, the last may be shorter. At most 2^31 - 1,024 leaves.
void EXPORT(hash_leaves)(const u8 *data, usize bytes, u32 tag, u8 *digests) {
  const u8 prefix[2] = {LEAF_PREFIX, (u8)tag};
  usize full = bytes / LEAF;
  const u8 *lane[LANES];
  for (usize at = 0; at < full; at += LANES) {
    i32 wanted = full - at < LANES ? (i32)(full - at) : LANES;
    for (i32 i = 0; i < LANES; i++) lane[i] = data + (at + (usize)(i < wanted ? i : 0)) * LEAF;
    hash_lanes(prefix, sizeof prefix, lane, LEAF, wanted, digests + at * DIGEST);
  }
  if (bytes % LEAF == 0) return;
  for (i32 i = 0; i < LANES; i++) lane[i] = data + full * LEAF;
  hash_lanes(prefix, sizeof prefix, lane, (i32)(bytes % LEAF), 1, digests + full * DIGEST);
}

// Replaces digests of leaves by the top of their tree, in place. An odd node at the end of a level moves up unchanged.
void EXPORT(merkle_top)(u8 *digests, usize count) {
  const u8 prefix[1] = {NODE_PREFIX};
  for (usize width = count; width > 1; width = (width + 1) / 2) {
    usize pairs = width / 2;
    for (usize at = 0; at < pairs; at += LANES) {
      const u8 *lane[LANES];
      u8 parents[LANES * DIGEST];
      i32 wanted = pairs - at < LANES ? (i32)(pairs - at) : LANES;
      for (i32 i = 0; i < LANES; i++) lane[i] = digests + (at + (usize)(i < wanted ? i : 0)) * 2 * DIGEST;
      hash_lanes(prefix, sizeof prefix, lane, 2 * DIGEST, wanted, parents);
      __builtin_memcpy(digests + at * DIGEST, parents, (usize)wanted * DIGEST);
    }
    if (width % 2) __builtin_memcpy(digests + pairs * DIGEST, digests + (width - 1) * DIGEST, DIGEST);
  }
}
