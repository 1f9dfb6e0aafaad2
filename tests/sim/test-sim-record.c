/* SPDX-License-Identifier: MIT */
/* test-sim-record.c - gmpscope record --sim: any program on the shipped runtime, in processes mapped anywhere. */
#include "test.h"

#include "run-cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* All that do no real I/O and end well; the program's output is not compared, because dumps show addresses. */
static const struct {
  const char *name, *form;
} demos[] = {
  { "sleep-defer", NULL },       { "sleep-defer", "reached" },  { "sleep-defer", "busy" },
  { "sleep-defer", "plain" },    { "sleep-defer", "locked" },   { "defer-list", NULL },
  { "defer-pool", NULL },        { "panic-recover", NULL },     { "panic-recover", "no-panic" },
  { "panic-recover", "nested" }, { "panic-recover", "goexit" }, { "panic-recover", "caller" },
  { "defer-cost", NULL },        { "defer-kinds", NULL },       { "m-idle", NULL },
  { "m-idle", "sleep" },         { "m-idle", "neither" },       { "m-idle", "nanosleep" },
  { "preempt", NULL },           { "syscall-gc", "short" },     { "deferred-sleep", "reached" },
  { "timer-defer", NULL },       { "timer-heap", NULL },        { "steal", NULL },
  { "ping-pong", NULL },
};

/* The events of the text form: what stands above them says when, and in which process, it was recorded. */
static const char *events_of(const struct run *dump)
{
  const char *events = strstr(dump->out, "\n@");
  assert_non_null(events);
  return events;
}

/* In a container, which may insist on random addresses, that is told. */
static void assert_silent(const struct run *run)
{
  const char *rest = run->err;
  if (strncmp(rest, "runtime: simulation: the kernel insists", 39) == 0)
    rest = strchr(rest, '\n') + 1;
  assert_string_equal(rest, "");
}

static struct run simulate(const char *seed, const char *file, const char *demo, const char *form)
{
  struct run run =
      run_cli("record", "-q", "--sim", seed, "-o", file, "--", run_built(demo), form, NULL);
  assert_null(strstr(run.err, "gmpscope: ")); /* a demo may dump its goroutines there */
  assert_int_equal(run.code, 0);
  run_free(&run);
  return run_cli("dump", file, NULL);
}

static void the_same_seed_records_the_same_events(void **state)
{
  (void)state;
  for (size_t i = 0; i < sizeof demos / sizeof demos[0]; i++) {
    char demo[64];
    snprintf(demo, sizeof demo, "runtime/demos/demo-%s", demos[i].name);
    struct run a = simulate("7", "a.db", demo, demos[i].form);
    struct run b = simulate("7", "b.db", demo, demos[i].form);
    struct run check = run_cli("check", "a.db", NULL);
    assert_int_equal(check.code, 0);
    assert_non_null(strstr(events_of(&a), " choice "));
    assert_int_equal(strcmp(events_of(&a), events_of(&b)), 0);
    run_free(&check), run_free(&a), run_free(&b);
  }
}

static void another_seed_records_other_events(void **state)
{
  (void)state;
  struct run a = simulate("7", "a.db", "runtime/demos/demo-steal", NULL);
  struct run b = simulate("8", "b.db", "runtime/demos/demo-steal", NULL);
  assert_int_not_equal(strcmp(events_of(&a), events_of(&b)), 0);
  run_free(&a), run_free(&b);
  a = run_cli("info", "b.db", NULL);
  assert_non_null(strstr(a.out, "sim_seed           8"));
  assert_non_null(strstr(a.out, "clock              virtual"));
  run_free(&a);
}

static void a_panic_is_simulated_to_its_end(void **state)
{
  (void)state;
  struct run run = run_cli("record", "-q", "--sim", "3", "-o", "p.db", "--",
                           run_built("runtime/demos/demo-nested-panic"), NULL);
  assert_int_equal(run.code, 2);
  assert_non_null(strstr(run.err, "simulation: seed 3, step "));
  run_free(&run);
  run = run_cli("check", "p.db", NULL);
  assert_int_equal(run.code, 0);
  run_free(&run);
}

static void a_wait_for_a_descriptor_is_told(void **state)
{
  (void)state;
  struct run run = run_cli("record", "-q", "--sim", "3", "-o", "w.db", "--",
                           run_built("runtime/demos/demo-m-idle"), "poll", NULL);
  assert_int_equal(run.code, 2);
  assert_non_null(strstr(run.err, "simulation: the program waits for a file descriptor"));
  run_free(&run);
}

