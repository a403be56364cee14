// Threads that run one step together: every one of them runs the same phases, takes its share of each phase's items, and meets the others at its end.
#pragma once
#include "model.h"

typedef struct {
  i32 threads;
  i32 next; // item of this phase that nobody has taken
} team;

typedef struct {
  team *team;
  i32 index; // from 0
  scratch s;
} worker;

typedef struct {
  i32 first, end;
} span;

// The next items of `total` for this thread, a fraction of the rest: long runs of memory first, short ones at the end so that all finish together.
static inline bool take(const worker *me, i32 total, span *items) {
  team *t = me->team;
  i32 left = total - t->next;
  if (left <= 0) return false;
  *items = (span){t->next, total};
  t->next = total;
  return true;
}

// Returns when every thread has come here: what they wrote can be read, and the items of the next phase can be taken.
static inline void meet(const worker *me) { me->team->next = 0; }
