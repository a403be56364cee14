// The threads of a loaded model that help its caller: as many as its team has workers, less one. Node's threads and signals know nothing of them.
#pragma once
#include <pthread.h>
#include <signal.h>

#include "loaded-model.h"

static void *run_helper(void *worker_of_team) {
  worker *me = worker_of_team;
  me->kernels->help(me);
  return NULL;
}

// Waits until all helpers have left. Where no step runs they are ordered to. Where a thread was lost they leave by themselves, and get no order: it would overwrite
// one that a late helper still reads. The wait ends: no helper can end in another way, all its waits see `lost`, and a step has no other loop without a limit.
static void stop_helpers(loaded_model *model) {
  if (model->helpers > 0 && __atomic_load_n(&model->team.lost, __ATOMIC_ACQUIRE) == 0) model->kernels->dismiss(model->workers);
  for (i32 i = 0; i < model->helpers; i++) pthread_join(model->threads[i], NULL);
  model->helpers = 0;
  model->team.threads = 1;
}

// What a step whose helpers are those of `model` ends with when it lost a thread: late helpers may still read its rows and write its results, so they leave first.
static void abandon_helpers(loaded_model *model) {
  __atomic_store_n(&model->team.lost, 1, __ATOMIC_RELEASE);
  stop_helpers(model);
}

// False when the system gives no more threads.
static bool start_helpers(loaded_model *model) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  bool started = true;
  for (i32 i = 1; started && i < model->team.threads; i++) {
    started = pthread_create(model->threads + model->helpers, NULL, run_helper, model->workers + i) == 0;
    if (started) model->helpers++;
  }
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (!started) {
    model->team.threads = model->helpers + 1; // those that are there are told to leave
    stop_helpers(model);
  }
  return started;
}
