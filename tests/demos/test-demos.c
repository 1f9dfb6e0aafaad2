/* SPDX-License-Identifier: MIT */
/* test-demos.c - each demo runs, on 1, 2, 4 and 8 Ps, prints what its story says, and ends as it should. */
#include "test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct outcome {
  int code;
  char out[4096], err[4096];
};

static void read_back(FILE *from, char *text, size_t n)
{
  rewind(from);
  text[fread(text, 1, n - 1, from)] = '\0';
  fclose(from);
}

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

static void sleep_defer_never_reaches_its_deferred_call(void **state)
{
  (void)state;
  assert_demo("sleep-defer", NULL, "main exit\n");
}

static void sleep_defer_reaches_it_when_main_waits(void **state)
{
  (void)state;
  assert_demo("sleep-defer-reached", NULL, "defer executed\nmain exit\n");
}

static void deferred_sleep_holds_up_nobody(void **state)
{
  (void)state;
  assert_demo("deferred-sleep", NULL,
              "ticks during the deferred sleep: yes\na new goroutine ran: yes\n");
}

static void panic_recover_runs_the_remaining_calls(void **state)
{
  (void)state;
  assert_demo(
      "panic-recover", NULL,
      "deferred: d3, recover in a helper: no\nrecovered: boom\ndeferred: d1\nf returned 42\n"
      "deferred: of the caller\nmain exit\n");
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
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
  print_message("# no preemption by signal under the thread sanitizer\n");
  skip();
#endif
#endif
#ifdef __SANITIZE_THREAD__
  skip();
#endif
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
    *tab = '\0';
    assert_true(strlen(tab + 1) > 10);
    snprintf(path, sizeof path, "%s/runtime/demos/demo-%s", getenv("GMPSCOPE_BUILD"), line);
    assert_int_equal(access(path, X_OK), 0);
  }
  fclose(list);
  assert_int_equal(n, 11);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(sleep_defer_never_reaches_its_deferred_call),
    cmocka_unit_test(sleep_defer_reaches_it_when_main_waits),
    cmocka_unit_test(deferred_sleep_holds_up_nobody),
    cmocka_unit_test(panic_recover_runs_the_remaining_calls),
    cmocka_unit_test(nested_panic_ends_with_both_panics_printed),
    cmocka_unit_test(syscall_handoff_runs_the_worker_meanwhile),
    cmocka_unit_test(timer_heap_stops_every_limit),
    cmocka_unit_test(steal_finishes_all_tasks),
    cmocka_unit_test(ping_pong_hits_the_ball_so_often),
    cmocka_unit_test(echo_brings_every_line_back),
    cmocka_unit_test(preempt_lets_every_hog_have_its_turn),
    cmocka_unit_test(the_list_names_every_demo_with_a_sentence),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