static void sockets_are_refused_in_words(void **state)
{
  (void)state;
  struct run run = run_cli("record", "-q", "--sim", "3", "-o", "e.db", "--",
                           run_built("runtime/demos/demo-echo"), NULL);
  assert_int_equal(run.code, 2);
  assert_non_null(strstr(run.err, "simulation: sockets and pipes do real I/O"));
  run_free(&run);
}

static void pipes_and_listening_are_refused_in_words_too(void **state)
{
  (void)state;
  char *const forms[] = { "reads-a-pipe", "reads-a-pipe-on-stdin", "listens" };
  for (int i = 0; i < 3; i++) {
    struct run run = run_cli("record", "-q", "--sim", "3", "-o", "e.db", "--",
                             run_built("tests/sim/simulated"), forms[i], NULL);
    assert_int_equal(run.code, 2);
    assert_non_null(strstr(run.err, "fatal error: simulation: sockets and pipes do real I/O"));
    run_free(&run);
  }
}

/* In virtual time, at once. */
static void a_dump_says_for_how_many_minutes_a_goroutine_has_waited(void **state)
{
  (void)state;
  struct run run = run_cli("record", "-q", "--sim", "3", "-o", "m.db", "--",
                           run_built("tests/sim/simulated"), "waits", NULL);
  assert_silent(&run);
  assert_int_equal(run.code, 0);
  assert_non_null(strstr(run.out, "goroutine 2 [chan receive, 4 minutes]:\n"));
  assert_non_null(strstr(run.out, "goroutine 3 [sleep]:\n")); /* it wakes every second */
  assert_non_null(strstr(run.out, "goroutine 1 [running]:\n"));
  run_free(&run);
}

static void a_main_that_returns_wired_lets_go_of_its_thread(void **state)
{
  (void)state;
  struct run run = run_cli("record", "-q", "--sim", "3", "-o", "l.db", "--",
                           run_built("tests/sim/simulated"), "returns-wired", NULL);
  assert_silent(&run);
  assert_int_equal(run.code, 0);
  run_free(&run);
  run = run_cli("check", "l.db", NULL);
  assert_int_equal(run.code, 0);
  run_free(&run);
}

static void a_seed_is_a_number_from_1_on(void **state)
{
  (void)state;
  struct run run = run_cli("record", "--sim", "0", "--", "/bin/true", NULL);
  run_expect_refusal(&run, 2, "\"0\" is no seed");
  run_free(&run);
}

/* The spinner waits for what another G would do; there is one thread, so it waits for ever. */
static void who_computes_for_ever_is_told(void **state)
{
  (void)state;
  struct run run = run_cli("record", "-q", "--sim", "7", "-o", "s.db", "--",
                           run_built("tests/sim/simulated"), "spins", NULL);
  assert_int_equal(run.code, 2);
  assert_non_null(
      strstr(run.err, "fatal error: simulation: goroutine 2 (spinner) has run its own code for "));
  assert_non_null(strstr(run.err, "call rt_safepoint in its loop"));
  assert_non_null(strstr(run.err, "\nsimulation: seed 7, step "));
  run_free(&run);
  run = run_cli("check", "s.db", NULL);
  assert_int_equal(run.code, 0);
  run_free(&run);
}

/* ---- rt_options.sim_seed: the program asks itself ---- */

static struct run ask(char *what, char *a, char *b)
{
  char *argv[] = { strdup(run_built("tests/sim/simulated")), what, a, b, NULL };
  struct run run = run_argv(argv, NULL, false);
  free(argv[0]);
  return run;
}

static void a_program_that_asks_for_a_seed_is_simulated(void **state)
{
  (void)state;
  struct run a = ask("seeds", "7", NULL), b = ask("seeds", "7", NULL), c = ask("seeds", "8", NULL);
  assert_silent(&a);
  assert_int_equal(a.code, 0);
  assert_int_equal(strncmp(a.out, "7 ", 2), 0);
  assert_string_equal(a.out, b.out);
  assert_string_not_equal(a.out + 1, c.out + 1);
  run_free(&a), run_free(&b), run_free(&c);
}

/* Not only if the recorder was told. */
static void its_seed_is_in_the_trace(void **state)
{
  (void)state;
  struct run run = run_cli("record", "-q", "-o", "s.db", "--", run_built("tests/sim/simulated"),
                           "seeds", "7", NULL);
  assert_int_equal(run.code, 0);
  run_free(&run);
  run = run_cli("info", "s.db", NULL);
  assert_non_null(strstr(run.out, "\n  sim_seed           7\n"));
  run_free(&run);
}

