/* SPDX-License-Identifier: MIT */
/* test-demos.c - each form of each demo runs, on 1, 2, 4 and 8 Ps, prints what its story says, and ends as it should;
 * and with its fault switched on the opposite. What the traces show is asked in test-demo-traces.c. */
#include "test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct outcome {
  int code;
  char out[4096], err[32768]; /* scheddetail is long */
};

static void read_back(FILE *from, char *text, size_t n)
{
  rewind(from);
  text[fread(text, 1, n - 1, from)] = '\0';
  fclose(from);
}

/* The fault of the next runs; each test begins without one. */
static const char *fault;

static struct outcome run_demo(const char *name, const char *argument, int maxprocs)
{
  char path[512], procs[16];
  snprintf(path, sizeof path, "%s/runtime/demos/demo-%s", getenv("GMPSCOPE_BUILD"), name);
  snprintf(procs, sizeof procs, "%d", maxprocs);
  struct outcome o = { 0 };
  FILE *out = tmpfile(), *err = tmpfile();
  assert_non_null(out);
  assert_non_null(err);
  fflush(NULL);
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    char debug[100];
    snprintf(debug, sizeof debug, "fault=%s", fault ? fault : "none");
    setenv("RT_DEBUG", debug, 1);
    setenv("RT_MAXPROCS", procs, 1);
    dup2(fileno(out), 1);
    dup2(fileno(err), 2);
    execl(path, name, argument, (char *)NULL);
    _exit(127);
  }
  int status;
  assert_int_equal(waitpid(child, &status, 0), child);
  o.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  read_back(out, o.out, sizeof o.out);
  read_back(err, o.err, sizeof o.err);
  return o;
}

static void assert_demo(const char *name, const char *argument, const char *out)
{
  for (int procs = 1; procs <= 8; procs *= 2) {
    struct outcome o = run_demo(name, argument, procs);
    assert_string_equal(o.err, "");
    assert_string_equal(o.out, out);
    assert_int_equal(o.code, 0);
  }
}

/* Ends with exit code 2 after this on stdout, and this as the beginning of stderr. */
static void assert_dies(const char *name, const char *argument, const char *out, const char *err)
{
  for (int procs = 1; procs <= 8; procs *= 2) {
    struct outcome o = run_demo(name, argument, procs);
    assert_string_equal(o.out, out);
    assert_memory_equal(o.err, err, strlen(err));
    assert_int_equal(o.code, 2);
  }
}

static void sleep_defer_reaches_its_deferred_call_only_when_main_waits(void **state)
{
  (void)state;
  assert_demo("sleep-defer", NULL, "main exit\n");
  assert_demo("sleep-defer", "reached", "defer executed\nmain exit\n");
  assert_demo("sleep-defer", "locked", "defer executed\nmain exit\n");
  assert_demo("sleep-defer", "plain", "main exit\n");
}

static void sleep_defer_lets_others_run_unless_a_sleep_blocks_the_m(void **state)
{
  (void)state;
  assert_demo("sleep-defer", "busy",
              "defer executed\nothers ran during the sleeps: yes\nmain exit\n");
  fault = "sleep-blocks-m";
  assert_demo("sleep-defer", "busy",
              "defer executed\nothers ran during the sleeps: no\nmain exit\n");
}

static void deferred_sleep_as_printed_is_a_deadlock(void **state)
{
  (void)state;
  assert_dies("deferred-sleep", NULL, "spawned\n",
              "fatal error: all goroutines are asleep - deadlock!\n\n"
              "goroutine 1 [select (no cases)]:\n");
}

/* The dump that "late" makes is on stderr: test-demo-traces-sched.c reads it. */
static void assert_reached(const char *out)
{
  for (int procs = 1; procs <= 8; procs *= 2) {
    struct outcome o = run_demo("deferred-sleep", "reached", procs);
    assert_memory_equal(o.err, "goroutine ", 10);
    assert_non_null(strstr(o.err, "labels:{\"name\": \"late\"}]:\n"));
    assert_string_equal(o.out, out);
    assert_int_equal(o.code, 0);
  }
}

static void deferred_sleep_holds_up_nobody_unless_a_sleep_blocks_the_m(void **state)
{
  (void)state;
  assert_reached("ticks during the deferred sleep: yes\na new goroutine ran during it: yes\n");
  fault = "sleep-blocks-m";
  assert_reached("ticks during the deferred sleep: no\na new goroutine ran during it: no\n");
}

static void defer_list_runs_each_chain_newest_first(void **state)
{
  (void)state;
  assert_demo("defer-list", NULL,
              "left ran:  i3 i2 i1 m2 m1 o2 o1\nright ran: i3 i2 i1 m2 m1 o2 o1\n");
}

