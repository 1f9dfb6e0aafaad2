/* SPDX-License-Identifier: MIT */
/* test-traced.c - what a recorded program does at its edges: it ends slowly, runs twice, gets no threads.
 *
 * The test is its own program: called with a name, it is the program of that name; called without, it records
 * itself by that name with the built gmpscope, and lets gmpscope check say whether the trace keeps every rule.
 */
#include "run-cli.h"
#include "test.h"

#include "rt.h"

#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define CALLERS 6

/* ---- a program whose exit is slow, and needs threads that it did not have before ---- */

static atomic_int n_alive, n_inside, n_back;
static atomic_bool trace_is_over;

/* Registered before the runtime's own, so it runs after that: the trace has its end. */
static void exit_slowly(void)
{
  atomic_store(&trace_is_over, true);
  while (atomic_load(&n_back) < CALLERS)
    sched_yield();
}

/* All of them are in a system call at once, so each needs a thread. */
static void call_with_all_the_others(void *unused)
{
  (void)unused;
  atomic_fetch_add(&n_alive, 1);
  while (!atomic_load(&trace_is_over))
    rt_yield();
  rt_entersyscall();
  atomic_fetch_add(&n_inside, 1);
  while (atomic_load(&n_inside) < CALLERS)
    sched_yield();
  rt_exitsyscall();
  atomic_fetch_add(&n_back, 1);
}

static int ends_slowly(int argc, char **argv)
{
  (void)argc, (void)argv;
  for (int i = 0; i < CALLERS; i++)
    rt_go(call_with_all_the_others, NULL);
  while (atomic_load(&n_alive) == 0) /* without yielding: so another M runs them */
    sched_yield();
  return 0;
}

/* ---- a program that gets no thread any more ---- */

static struct rt_waitgroup all_done;

static void *read_clock_often(void *unused)
{
  for (int i = 0; i < 1000; i++)
    getppid();
  return unused;
}

static void work_a_little(void *arg)
{
  struct rt_chan *chan = arg;
  for (int i = 0; i < 20; i++) {
    rt_chan_send(chan, &i);
    rt_blocking(read_clock_often, NULL);
    rt_sleep(1000);
  }
  rt_waitgroup_done(&all_done);
}

static void take_all(void *arg)
{
  int got;
  while (rt_chan_recv(arg, &got))
    rt_yield();
}

static struct rlimit usual;

/* From now on no thread is made. */
static bool refuse_threads(void)
{
  if (getrlimit(RLIMIT_NPROC, &usual) != 0)
    return false;
  const struct rlimit none = { 1, usual.rlim_max }; /* this process is one already */
  return setrlimit(RLIMIT_NPROC, &none) == 0;
}

static int gets_no_threads(int argc, char **argv)
{
  (void)argc, (void)argv;
  if (!refuse_threads())
    return 3;
  struct rt_chan *chan = rt_chan_new(sizeof(int), 4);
  rt_go(take_all, chan);
  rt_waitgroup_add(&all_done, 10);
  for (int i = 0; i < 10; i++)
    rt_go(work_a_little, chan);
  rt_waitgroup_wait(&all_done);
  rt_chan_close(chan);
  return setrlimit(RLIMIT_NPROC, &usual); /* the leak sanitizer wants a thread at exit */
}

/* One P, in a system call that ends only when the other G has run: that one needs a thread, which is
 * refused at first, and granted later. */
static atomic_bool may_leave;

static void let_leave(void *unused)
{
  (void)unused;
  atomic_store(&may_leave, true);
}

static int gets_a_thread_late(int argc, char **argv)
{
  (void)argc, (void)argv;
  if (!refuse_threads())
    return 3;
  rt_go(let_leave, NULL);
  rt_entersyscall();
  for (int i = 0; !atomic_load(&may_leave); i++) {
    usleep(1000);
    if (i == 50) /* after sysmon has tried */
      setrlimit(RLIMIT_NPROC, &usual);
  }
  rt_exitsyscall();
  return 0;
}

/* Not even sysmon gets one: the run cannot begin; once it can, it does. */
static void do_nothing(void *unused)
{
  (void)unused;
}

static int begins_late(void)
{
  if (!refuse_threads() || rt_run(do_nothing, NULL, NULL) != -EAGAIN)
    return 3;
  setrlimit(RLIMIT_NPROC, &usual);
  return -rt_run(do_nothing, NULL, NULL);
}

/* ---- a program that runs the scheduler twice ---- */

static void yield_once(void *unused)
{
  (void)unused;
  rt_yield();
}

/* ---- a G that never blocks, but has safe points ---- */

static void stop_the_other(void *unused)
{
  (void)unused;
  atomic_store(&may_leave, true);
}