static void each_of_its_runs_may_have_a_seed(void **state)
{
  (void)state;
  struct run a = ask("seeds", "7", "9"), b = ask("seeds", "7", "9"), c = ask("seeds", "7", NULL);
  assert_silent(&a);
  assert_string_equal(a.out, b.out);
  assert_non_null(strstr(a.out, "\n9 "));
  assert_int_equal(strncmp(a.out, c.out, strlen(c.out)), 0);
  run_free(&a), run_free(&b), run_free(&c);
}

static void a_seed_that_comes_too_late_is_refused_in_words(void **state)
{
  (void)state;
  struct run run = ask("seeds", "0", "7");
  assert_non_null(strstr(run.out, "\n7: -22\n"));
  assert_string_equal(
      run.err, "runtime: no simulation: the program has run without it before; it can begin with "
               "the first run only\n");
  run_free(&run);
  run = ask("thread", NULL, NULL);
  assert_string_equal(run.out, "-22\n");
  assert_string_equal(
      run.err, "runtime: no simulation: the program has other threads, which would be ended\n");
  run_free(&run);
}

/* ---- the same course, recorded or not ---- */

/* The step and the time at which it died. */
static struct run die(char *what, char *seed, bool is_recorded)
{
  char debug[32];
  snprintf(debug, sizeof debug, "sim=%s", seed);
  if (!is_recorded)
    setenv("RT_DEBUG", debug, 1);
  struct run run = is_recorded ? run_cli("record", "-q", "--sim", seed, "-o", "d.db", "--",
                                         run_built("tests/sim/simulated"), what, NULL)
                               : ask(what, NULL, NULL);
  unsetenv("RT_DEBUG");
  assert_int_equal(run.code, 2);
  assert_non_null(strstr(run.err, "\nsimulation: seed "));
  return run;
}

static void names_told_in_system_calls_do_not_change_what_comes(void **state)
{
  (void)state;
  char *seeds[] = { "1", "2", "3", "4", "5" };
  for (int i = 0; i < 5; i++) {
    struct run a = die("names-in-calls", seeds[i], false),
               b = die("names-in-calls", seeds[i], true);
    assert_string_equal(strstr(a.err, "\nsimulation: "), strstr(b.err, "\nsimulation: "));
    run_free(&a), run_free(&b);
  }
}

/* ---- fork ---- */

/* What the child does is in no trace, and nobody else's steps are the child's. */
static struct run record_forks(const char *seed, const char *file)
{
  struct run run = run_cli("record", "-q", "--sim", seed, "-o", file, "--",
                           run_built("tests/sim/simulated"), "forks", NULL);
  assert_silent(&run);
  assert_string_equal(run.out, "");
  assert_int_equal(run.code, 0);
  run_free(&run);
  run = run_cli("check", file, NULL);
  if (run.code != 0)
    fail_msg("seed %s: %s%s", seed, run.out, run.err);
  run_free(&run);
  return run_cli("dump", file, NULL);
}

static void a_child_of_fork_does_only_what_it_is_told(void **state)
{
  (void)state;
  for (int i = 1; i <= 5; i++) {
    char seed[8];
    snprintf(seed, sizeof seed, "%d", i);
    struct run a = record_forks(seed, "a.db"), b = record_forks(seed, "b.db");
    assert_int_equal(strcmp(events_of(&a), events_of(&b)), 0);
    run_free(&a), run_free(&b);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_same_seed_records_the_same_events),
    cmocka_unit_test(a_panic_is_simulated_to_its_end),
    cmocka_unit_test(another_seed_records_other_events),
    cmocka_unit_test(a_wait_for_a_descriptor_is_told),
    cmocka_unit_test(sockets_are_refused_in_words),
    cmocka_unit_test(pipes_and_listening_are_refused_in_words_too),
    cmocka_unit_test(a_dump_says_for_how_many_minutes_a_goroutine_has_waited),
    cmocka_unit_test(a_main_that_returns_wired_lets_go_of_its_thread),
    cmocka_unit_test(a_seed_is_a_number_from_1_on),
    cmocka_unit_test(a_child_of_fork_does_only_what_it_is_told),
    cmocka_unit_test(who_computes_for_ever_is_told),
    cmocka_unit_test(a_program_that_asks_for_a_seed_is_simulated),
    cmocka_unit_test(its_seed_is_in_the_trace),
    cmocka_unit_test(each_of_its_runs_may_have_a_seed),
    cmocka_unit_test(a_seed_that_comes_too_late_is_refused_in_words),
    cmocka_unit_test(names_told_in_system_calls_do_not_change_what_comes),
  };
  return cmocka_run_group_tests(tests, run_set_up, run_tear_down);
}
