// Instruction sets that this file was built for, strongest first, and which of them this processor has.
#pragma once
#include <stdbool.h>

#include "kernel-table.h"

extern const kernel_table kernels_plain;
#ifdef __x86_64__
extern const kernel_table kernels_avx2, kernels_vnni;
#endif

typedef struct {
  const char *name;
  const kernel_table *kernels;
  bool (*present)(void);
} level;

static bool always(void) { return true; }
#ifdef __x86_64__
static bool has_avx2(void) { return __builtin_cpu_supports("avx2"); }
static bool has_vnni(void) {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vnni");
}
#endif

static const level levels[] = {
#ifdef __x86_64__
  {"vnni", &kernels_vnni, has_vnni},
  {"avx2", &kernels_avx2, has_avx2},
#endif
  {"plain", &kernels_plain, always},
};
#define LEVEL_COUNT ((i32)(sizeof levels / sizeof *levels))

// The level of that name; NULL when there is none or this processor cannot run it.
static const level *find_level(const char *name) {
  for (i32 i = 0; i < LEVEL_COUNT; i++) {
    if (strcmp(levels[i].name, name) == 0 && levels[i].present()) return levels + i;
  }
  return NULL;
}