static void defer_pool_runs_them_all(void **state)
{
  (void)state;
  assert_demo("defer-pool", NULL, "1080 deferred calls ran, with captures of 8 to 1024 bytes\n");
}

static void defer_cost_has_a_line_for_each_variant(void **state)
{
  static const char *const names[] = { "plain ", "deferred ", "through a value ", "method ",
                                       "in a loop " };
  struct outcome o = run_demo("defer-cost", NULL, 2);
  (void)state;
  assert_int_equal(o.code, 0);
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
    assert_non_null(strstr(o.out, names[i]));
}

static void defer_kinds_says_what_only_a_compiler_decides(void **state)
{
  struct outcome o = run_demo("defer-kinds", NULL, 2);
  (void)state;
  assert_int_equal(o.code, 0);
  assert_non_null(strstr(o.out, "15 deferred calls ran\n"));
  assert_non_null(strstr(o.out, "open-coded defers have no record"));
}

static void only_a_direct_recover_ends_a_panic(void **state)
{
  (void)state;
  assert_dies("panic-recover", "helper",
              "recover in a called function: no\ndeferred: runs all the same\n", "panic: boom\n");
  assert_dies("panic-recover", "defer-recover", "defer recover(): no\n", "panic: boom\n");
  assert_demo("panic-recover", "no-panic", "recover: nothing\ndeferred: d1\nmain exit\n");
  assert_demo("panic-recover", "nested", "recover: second\nmain exit\n");
  assert_demo("panic-recover", "goexit", "recover: nothing\nmain exit\n");
  assert_demo("panic-recover", "caller",
              "recover: boom\ndeferred: of f, after the recovery\nthe caller goes on\n"
              "deferred: of the caller, when it returns\nmain exit\n");
}

static void panic_recover_runs_the_remaining_calls(void **state)
{
  (void)state;
  assert_demo(
      "panic-recover", NULL,
      "deferred: d3, recover in a helper: no\nrecovered: boom\ndeferred: d1\nf returned 42\n"
      "deferred: of the caller\nmain exit\n");
}

static void m_idle_comes_to_its_end(void **state)
{
  (void)state;
  assert_demo("m-idle", NULL, "bursts: over\n");
  assert_demo("m-idle", "sleep", "sleep: over\n");
  assert_demo("m-idle", "poll", "poll: over\n");
  assert_demo("m-idle", "neither", "neither: over\n");
  assert_demo("m-idle", "nanosleep", "nanosleep: over\n");
}

static void syscall_gc_comes_back_from_every_call(void **state)
{
  (void)state;
  assert_demo("syscall-gc", NULL, "reader read 1 byte: x\n");
  assert_demo("syscall-gc", "busy", "reader read 1 byte: x\n");
  assert_demo("syscall-gc", "old", "reader read 1 byte: x\n");
  assert_demo("syscall-gc", "short", "50 calls returned\n");
}

static void timer_defer_counts_every_call_unless_timers_clobber_chains(void **state)
{
  (void)state;
  assert_demo("timer-defer", NULL, "8 of 8 deferred calls counted\n");
  fault = "timer-defer-race";
  struct outcome o = run_demo("timer-defer", NULL, 2);
  assert_int_equal(o.code, 0);
  assert_string_equal(o.out + 1, " of 8 deferred calls counted\n");
  assert_true(o.out[0] >= '0' && o.out[0] < '8');
}

static void syscall_panic_recovers_every_panic_unless_defers_are_lost(void **state)
{
  (void)state;
  assert_demo("syscall-panic", NULL, "3 panics, 3 recovered, 3 cleaned up\n");
  fault = "lose-defers-on-preempt";
  assert_dies("syscall-panic", NULL, "", "panic: after the system call\n");
}

static void diagnose_prints_what_each_form_promises(void **state)
{
  (void)state;
  struct outcome o = run_demo("diagnose", NULL, 2);
  assert_memory_equal(o.err, "SCHED 0ms: gomaxprocs=2 ", 24);
  assert_null(strstr(o.err, "  G1: "));
#if !UNDER_THREAD_SANITIZER /* scheddetail looks at what others change, as Go's does */
  o = run_demo("diagnose", "detail", 2);
  assert_memory_equal(o.err, "SCHED 0ms: gomaxprocs=2 ", 24);
  assert_non_null(strstr(o.err, "\n  G1: status="));
  assert_non_null(strstr(o.err, ": status=4(sleep)"));
#endif
  o = run_demo("diagnose", "sample", 2);
  const char *first = strstr(o.err, "SCHED ");
  assert_true(!first || !strstr(first + 1, "SCHED ")); /* none or one line */
  assert_string_equal(o.out, "main exit\n");
}

/* The text behind a line of this text, up to the next one or the end. */
static char *part(const char *text, const char *line)
{
  const char *from = strstr(text, line);
  assert_non_null(from);
  from += strlen(line);
  const char *to = strstr(from, "---- ");
  return strndup(from, to ? (size_t)(to - from) : strlen(from));
}