static int is_preempted(int argc, char **argv)
{
  (void)argc, (void)argv;
  rt_gomaxprocs(1);
  rt_go(stop_the_other, NULL);
  while (!atomic_load(&may_leave))
    rt_safepoint();
  return 0;
}

/* ---- a program that stops the world, and says why ---- */

static int stops_the_world(int argc, char **argv)
{
  (void)argc, (void)argv;
  rt_stop_the_world("a checkpoint is written");
  rt_start_the_world();
  rt_stop_the_world(NULL);
  rt_start_the_world();
  return 0;
}

/* ---- Gs that sleep one after the other, in the same memory ---- */

static void sleep_twice(void *done)
{
  rt_sleep(1000);
  rt_sleep(1000);
  rt_chan_close(done);
}

static int sleeps_in_turn(int argc, char **argv)
{
  (void)argc, (void)argv;
  for (int i = 0; i < 3; i++) {
    struct rt_chan *done = rt_chan_new(0, 0);
    rt_go(sleep_twice, done);
    rt_chan_recv(done, NULL);
    rt_chan_free(done);
  }
  return 0;
}

/* ---- a G whose turn to read came before its deadline, and which sleeps then ---- */

static int pipe_ends[2];

static void read_and_sleep(void *with_deadline)
{
  char byte;
  rt_read(pipe_ends[0], &byte, 1, with_deadline ? rt_now() + 1000000000 : 0);
  rt_sleep(1000);
  rt_waitgroup_done(&all_done);
}

static int waits_for_its_turn(int argc, char **argv)
{
  (void)argc, (void)argv;
  if (pipe(pipe_ends) != 0)
    return 3;
  rt_waitgroup_add(&all_done, 2);
  rt_go(read_and_sleep, NULL);
  rt_yield();
  struct rt_chan *earlier = rt_after(500000000);
  rt_go(read_and_sleep, &all_done);
  rt_yield();
  struct rt_chan *later =
      rt_after(2000000000); /* the stopped deadline is neither first nor last in the heap */
  rt_write(pipe_ends[1], "x", 1, 0);
  rt_sleep(1000000);
  rt_write(pipe_ends[1], "x", 1, 0);
  rt_waitgroup_wait(&all_done);
  rt_chan_free(earlier);
  rt_chan_free(later);
  return 0;
}

/* ---- a program that says what things mean ---- */

static uint64_t task;

static void pack_it(void *done)
{
  rt_region_begin("pack");
  rt_region_begin("seal");
  rt_region_end();
  rt_region_end();
  rt_region_end(); /* of none: nothing */
  rt_task_end(task);
  rt_chan_close(done);
}

static int says_what_it_does(int argc, char **argv)
{
  (void)argc, (void)argv;
  char longer[2000];
  memset(longer, 'x', sizeof longer);
  longer[sizeof longer - 1] = '\0';
  struct rt_chan *done = rt_chan_new(0, 0);
  rt_name(done, "packed");
  struct rt_timer *timer = rt_after_func(3600000000000, pack_it, done);
  struct rt_ticker *ticker = rt_ticker_new(3600000000000);
  rt_name(timer, "reminder");
  rt_name(ticker, "clock");
  task = rt_task_begin("order");
  rt_log("shop", "%d of %s", 7, "tea");
  rt_log("long", "%s", longer);
  rt_go_named("packer", pack_it, done);
  rt_chan_recv(done, NULL);
  rt_chan_free(done);
  rt_timer_free(timer);
  rt_ticker_free(ticker);
  return task == 0;
}

/* ---- the tests ---- */

static int run_as(const char *name, int argc, char **argv)
{
  if (strcmp(name, "ends-slowly") == 0) {
    atexit(exit_slowly);
    return rt_main(argc, argv, ends_slowly);
  }
  if (strcmp(name, "runs-twice") == 0)
    return -rt_run(yield_once, NULL, NULL) - rt_run(yield_once, NULL, NULL);
  if (strcmp(name, "no-threads") == 0)
    return rt_main(argc, argv, gets_no_threads);
  if (strcmp(name, "late-thread") == 0)
    return rt_main(argc, argv, gets_a_thread_late);
  if (strcmp(name, "begins-late") == 0)
    return begins_late();
  if (strcmp(name, "preempted") == 0)
    return rt_main(argc, argv, is_preempted);
  if (strcmp(name, "sleeps-in-turn") == 0)
    return rt_main(argc, argv, sleeps_in_turn);
  if (strcmp(name, "waits-for-its-turn") == 0)
    return rt_main(argc, argv, waits_for_its_turn);
  if (strcmp(name, "says-what-it-does") == 0)
    return rt_main(argc, argv, says_what_it_does);
  if (strcmp(name, "stops-the-world") == 0)
    return rt_main(argc, argv, stops_the_world);
  return 4;
}

