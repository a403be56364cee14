// Sleeping until a bell rings, for wait.h.
#pragma once
#ifdef __linux__
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif
#include <time.h>

static inline void look_again(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

static inline i64 clock_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * SECOND + now.tv_nsec;
}

// The result is how long it slept, in nanoseconds.
static inline i64 sleep_at(bell *p, i32 value, i64 nanoseconds) {
  i64 start = clock_now();
#ifdef __linux__
  struct timespec time = {nanoseconds / SECOND, nanoseconds % SECOND};
  syscall(SYS_futex, &p->value, FUTEX_WAIT_PRIVATE, value, &time, NULL, 0);
#else
  // No futex: short sleeps. They are rare, as threads look first.
  (void)p, (void)value, (void)nanoseconds;
  nanosleep(&(struct timespec){0, 50000}, NULL);
#endif
  return clock_now() - start;
}

static inline void wake_all(bell *p) {
#ifdef __linux__
  syscall(SYS_futex, &p->value, FUTEX_WAKE_PRIVATE, INT32_LIMIT, NULL, NULL, 0);
#else
  (void)p;
#endif
}