static void diagnose_dumps_the_same_at_each_level(void **state)
{
  (void)state;
  for (int procs = 1; procs <= 8; procs *= 2) {
    struct outcome o = run_demo("diagnose", "dumps", procs);
    char *end = strstr(o.out, "main exit\n");
    assert_non_null(end);
    *end = '\0';
    char *single = part(o.out, "---- single\n"), *all = part(o.out, "---- all\n");
    char *system = part(o.out, "---- system\n");
    assert_memory_equal(single, "goroutine 1 [running]:\n", 23);
    assert_non_null(strstr(single, " [sleep labels:{\"name\": \"sleeper\"}]:\n"));
    assert_non_null(strstr(single, " [chan receive labels:{\"name\": \"waiter\"}]:\n"));
    assert_non_null(strstr(single, "deferred: done("));
    assert_non_null(strstr(single, "\nrt_frame_exit"));
    assert_null(strstr(single, ".localalias")); /* which the compiler puts behind it */
    assert_string_equal(all, single);
    assert_string_equal(system, single);
    free(single), free(all), free(system);
  }
}

static int count(const char *text, const char *what)
{
  int n = 0;
  for (; (text = strstr(text, what)); text += strlen(what))
    n++;
  return n;
}

/* Ends with exit code 2 and shows so many Gs, the one that panicked first, with these words about it. */
static void assert_shown(const char *form, int n_gs, const char *first)
{
  for (int procs = 1; procs <= 8; procs *= 2) {
    struct outcome o = run_demo("diagnose", form, procs);
    assert_memory_equal(o.err, "panic: nobody recovers this\n", 28);
    assert_int_equal(count(o.err, "\n\ngoroutine "), n_gs);
    if (n_gs > 0)
      assert_memory_equal(o.err + 28, first, strlen(first));
    else
      assert_string_equal(o.err + 28, first);
    assert_int_equal(count(o.err, "labels:{\"name\": \"sleeper\"}]:\n"), n_gs > 1);
    assert_int_equal(count(o.err, "labels:{\"name\": \"waiter\"}]:\n"), n_gs > 1);
    assert_int_equal(count(o.err, "\ndeferred: done("), n_gs > 1 ? 2 : 0);
    assert_int_equal(count(o.err, " gp=0x"), strstr(first, " gp=0x") ? n_gs : 0);
    assert_string_equal(o.out, "");
    assert_int_equal(o.code, 2);
  }
}

static void diagnose_dies_with_what_each_level_shows(void **state)
{
  (void)state;
  assert_shown("dies-none", 0, "");
  assert_shown("dies-single", 1, "\ngoroutine 1 [running]:\n");
  assert_shown("dies-all", 3, "\ngoroutine 1 [running]:\n");
  assert_shown("dies-system", 3, "\ngoroutine 1 gp=0x");
}

static void another_form_is_answered_with_those_that_there_are(void **state)
{
  (void)state;
  struct outcome o = run_demo("sleep-defer", "reachd", 1);
  assert_int_equal(o.code, 2);
  assert_non_null(strstr(o.err, "there is no form 'reachd'; there are printed, reached, busy"));
}

static void a_fault_that_there_is_not_is_told_in_words(void **state)
{
  (void)state;
  fault = "lose-everything";
  struct outcome o = run_demo("steal", NULL, 1);
  assert_string_equal(o.err, "runtime: RT_DEBUG: there is no fault 'lose-everything'; there are "
                             "sleep-blocks-m, lose-defers-on-preempt, timer-defer-race, none\n");
  assert_string_equal(o.out, "");
  assert_int_not_equal(o.code, 0);
}

static void nested_panic_ends_with_both_panics_printed(void **state)
{
  (void)state;
  for (int procs = 1; procs <= 8; procs *= 2) {
    struct outcome o = run_demo("nested-panic", NULL, procs);
    assert_string_equal(o.out, "deferred call recovered: second\ninner_recovered recovered: first\n"
                               "superseded recovered: second\n");
    const char *expected =
        "panic: the original [recovered]\n\tpanic: a new one while cleaning up\n\n"
        "goroutine 1 [running]:\n";
    assert_memory_equal(o.err, expected, strlen(expected));
    assert_int_equal(o.code, 2);
  }
}

static void syscall_handoff_runs_the_worker_meanwhile(void **state)
{
  (void)state;
  assert_demo("syscall-handoff", NULL,
              "worker ran while the reader was in the kernel\nreader read 1 byte: x\n");
}

static void timer_heap_stops_every_limit(void **state)
{
  (void)state;
  assert_demo("timer-heap", NULL, "48 slept, 24 time limits stopped, 0 passed\n");
}