static char self[4096];

/* Records the program of that name with that many Ps; returns what the recorder said. */
static struct run record(const char *name, const char *procs)
{
  setenv("RT_MAXPROCS", procs, 1);
  char *argv[] = {
    (char *)run_built("recorder/gmpscope"), "record", "-o", "t.db", "--", self, (char *)name, NULL
  };
  struct run run = run_argv(argv, NULL, run_as_nobody());
  if (run.code != 0)
    fail_msg("%s with %s Ps ended with %d: %s", name, procs, run.code, run.err);
  return run;
}

static void assert_keeps_every_rule(const char *name)
{
  struct run check = run_cli("check", "t.db", NULL);
  if (check.code != 0)
    fail_msg("%s: %s%s", name, check.out, check.err);
  run_free(&check);
}

static void record_and_check(const char *name, const char *procs)
{
  struct run run = record(name, procs);
  run_free(&run);
  assert_keeps_every_rule(name);
}

static int count_lines_with(const char *text, const char *part)
{
  int n = 0;
  for (const char *at = text; (at = strstr(at, part)); at += strlen(part))
    n++;
  return n;
}

static void nobody_emits_after_the_end_was_told(void **state)
{
  (void)state;
  static const char *const procs[] = { "2", "4", "8" };
  for (int i = 0; i < 3; i++) {
    record_and_check("ends-slowly", procs[i]);
    struct run dump = run_cli("dump", "t.db", NULL);
    const char *end = strstr(dump.out, " trace_end ");
    assert_non_null(end);
    assert_null(strstr(end, " go_syscall_begin ")); /* all of them were after it */
    assert_null(strstr(end, " m_create "));
    run_free(&dump);
  }
}

static void a_run_after_the_end_is_told_to_be_missing(void **state)
{
  (void)state;
  struct run run = record("runs-twice", "2"), dump = run_cli("dump", "t.db", NULL);
  assert_keeps_every_rule("runs-twice");
  assert_non_null(strstr(run.err, "only the first is in the trace"));
  assert_non_null(strstr(dump.out, "untraced_runs"));
  assert_int_equal(count_lines_with(dump.out, " trace_begin "), 1);
  run_free(&run);
  run_free(&dump);
}

static void a_program_that_gets_no_threads_runs_on_with_those_that_it_has(void **state)
{
  (void)state;
  if (run_cannot_limit())
    return;
  record_and_check("no-threads", "4");
  struct run dump = run_cli("dump", "t.db", NULL);
  assert_true(count_lines_with(dump.out, " go_create ") == 12);
  assert_true(count_lines_with(dump.out, " m_create ") <= 6); /* what there was before the limit */
  run_free(&dump);
}

static void a_thread_that_was_refused_is_asked_for_again(void **state)
{
  (void)state;
  if (run_cannot_limit())
    return;
  record_and_check("late-thread", "1");
}

static void a_run_that_cannot_begin_gives_everything_back(void **state)
{
  (void)state;
  if (run_cannot_limit())
    return;
  char *argv[] = { self, (char[]){ "begins-late" }, NULL };
  struct run run = run_argv(argv, NULL, run_as_nobody());
  assert_string_equal(run.err, "");
  assert_int_equal(run.code, 0);
  run_free(&run);
}

static void a_safe_point_gives_way_to_who_waits(void **state)
{
  (void)state;
  record_and_check("preempted", "2");
  struct run dump = run_cli("dump", "t.db", NULL);
  assert_true(count_lines_with(dump.out, " preempt_taken by_signal=0") >= 1);
  run_free(&dump);
}

/* From its first sleep on; and no G waits for a timer of the one that had its memory before. */
static void who_sleeps_waits_for_a_timer_of_its_own(void **state)
{
  (void)state;
  record_and_check("sleeps-in-turn", "1");
  struct run dump = run_cli("dump", "t.db", NULL);
  assert_int_equal(count_lines_with(dump.out, " go_block why=\"sleep\" "), 6);
  assert_int_equal(count_lines_with(dump.out, " go_block why=\"sleep\" stack=0 obj=0x0\n"), 0);
  assert_int_equal(count_lines_with(dump.out, " what=\"sleep\" "), 3);
  run_free(&dump);
}

static void a_deadline_that_was_not_needed_leaves_the_sleep_alone(void **state)
{
  (void)state;
  record_and_check("waits-for-its-turn", "1");
  struct run dump = run_cli("dump", "t.db", NULL);
  assert_int_equal(count_lines_with(dump.out, " what=\"I/O deadline\" "), 2);
  run_free(&dump);
}

