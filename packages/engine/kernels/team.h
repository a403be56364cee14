// Threads that run one step together: every one of them runs the same phases, takes its share of each phase's items, and meets the others at its end.
#pragma once
#include "model.h"
#include "wait.h"

typedef enum { FORWARD, LOGITS, LEAVE } task;

typedef struct worker worker;
#ifndef __wasm__
struct kernel_table;
#endif

typedef struct {
  i32 threads;
  i32 patience; // seconds after which a thread that does not come is given up
  worker *workers;
  i32 lost; // not 0: a thread is gone, results are worth nothing
  i32 apart[12];
  i32 next; // item of this phase that nobody has taken
  i32 apart_too[15];
  i32 arrived;
  bell meeting; // changes when all have arrived
} team;

// The first worker is the caller's; the others wait for orders in `help`.
struct worker {
  team *team;
  i32 index; // from 0
#ifndef __wasm__
  const struct kernel_table *kernels;
#endif
  scratch s;
  // An order to this thread; `post` changes when it is complete, `done` when it has been carried out.
  task task;
  const worker *as;
  const model *m;
  const void *rows;
  i32 count;
  bell post, done;
};

typedef struct {
  i32 first, end;
} span;

// The next items of `total` for this thread, a fraction of the rest: long runs of memory first, short ones at the end so that all finish together.
static inline bool take(const worker *me, i32 total, span *items) {
  team *t = me->team;
  if (t->threads == 1) {
    *items = (span){t->next, total};
    t->next = total;
    return items->first < total;
  }
  if (__atomic_load_n(&t->lost, __ATOMIC_RELAXED) != 0) return false;
  i32 left = total - __atomic_load_n(&t->next, __ATOMIC_RELAXED), share = left / (2 * t->threads);
  if (left <= 0) return false;
  if (share < 1) share = 1;
  i32 first = __atomic_fetch_add(&t->next, share, __ATOMIC_RELAXED);
  *items = (span){first, total - first < share ? total : first + share};
  return first < total;
}

// Returns when every thread has come here: what they wrote can be read, and the items of the next phase can be taken.
static inline void meet(const worker *me) {
  team *t = me->team;
  if (t->threads == 1) {
    t->next = 0;
    return;
  }
  i32 before = value_of(&t->meeting);
  if (__atomic_add_fetch(&t->arrived, 1, __ATOMIC_ACQ_REL) < t->threads) {
    if (!wait_for_ring(&t->meeting, before, t->patience, &t->lost)) __atomic_store_n(&t->lost, 1, __ATOMIC_RELEASE);
    return;
  }
  __atomic_store_n(&t->arrived, 0, __ATOMIC_RELAXED);
  __atomic_store_n(&t->next, 0, __ATOMIC_RELAXED);
  ring(&t->meeting);
}

static inline void order(worker *to, task task, const worker *as, const model *m, const void *rows, i32 count) {
  to->task = task, to->as = as, to->m = m, to->rows = rows, to->count = count;
  ring(&to->post);
}

// Calls the other threads of the caller's team to the same step.
static inline void call_team(const worker *me, task task, const model *m, const void *rows, i32 count) {
  team *t = me->team;
  for (i32 i = 1; i < t->threads; i++) order(t->workers + i, task, t->workers + i, m, rows, count);
}
