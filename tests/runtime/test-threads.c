/* SPDX-License-Identifier: MIT */
/* test-threads.c - what becomes of a thread that a G wired itself to, and of the thread that called rt_run. */
#include "program.h"

#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/prctl.h>

#define SLACK_NS 123456 /* a thread's timer slack, which a thread that it makes has too */

static struct rt_chan *never, *tids;
static _Atomic int count;

static void send_tid(void *unused)
{
  (void)unused;
  pid_t tid = gettid();
  rt_chan_send(tids, &tid);
}

static void lock_and_end(void *unused)
{
  rt_lock_os_thread();
  send_tid(unused);
}

/* The thread of a G that locked it and ended. */
static pid_t take_a_thread_along(void)
{
  pid_t tid;
  rt_go(lock_and_end, NULL);
  rt_chan_recv(tids, &tid);
  while (rt_num_goroutine() > 1)
    rt_yield();
  return tid;
}

static void look_for_thread(pid_t gone)
{
  for (int i = 0; i < 20; i++) {
    pid_t tid;
    rt_go(send_tid, NULL);
    rt_chan_recv(tids, &tid);
    if (tid == gone || gettid() == gone)
      rt_panic("a G ran on the thread of a locked G that had ended");
  }
}

/* ---- the thread that called rt_run ---- */

PROGRAM(ends_locked_everywhere)
{
  tids = rt_chan_new(sizeof(pid_t), 0);
  bool was_first = false;
  for (int i = 0; i < 10 || !was_first; i++) {
    pid_t tid = take_a_thread_along();
    was_first |= tid == getpid();
    look_for_thread(tid);
  }
  puts("even the first");
  return 0;
}
static void a_g_that_ends_locked_takes_even_the_first_thread_along(void **state)
{
  (void)state;
  FOR_PROCS(n)
  assert_prints(ends_locked_everywhere, n, "even the first\n");
}

static void end_on_the_first_thread(void *arg)
{
  const pid_t *first = arg;
  tids = rt_chan_new(sizeof(pid_t), 0);
  while (take_a_thread_along() != *first)
    ;
  atomic_fetch_add(&count, 1);
  rt_chan_free(tids);
}
static void rt_run_returns_on_its_thread_though_a_g_took_that(void **state)
{
  (void)state;
  pid_t mine = gettid();
  atomic_store(&count, 0);
  for (int n = 1; n <= 4; n++) {
    struct rt_options options = { .maxprocs = n };
    assert_int_equal(rt_run(end_on_the_first_thread, &mine, &options), 0);
    assert_int_equal(gettid(), mine);
    assert_int_equal(atomic_load(&count), n);
  }
}

PROGRAM(waits_without_the_first_thread)
{
  tids = rt_chan_new(sizeof(pid_t), 0);
  while (take_a_thread_along() != getpid())
    ;
  never = rt_chan_new(1, 0);
  rt_chan_recv(never, NULL);
  return 0;
}
PROGRAM(goes_and_takes_the_first_thread_along)
{
  rt_lock_os_thread();
  rt_goexit();
}
static void end_locked(void *unused)
{
  (void)unused;
  rt_lock_os_thread();
  rt_sleep(1000000);
}
static void wait_locked(void *unused)
{
  rt_lock_os_thread();
  rt_chan_recv(never, unused);
}
PROGRAM(leaves_threads_that_end)
{
  never = rt_chan_new(1, 0);
  rt_lock_os_thread();
  for (int i = 0; i < 8; i++) {
    rt_go(end_locked, NULL);
    rt_go(wait_locked, NULL);
  }
  rt_goexit();
}
static void a_deadlock_is_seen_when_the_last_to_run_is_a_thread_that_ends(void **state)
{
  (void)state;
  for (int i = 0; i < 5; i++)
    assert_dies(leaves_threads_that_end, "",
                "fatal error: all goroutines are asleep - deadlock!\n");
}
static void a_deadlock_is_seen_without_the_first_thread(void **state)
{
  (void)state;
  assert_dies(
      waits_without_the_first_thread, "",
      "fatal error: all goroutines are asleep - deadlock!\n\ngoroutine 1 [chan receive]:\n");
  assert_dies(goes_and_takes_the_first_thread_along, "",
              "fatal error: no goroutines (main called runtime.Goexit) - deadlock!\n");
}

/* ---- what a new thread has of its maker ---- */

static void mark_thread(void)
{
  sigset_t usr1;
  sigemptyset(&usr1);
  sigaddset(&usr1, SIGUSR1);
  pthread_sigmask(SIG_BLOCK, &usr1, NULL);
  prctl(PR_SET_TIMERSLACK, SLACK_NS);
}

