// Something in memory that threads wait at: first looking again and again, as the others need microseconds, then asleep.
#pragma once
#include "fixed.h"

// Looks before sleep: some ten microseconds.
#define LOOKS 8192
#define SECOND 1000000000LL

typedef struct {
  i32 value, asleep;
} bell;

static inline i32 value_of(const bell *p) { return __atomic_load_n(&p->value, __ATOMIC_ACQUIRE); }

#ifdef __wasm__
#define TIMED_OUT 2 // of memory.atomic.wait32
static inline void look_again(void) {}
// Returns on a wake, without one after `nanoseconds`, and at once when the value is another.
// The result is how long it slept; there is no clock here, so a sleep that ended early counts nothing.
static inline i64 sleep_at(bell *p, i32 value, i64 nanoseconds) {
  return __builtin_wasm_memory_atomic_wait32(&p->value, value, nanoseconds) == TIMED_OUT ? nanoseconds : 0;
}
static inline void wake_all(bell *p) { __builtin_wasm_memory_atomic_notify((i32 *)&p->value, 0xffffffff); }
#else
#include "native/sleep.h"
#endif

// Whoever sees the new value sees all that was written before.
static inline void ring(bell *p) {
  __atomic_add_fetch(&p->value, 1, __ATOMIC_SEQ_CST);
  if (__atomic_load_n(&p->asleep, __ATOMIC_SEQ_CST) != 0) wake_all(p);
}

// Returns when the value is no longer `before`; false when `*lost` is set or nothing happens for `seconds` (0: waits for ever). Seconds, not sleeps:
// a sleep may be a short one or end by a signal. None counts for more than it was meant to last, as all threads stand still when the machine or process does.
static inline bool wait_for_ring(bell *p, i32 before, i32 seconds, const i32 *lost) {
  for (i32 i = 0; i < LOOKS; i++) {
    if (value_of(p) != before) return true;
    look_again();
  }
  for (i64 waited = 0; value_of(p) == before;) {
    if (__atomic_load_n(lost, __ATOMIC_ACQUIRE) != 0 || (seconds > 0 && waited > seconds * SECOND)) return false;
    __atomic_add_fetch(&p->asleep, 1, __ATOMIC_SEQ_CST);
    i64 slept = sleep_at(p, before, SECOND);
    waited += slept < SECOND ? slept : SECOND;
    __atomic_sub_fetch(&p->asleep, 1, __ATOMIC_SEQ_CST);
  }
  return true;
}