static void steal_finishes_all_tasks(void **state)
{
  (void)state;
  assert_demo("steal", NULL, "400 tasks done, sum 50616\n");
}

static void ping_pong_hits_the_ball_so_often(void **state)
{
  (void)state;
  assert_demo("ping-pong", NULL, "the ball was hit 2000 times\n");
}

static void echo_brings_every_line_back(void **state)
{
  (void)state;
  assert_demo("echo", NULL,
              "client 0: 50 of 50 lines came back\nclient 1: 50 of 50 lines came back\n"
              "client 2: 50 of 50 lines came back\nclient 3: 50 of 50 lines came back\n");
}

/* Where there is no preemption by signal some hogs end before; how many is then left to chance. */
static void preempt_lets_every_hog_have_its_turn(void **state)
{
  (void)state;
  if (UNDER_THREAD_SANITIZER)
    skip();
  assert_demo("preempt", NULL,
              "more hogs than Ps, and all had their turns\n0 hogs ended before main was back\n");
}

/* What `gmpscope demo` offers is there, and what is there is offered. */
static void the_list_names_every_demo_with_a_sentence(void **state)
{
  (void)state;
  char path[1024], line[512];
  snprintf(path, sizeof path, "%s/runtime/demos/demos.list", getenv("GMPSCOPE_BUILD"));
  FILE *list = fopen(path, "r");
  assert_non_null(list);
  int n = 0;
  for (; fgets(line, sizeof line, list); n++) {
    char *tab = strchr(line, '\t');
    assert_non_null(tab);
    line[strcspn(line, "\t ")] = '\0'; /* a form is an argument */
    assert_true(strlen(tab + 1) > 10);
    snprintf(path, sizeof path, "%s/runtime/demos/demo-%s", getenv("GMPSCOPE_BUILD"), line);
    assert_int_equal(access(path, X_OK), 0);
  }
  fclose(list);
  assert_int_equal(n, 44);
}

static int without_a_fault(void **state)
{
  (void)state;
  fault = NULL;
  return 0;
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(sleep_defer_reaches_its_deferred_call_only_when_main_waits,
                           without_a_fault),
    cmocka_unit_test_setup(sleep_defer_lets_others_run_unless_a_sleep_blocks_the_m,
                           without_a_fault),
    cmocka_unit_test_setup(deferred_sleep_as_printed_is_a_deadlock, without_a_fault),
    cmocka_unit_test_setup(deferred_sleep_holds_up_nobody_unless_a_sleep_blocks_the_m,
                           without_a_fault),
    cmocka_unit_test_setup(defer_list_runs_each_chain_newest_first, without_a_fault),
    cmocka_unit_test_setup(defer_pool_runs_them_all, without_a_fault),
    cmocka_unit_test_setup(defer_cost_has_a_line_for_each_variant, without_a_fault),
    cmocka_unit_test_setup(defer_kinds_says_what_only_a_compiler_decides, without_a_fault),
    cmocka_unit_test_setup(only_a_direct_recover_ends_a_panic, without_a_fault),
    cmocka_unit_test_setup(panic_recover_runs_the_remaining_calls, without_a_fault),
    cmocka_unit_test_setup(m_idle_comes_to_its_end, without_a_fault),
    cmocka_unit_test_setup(syscall_gc_comes_back_from_every_call, without_a_fault),
    cmocka_unit_test_setup(timer_defer_counts_every_call_unless_timers_clobber_chains,
                           without_a_fault),
    cmocka_unit_test_setup(syscall_panic_recovers_every_panic_unless_defers_are_lost,
                           without_a_fault),
    cmocka_unit_test_setup(diagnose_prints_what_each_form_promises, without_a_fault),
    cmocka_unit_test_setup(diagnose_dumps_the_same_at_each_level, without_a_fault),
    cmocka_unit_test_setup(diagnose_dies_with_what_each_level_shows, without_a_fault),
    cmocka_unit_test_setup(another_form_is_answered_with_those_that_there_are, without_a_fault),
    cmocka_unit_test_setup(a_fault_that_there_is_not_is_told_in_words, without_a_fault),
    cmocka_unit_test_setup(nested_panic_ends_with_both_panics_printed, without_a_fault),
    cmocka_unit_test_setup(syscall_handoff_runs_the_worker_meanwhile, without_a_fault),
    cmocka_unit_test_setup(timer_heap_stops_every_limit, without_a_fault),
    cmocka_unit_test_setup(steal_finishes_all_tasks, without_a_fault),
    cmocka_unit_test_setup(ping_pong_hits_the_ball_so_often, without_a_fault),
    cmocka_unit_test_setup(echo_brings_every_line_back, without_a_fault),
    cmocka_unit_test_setup(preempt_lets_every_hog_have_its_turn, without_a_fault),
    cmocka_unit_test_setup(the_list_names_every_demo_with_a_sentence, without_a_fault),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