static bool is_marked(void)
{
  sigset_t now;
  pthread_sigmask(SIG_BLOCK, NULL, &now);
  return sigismember(&now, SIGUSR1) || prctl(PR_GET_TIMERSLACK) == SLACK_NS;
}

/* Until as many Gs are in there at once: each on a thread of its own. */
static void *wait_for_all(void *n)
{
  atomic_fetch_add(&count, 1);
  while (atomic_load(&count) < (int)(intptr_t)n)
    sched_yield();
  return NULL;
}

static void look_at_thread(void *n)
{
  bool marked = is_marked();
  rt_blocking(wait_for_all, n);
  rt_chan_send(tids, &(pid_t){ marked });
}

static void expect_clean_threads(int n)
{
  atomic_store(&count, 0);
  for (int i = 0; i < n; i++)
    rt_go(look_at_thread, (void *)(intptr_t)n);
  for (int i = 0; i < n; i++) {
    pid_t marked;
    rt_chan_recv(tids, &marked);
    if (marked)
      rt_panic("a thread was made from the one that a G is wired to");
  }
}

PROGRAM(needs_threads_while_it_is_locked)
{
  tids = rt_chan_new(sizeof(pid_t), 0);
  rt_lock_os_thread();
  mark_thread();
  expect_clean_threads(12);
  puts("clean");
  return 0;
}
static void mark_and_end(void *unused)
{
  (void)unused;
  rt_lock_os_thread();
  mark_thread();
}
PROGRAM(needs_threads_when_a_locked_g_has_ended)
{
  tids = rt_chan_new(sizeof(pid_t), 0);
  for (int i = 0; i < 4; i++)
    rt_go(mark_and_end, NULL);
  while (rt_num_goroutine() > 1)
    rt_yield();
  expect_clean_threads(12);
  puts("clean");
  return 0;
}
static void no_thread_is_made_from_one_that_a_g_locked(void **state)
{
  (void)state;
  FOR_PROCS(n)
  {
    assert_prints(needs_threads_while_it_is_locked, n, "clean\n");
    assert_prints(needs_threads_when_a_locked_g_has_ended, n, "clean\n");
  }
}

static int count_threads(void)
{
  int n = 0;
  char line[256];
  FILE *status = fopen("/proc/self/status", "re");
  while (fgets(line, sizeof line, status))
    sscanf(line, "Threads: %d", &n);
  fclose(status);
  return n;
}
static void run_locked(void *unused)
{
  (void)unused;
  rt_lock_os_thread();
}
static void the_thread_that_makes_threads_ends_with_the_run(void **state)
{
  (void)state;
  assert_int_equal(rt_run(run_locked, NULL, NULL), 0);
  int before = count_threads();
  for (int i = 0; i < 50; i++)
    assert_int_equal(rt_run(run_locked, NULL, NULL), 0);
  assert_in_range(count_threads(), 1, before + 8); /* one that has just ended may still be there */
}

/* ---- beside a library that is being loaded ---- */

static _Atomic bool other_has_run;
int slow_library_may_go_on(void);
int slow_library_may_go_on(void)
{
  return other_has_run;
}
static void *load_slowly(void *path)
{
  return dlopen(path, RTLD_NOW);
}
static void let_it_go_on(void *unused)
{
  (void)unused;
  other_has_run = true;
}
/* Whoever needs a thread meanwhile gets one: the loader's lock is not for us to wait on. */
PROGRAM(loads_a_library)
{
  char path[4096];
  alarm(20);
  snprintf(path, sizeof path, "%s/tests/runtime/libslow-library.so", getenv("GMPSCOPE_BUILD"));
  rt_go(let_it_go_on, NULL);
  printf("%d\n", rt_blocking(load_slowly, path) != NULL);
  return 0;
}
static void threads_are_made_while_a_library_is_loaded(void **state)
{
  (void)state;
  FOR_PROCS(n)
  {
    struct outcome o = run_program(loads_a_library, n);
    assert_string_equal(o.out, "1\n"); /* the leak sanitizer may speak of a thread that is ending */
    assert_int_equal(o.code, 0);
  }
}

int main(void)
{
  static const struct CMUnitTest tests[] = {
    cmocka_unit_test(threads_are_made_while_a_library_is_loaded),
    cmocka_unit_test(a_g_that_ends_locked_takes_even_the_first_thread_along),
    cmocka_unit_test(a_deadlock_is_seen_without_the_first_thread),
    cmocka_unit_test(a_deadlock_is_seen_when_the_last_to_run_is_a_thread_that_ends),
    cmocka_unit_test(no_thread_is_made_from_one_that_a_g_locked),
    /* In this process: under the thread sanitizer it cannot start programs afterwards. */
    cmocka_unit_test(rt_run_returns_on_its_thread_though_a_g_took_that),
    cmocka_unit_test(the_thread_that_makes_threads_ends_with_the_run),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
