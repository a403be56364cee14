// Something in memory that threads wait at: first looking again and again, as the others need microseconds, then asleep.
#pragma once
#include "fixed.h"

// Looks before sleep: some ten microseconds.
#define LOOKS 8192

typedef struct {
  i32 value, asleep;
} bell;

static inline i32 value_of(const bell *p) { return __atomic_load_n(&p->value, __ATOMIC_ACQUIRE); }

#ifdef __wasm__
static inline void look_again(void) {}
// Returns on a wake, without one after `nanoseconds` (negative: never), and at once when the value is another.
static inline void sleep_at(bell *p, i32 value, i64 nanoseconds) { __builtin_wasm_memory_atomic_wait32(&p->value, value, nanoseconds); }
static inline void wake_all(bell *p) { __builtin_wasm_memory_atomic_notify((i32 *)&p->value, 0xffffffff); }
#else
#include "native/sleep.h"
#endif

// Whoever sees the new value sees all that was written before.
static inline void ring(bell *p) {
  __atomic_add_fetch(&p->value, 1, __ATOMIC_SEQ_CST);
  if (__atomic_load_n(&p->asleep, __ATOMIC_SEQ_CST) != 0) wake_all(p);
}

// Returns when the value is no longer `before`; false when `*lost` is set or nothing happens for `seconds` (0: waits for ever).
static inline bool wait_for_ring(bell *p, i32 before, i32 seconds, const i32 *lost) {
  for (i32 i = 0; i < LOOKS; i++) {
    if (value_of(p) != before) return true;
    look_again();
  }
  for (i32 slept = 0; value_of(p) == before; slept++) {
    if (__atomic_load_n(lost, __ATOMIC_ACQUIRE) != 0 || (seconds > 0 && slept > seconds)) return false;
    __atomic_add_fetch(&p->asleep, 1, __ATOMIC_SEQ_CST);
    sleep_at(p, before, 1000000000);
    __atomic_sub_fetch(&p->asleep, 1, __ATOMIC_SEQ_CST);
  }
  return true;
}
