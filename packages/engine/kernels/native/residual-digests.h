// Digests of residual vectors (SPEC sections 20 and 23) with the SHA instructions of x86: some thirty small hashes a token, each of which would be a call from JavaScript.
#pragma once
#if defined(__x86_64__)
#define HAVE_RESIDUAL_DIGESTS
#include <cpuid.h>
#include <immintrin.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "../sha256-constants.h"

#define RESIDUAL_TAG 0x10
// int32 values of a vector, and leaves of 256 of them.
#define WIDTH_LIMIT 65536
#define LEAF_LIMIT (4 * WIDTH_LIMIT / LEAF)

static bool has_sha(void) {
  unsigned a, b, c, d;
  return __builtin_cpu_supports("sse4.1") && __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b >> 29 & 1) != 0;
}

// The instructions want the state in this order, from the highest lane: a b e f and c d g h.
typedef struct {
  __m128i abef, cdgh;
} sha_state;

__attribute__((target("sha,sse4.1"))) static void compress_block(sha_state *state, const uint8_t *block) {
  const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
  __m128i w[4], abef = state->abef, cdgh = state->cdgh;
  for (int i = 0; i < 4; i++) w[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)block + i), big_endian);
  for (int r = 0; r < 16; r++) {
    __m128i *now = w + r % 4, late = w[(r + 3) % 4];
    __m128i k = _mm_add_epi32(*now, _mm_loadu_si128((const __m128i *)(round_constants + 4 * r)));
    cdgh = _mm_sha256rnds2_epu32(cdgh, abef, k);
    abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_srli_si128(k, 8));
    __m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(*now, w[(r + 1) % 4]), _mm_alignr_epi8(late, w[(r + 2) % 4], 4));
    *now = _mm_sha256msg2_epu32(sum, late);
  }
  state->abef = _mm_add_epi32(state->abef, abef);
  state->cdgh = _mm_add_epi32(state->cdgh, cdgh);
}

// SHA-256 of head || data, at most 10 and LEAF bytes.
static void hash_message(const uint8_t *head, size_t skip, const void *data, size_t length, uint8_t *digest) {
  uint8_t message[LEAF + 2 * HASH_BLOCK];
  size_t used = skip + length, padded = (used + 8) / HASH_BLOCK * HASH_BLOCK + HASH_BLOCK;
  memcpy(message, head, skip);
  memcpy(message + skip, data, length);
  memset(message + used, 0, padded - used);
  message[used] = 0x80;
  for (int i = 0; i < 4; i++) message[padded - 1 - (size_t)i] = (uint8_t)(8 * used >> (8 * i));
  const uint32_t *h = initial_state;
  sha_state state = {_mm_set_epi32((int)h[0], (int)h[1], (int)h[4], (int)h[5]), _mm_set_epi32((int)h[2], (int)h[3], (int)h[6], (int)h[7])};
  for (size_t at = 0; at < padded; at += HASH_BLOCK) compress_block(&state, message + at);
  uint32_t abef[4], cdgh[4];
  memcpy(abef, &state.abef, sizeof abef);
  memcpy(cdgh, &state.cdgh, sizeof cdgh);
  const uint32_t words[8] = {abef[3], abef[2], cdgh[3], cdgh[2], abef[1], abef[0], cdgh[1], cdgh[0]};
  for (int i = 0; i < 8; i++) {
    uint32_t word = __builtin_bswap32(words[i]);
    memcpy(digest + 4 * i, &word, 4);
  }
}

// Root over the bytes of one vector of 1 to WIDTH_LIMIT values; little-endian, as this machine is.
static void residual_digest(const int32_t *values, size_t width, uint8_t *digest) {
  uint8_t level[LEAF_LIMIT * DIGEST];
  const uint8_t leaf_head[2] = {LEAF_PREFIX, RESIDUAL_TAG}, node_head[1] = {NODE_PREFIX};
  const uint8_t *data = (const uint8_t *)values;
  size_t bytes = 4 * width, leaves = (bytes + LEAF - 1) / LEAF;
  for (size_t i = 0; i < leaves; i++) {
    size_t length = bytes - i * LEAF < LEAF ? bytes - i * LEAF : LEAF;
    hash_message(leaf_head, 2, data + i * LEAF, length, level + i * DIGEST);
  }
  for (size_t count = leaves; count > 1; count = (count + 1) / 2) {
    for (size_t i = 0; i < count / 2; i++) hash_message(node_head, 1, level + 2 * i * DIGEST, 2 * DIGEST, level + i * DIGEST);
    if (count % 2) memmove(level + count / 2 * DIGEST, level + (count - 1) * DIGEST, DIGEST);
  }
  const uint8_t root_head[10] = {ROOT_PREFIX, RESIDUAL_TAG, 0, 0, 0, 0, 0, 0, (uint8_t)(leaves >> 8), (uint8_t)leaves};
  hash_message(root_head, 10, level, DIGEST, digest);
}
#endif
