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

// Orders all helpers to leave and waits until they have: they do so at once, as no step runs.
static void stop_helpers(loaded_model *model) {
  if (model->helpers > 0) model->kernels->dismiss(model->workers);
  for (i32 i = 0; i < model->helpers; i++) pthread_join(model->threads[i], NULL);
  model->helpers = 0;
  model->team.threads = 1;
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
