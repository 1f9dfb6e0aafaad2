/* SPDX-License-Identifier: MIT */
/* test-sim-seeds.c - many seeds, each another order of everything: the scheduler's invariants hold in all.
 *
 * GMPSCOPE_SIM_SEEDS: how many; GMPSCOPE_SIM_FIRST: from which one on (1), so that a soak goes where none was before.
 * The first seed that fails is printed, with what to do about it.
 */
#include "test.h"

#include "found.h"
#include "program.h"
#include "run.h"
#include "wakes-main.h"

#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__)
#define SEEDS 4000 /* each costs four times as much */
#else
#define SEEDS 20000
#endif
#define EXITS  2000
#define PANICS 400
#define CALLS  400

static uint64_t number_in(const char *variable, uint64_t otherwise)
{
  const char *text = getenv(variable);
  return text ? strtoull(text, NULL, 10) : otherwise;
}

static void every_seed_keeps_the_invariants(void **state)
{
  static char text[8192];
  uint64_t n = number_in("GMPSCOPE_SIM_SEEDS", SEEDS), first = number_in("GMPSCOPE_SIM_FIRST", 1);
  (void)state;
  assert_true(n > 0 && first > 0);
  if (sim_run_many(first, n, NULL, 0, text, sizeof text) != n)
    fail_msg("%s(repeat it: build/tests/sim/sim-try SEED)", text);
  print_message("# %llu seeds from %llu on did well\n", (unsigned long long)n,
                (unsigned long long)first);
}

static void the_runs_that_found_bugs_do_well(void **state)
{
  static char text[8192];
  (void)state;
  for (size_t i = 0; i < sizeof found / sizeof found[0]; i++) {
    struct sim_run run = sim_run_of(found[i].program, found[i].procs, found[i].seed);
    if (!sim_run_alone(&run, text, sizeof text))
      fail_msg("%s%s", text, found[i].bug);
  }
}

/* What an M has done when another one exits, and the others may have answered, is told: see tracedoor.c, I3. */
static void who_exits_leaves_a_trace_that_holds(void **state)
{
  static char text[8192];
  struct sim_run before = { 0 };
  (void)state;
  for (uint64_t seed = 1; seed <= EXITS; seed++) {
    struct sim_run run = sim_run_of_seed(seed, NULL);
    if (run.program->code != 0)
      continue;
    run.is_recorded = run.exits = true;
    run.step = before.step; /* these are kept */
    run.out = before.out;
    if (!sim_run_alone(&run, text, sizeof text))
      fail_msg("%s", text);
    before = run;
  }
}

/* ---- main returns while another G panics, whose deferred call has woken it ---- */

MAIN(returns_at_once)
{
  go(panic_and_wake, &wg);
  rt_waitgroup_wait(&wg);
}
MAIN(returns_before_the_panic_is_told)
{
  go(panic_wake_and_yield, &wg);
  rt_waitgroup_wait(&wg);
}

static void a_panic_is_told_although_main_returns(void **state)
{
  static const struct sim_program programs[] = {
    { "returns-at-once", returns_at_once, 2, "panic: not to be lost" },
    { "returns-before", returns_before_the_panic_is_told, 2, "panic: not to be lost" },
  };
  static char text[8192];
  struct sim_run before = { 0 };
  (void)state;
  for (uint64_t seed = 1; seed <= PANICS; seed++) {
    struct sim_run run = { .program = &programs[seed % 2],
                           .seed = seed,
                           .procs = (int)(1 + seed / 2 % 4),
                           .step = before.step, /* these are kept */
                           .out = before.out };
    if (!sim_run_alone(&run, text, sizeof text))
      fail_msg("%s", text);
    before = run;
  }
}

/* ---- what may be told from a system call is told while somebody takes the P ---- */

static void talk_in_calls(void *unused)
{
  (void)unused;
  for (int i = 0; i < 20; i++) {
    rt_entersyscall();
    for (int k = 0; k < 12; k++) {
      struct rt_chan *chan = rt_chan_new(1, 1);
      rt_name(chan, "of a call");
      rt_log("call", "x");
      rt_chan_free(chan);
      sim_compute(2000);
    }
    rt_exitsyscall();
    rt_yield();
  }
  rt_waitgroup_done(&wg);
}
MAIN(talks_in_calls)
{
  for (int i = 0; i < 3; i++)
    go(talk_in_calls, NULL);
  rt_waitgroup_wait(&wg);
}

static void what_is_told_in_a_system_call_keeps_the_rules(void **state)
{
  static const struct sim_program program = { "talks-in-calls", talks_in_calls, 0, NULL };
  static char text[8192];
  struct sim_run before = { 0 };
  (void)state;
  for (uint64_t seed = 1; seed <= CALLS; seed++) {
    struct sim_run run = { .program = &program,
                           .seed = seed,
                           .procs = (int)(1 + seed % 3),
                           .is_recorded = true,
                           .step = before.step, /* these are kept */
                           .out = before.out };
    if (!sim_run_alone(&run, text, sizeof text))
      fail_msg("%s", text);
    before = run;
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = { cmocka_unit_test(the_runs_that_found_bugs_do_well),
                                      cmocka_unit_test(who_exits_leaves_a_trace_that_holds),
                                      cmocka_unit_test(a_panic_is_told_although_main_returns),
                                      cmocka_unit_test(
                                          what_is_told_in_a_system_call_keeps_the_rules),
                                      cmocka_unit_test(every_seed_keeps_the_invariants) };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
