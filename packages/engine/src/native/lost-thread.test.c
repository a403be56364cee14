// Run by lost-thread.test.ts: how a step of the addon ends when a thread is late. Says what is wrong, or nothing.
#include <stdio.h>
#include <string.h>
#include <sys/time.h>

#include "../../kernels/native/helpers.h"

// What levels.h names; nothing here computes.
const kernel_table kernels_plain, kernels_avx2, kernels_vnni;

#define LAST_ID 7
static int read_late;

static void ignore(int signal) { (void)signal; }

static int expect(bool right, const char *what) {
  if (!right) printf("%s\n", what);
  return right ? 0 : 1;
}

// Signals every 5 ms end each sleep early, and patience is a second all the same.
static int patience_is_time(void) {
  struct sigaction action = {.sa_handler = ignore};
  sigaction(SIGALRM, &action, NULL);
  struct itimerval often = {{0, 5000}, {0, 5000}}, never = {0};
  setitimer(ITIMER_REAL, &often, NULL);
  bell silent = {0};
  i32 lost = 0;
  i64 start = clock_now();
  bool rang = wait_for_ring(&silent, 0, 1, &lost);
  i64 waited = clock_now() - start;
  setitimer(ITIMER_REAL, &never, NULL);
  return expect(!rang, "expected no ring") + expect(waited >= SECOND && waited < 20 * SECOND, "expected a wait of about a second");
}

// A helper that takes its order and then gets no processor for three seconds.
static void help_late(worker *me) {
  if (!wait_for_ring(&me->post, 0, 0, &me->team->lost)) return;
  i64 until = clock_now() + 3 * SECOND;
  while (clock_now() < until) nanosleep(&(struct timespec){0, 50000000}, NULL);
  const row *rows = me->rows;
  read_late = me->task == FORWARD && me->m != NULL ? rows[me->count - 1].id : -1;
  ring(&me->done);
  wait_for_ring(&me->post, 1, 0, &me->team->lost);
}

static void order_to_leave(const worker *me) { call_team(me, LEAVE, NULL, NULL, 0); }

// The rows of a step live until the late helper has read them.
static int late_helper_is_awaited(void) {
  static const kernel_table kernels = {.help = help_late, .dismiss = order_to_leave};
  static loaded_model model = {.kernels = &kernels};
  if (!allocate_workspace(&model, 2) || !start_helpers(&model)) return expect(false, "expected a helper");
  model.team.patience = 1;
  row rows[2] = {{.id = 1}, {.id = LAST_ID}};
  call_team(model.workers, FORWARD, &model.m, rows, 2);
  meet(model.workers);
  int faults = expect(model.team.lost != 0, "expected a lost thread") + expect(read_late == 0, "expected a helper later than patience");
  abandon_helpers(&model);
  faults += expect(read_late == LAST_ID, "expected that the late helper had left, with its order whole") + expect(model.helpers == 0, "expected no helpers");
  memset(rows, 0, sizeof rows);
  stop_helpers(&model); // close() after it
  free(model.workers);
  free(model.workspace);
  return faults;
}

int main(void) { return patience_is_time() + late_helper_is_awaited(); }
