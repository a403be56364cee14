// What the executors call, and its operations one by one for tests. Every buffer belongs to the caller.
#include "fixed.h"
#if defined(__AVX512VNNI__)
#include "native/matmul-vnni.h"
#elif defined(__AVX2__)
#include "native/matmul-avx2.h"
#else
#include "matmul.h"
#endif
#include "step.h"

static __attribute__((noinline)) void run(const worker *me, task task, const model *m, const void *rows, i32 count) {
  if (task == FORWARD) run_step(&(step){.m = m, .rows = rows, .count = count, .me = me});
  else run_logits(&(step){.m = m, .wanted = rows, .count = count, .me = me});
}

// Runs `count` rows, which fill their caches: rows of one sequence stand in the order of their positions. Not 0 when a thread was lost.
i32 EXPORT(forward)(const model *m, const worker *me, const row *rows, i32 count) {
  call_team(me, FORWARD, m, rows, count);
  run(me, FORWARD, m, rows, count);
  return me->team->lost;
}

// Logits of the rows `wanted` of the last step into w.logits. Not 0 when a thread was lost.
i32 EXPORT(logits)(const model *m, const worker *me, const i32 *wanted, i32 count) {
  call_team(me, LOGITS, m, wanted, count);
  run(me, LOGITS, m, wanted, count);
  return me->team->lost;
}

// The whole life of a thread that helps: returns after the order to leave, or when another thread is lost.
void EXPORT(help)(worker *me) {
  for (i32 orders = 0; wait_for_ring(&me->post, orders, 0, &me->team->lost); orders++) {
    if (me->task == LEAVE) return;
    run(me->as, me->task, me->m, me->rows, me->count);
    ring(&me->done);
  }
}

// Lets one helper run something alone, as a worker of another team. Not 0 when it does not answer.
i32 EXPORT(run_apart)(worker *helper, i32 task, const worker *as, const model *m, const void *rows, i32 count) {
  order(helper, task, as, m, rows, count);
  for (i32 orders = value_of(&helper->post), done; (done = value_of(&helper->done)) != orders;) {
    if (!wait_for_ring(&helper->done, done, helper->team->patience, &helper->team->lost)) return 1;
  }
  return 0;
}

void EXPORT(dismiss)(const worker *me) { call_team(me, LEAVE, NULL, NULL, 0); }

// Single operations, for the tests that compare them with the reference.
u32 EXPORT(op_exp2n)(u32 d, i32 fraction_bits) { return (u32)exp2n(d, fraction_bits); }

u64 EXPORT(op_isqrt)(u64 n) { return isqrt(n); }

void EXPORT(op_sdiv)(scale *s, u64 denominator) { *s = sdiv(*s, denominator); }

void EXPORT(op_quantise)(const i64 *v, i32 n, i32 bits, i16 *q, scale *s) { *s = quantise(v, n, bits, q); }

void EXPORT(op_rms_norm_quantise)(const i32 *x, i32 n, const i32 *weights, i32 exponent, u64 epsilon, i32 bits, i64 *wide, i16 *q, scale *s) {
  norm w = {weights, exponent};
  *s = rms_norm_quantise(x, n, &w, epsilon, bits, wide, q);
}

void EXPORT(op_norm_head)(i32 *x, i32 n, const i32 *weights, i32 exponent, u64 epsilon) { norm_head(x, n, &(norm){weights, exponent}, epsilon); }

#ifdef __wasm__
void EXPORT(op_matmul)(const matrix *m, i16 *x, scale *scales, i32 tokens, i32 fraction_bits, i16 *panel, i64 *sums, i32 *y) {
  scratch s = {.panel = panel, .sums = sums};
  matmul_rows(m, 0, m->rows, (input){x, scales}, tokens, fraction_bits, &s, y, m->rows);
}
#endif

void EXPORT(op_rope)(const i32 *head, const i16 *table, i32 size, i64 *out) { rope(head, table, size, out); }

void EXPORT(op_store_key_value)(i8 *cache, i32 capacity, i32 position, const i32 *key, const i32 *value, const i16 *table, i32 size) {
  kv_head head = kv_head_at(cache, capacity, head_stride(size), 0);
  store_key_value(&head, position, key, value, table, size);
}

void EXPORT(op_attend)(i32 size, i32 mantissa, i32 exponent, const i64 *q, i8 *cache, i32 capacity, i32 positions, i32 *scores, i64 *weighted, i16 *probability, i64 *out) {
  model m = {.head_size = size, .attention_mantissa = mantissa, .attention_exponent = exponent};
  scratch s = {.scores = scores, .weighted = weighted, .probability = probability};
  kv_head head = kv_head_at(cache, capacity, head_stride(size), 0);
  attend(q, &head, positions, &m, &s, out);
}

void EXPORT(op_embed)(const matrix *m, i32 id, i32 width, i32 *x) { embed(m, id, width, x); }

void EXPORT(op_swiglu)(const i32 *gate, const i32 *up, i32 n, i64 *z) { swiglu(gate, up, n, z); }

void EXPORT(op_add_to_residual)(i32 *x, const i32 *y, i32 n) { add_to_residual(x, y, n); }

#ifdef __wasm__
// checks at load time; the addon's host has faster ones
#include "find-lowest.h"
#include "sha256.h"
#else
#include "native/fill-table.h"
#endif