/* What gmpscope state says at the event of the dump that at points to. */
static void expect_state(const char *at, const char *says, bool is_said)
{
  char when[32];
  const char *line = at;
  while (*line != '@')
    line--;
  snprintf(when, sizeof when, "%.*s", (int)strcspn(line, " "), line);
  struct run run = run_cli("state", "t.db", "--at", when, NULL);
  assert_int_equal(strstr(run.out, says) != NULL, is_said);
  run_free(&run);
}

/* The id of a string that the dump has. */
static int string_id(const char *dump, const char *text)
{
  char line[64];
  snprintf(line, sizeof line, " text=\"%s\"\n", text);
  const char *at = strstr(dump, line);
  if (!at)
    fail_msg("there is no string \"%s\"", text);
  while (at > dump && *at != '=')
    at--;
  return atoi(at + 1);
}

/* The place of an event behind from. */
static const char *expect_event(const char *from, const char *format, int id)
{
  char line[64];
  snprintf(line, sizeof line, format, id);
  const char *at = strstr(from, line);
  if (!at)
    fail_msg("there is no \"%s\", or too early", line);
  return at + 1;
}

static void what_the_program_says_is_in_the_trace_in_its_order(void **state)
{
  (void)state;
  record_and_check("says-what-it-does", "1");
  struct run run = run_cli("dump", "t.db", NULL);
  const char *at = strstr(run.out, " object_name ");
  assert_non_null(at);
  at = expect_event(at, " name=%d\n", string_id(run.out, "packed"));
  at = expect_event(at, " g1 task_begin task=1 name=%d\n", string_id(run.out, "order"));
  at = expect_event(at, " text=%d\n", string_id(run.out, "7 of tea"));
  assert_int_equal(strspn(strstr(at, "xxx"), "x"), 1023); /* longer ones are cut */
  at = expect_event(at, " region_begin name=%d\n", string_id(run.out, "pack"));
  at = expect_event(at, " region_begin name=%d\n", string_id(run.out, "seal"));
  assert_int_equal(count_lines_with(at, " region_end\n"), 2);
  at = expect_event(at, " g2 task_end task=%d\n", 1);
  expect_state(at, " after-func \"reminder\" of G1", true);
  expect_state(at, " ticker \"clock\" of G1", true);
  run_free(&run);
}

static void who_stops_the_world_says_why_and_the_trace_repeats_it(void **state)
{
  (void)state;
  record_and_check("stops-the-world", "2");
  struct run dump = run_cli("dump", "t.db", NULL);
  const char *first = strstr(dump.out, " stw_stopped");
  assert_non_null(first);
  const char *second = strstr(first + 1, " stw_stopped");
  assert_non_null(second);
  expect_state(first, ": the program asked (a checkpoint is written)\n", true);
  expect_state(second, ": the program asked\n", true);
  expect_state(strstr(first, " stw_end"), "The world is", false);
  run_free(&dump);
}

static void sysmon_tells_its_interval_first(void **state)
{
  (void)state;
  struct run run = record("runs-twice", "2"), dump = run_cli("dump", "t.db", "--m", "1", NULL);
  const char *made = strstr(dump.out, " m_create ");
  const char *line_after = made ? strchr(made, '\n') : NULL;
  assert_non_null(line_after);
  const char *sleep = strstr(line_after, " sysmon_sleep delay=20000 deep=0\n");
  assert_non_null(sleep);
  assert_ptr_equal(strchr(line_after + 1, '\n'), strchr(sleep, '\n')); /* in the next line */
  run_free(&run);
  run_free(&dump);
}

static int set_up(void **state)
{
  (void)state;
  run_enter_new_directory();
  return chmod(".", 0777);
}

static int tear_down(void **state)
{
  (void)state;
  run_leave();
  return 0;
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(nobody_emits_after_the_end_was_told),
    cmocka_unit_test(a_run_after_the_end_is_told_to_be_missing),
    cmocka_unit_test(a_program_that_gets_no_threads_runs_on_with_those_that_it_has),
    cmocka_unit_test(a_thread_that_was_refused_is_asked_for_again),
    cmocka_unit_test(a_run_that_cannot_begin_gives_everything_back),
    cmocka_unit_test(a_safe_point_gives_way_to_who_waits),
    cmocka_unit_test(who_sleeps_waits_for_a_timer_of_its_own),
    cmocka_unit_test(a_deadline_that_was_not_needed_leaves_the_sleep_alone),
    cmocka_unit_test(what_the_program_says_is_in_the_trace_in_its_order),
    cmocka_unit_test(who_stops_the_world_says_why_and_the_trace_repeats_it),
    cmocka_unit_test(sysmon_tells_its_interval_first),
  };
  if (argc > 1)
    return run_as(argv[1], argc, argv);
  ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
  return n < 0 ? 99 : cmocka_run_group_tests_name("traced", tests, set_up, tear_down);
}
