/* SPDX-License-Identifier: MIT */
/* test-sched.c - whole programs: starting, yielding, sleeping, stealing, blocking, ending. */
#include "proc.h"
#include "program.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>

static struct rt_waitgroup wg;
static atomic_long count;

/* ---- life ---- */

static void do_nothing(void *unused)
{
  (void)unused;
}
PROGRAM(returns_seven)
{
  rt_go(do_nothing, NULL);
  puts("main");
  return 7;
}
static void mains_value_is_the_exit_code(void **state)
{
  (void)state;
  FOR_PROCS(n)
  {
    struct outcome o = run_program(returns_seven, n);
    assert_int_equal(o.code, 7);
    assert_string_equal(o.out, "main\n");
    assert_string_equal(o.err, "");
  }
}

static void for_ever(void *unused)
{
  (void)unused;
  for (;;)
    rt_sleep(1000);
}
PROGRAM(leaves_others)
{
  for (int i = 0; i < 20; i++)
    rt_go(for_ever, NULL);
  rt_sleep(100000);
  puts("done");
  return 0;
}
static void when_main_returns_the_others_are_dropped(void **state)
{
  (void)state;
  FOR_PROCS(n)
  assert_prints(leaves_others, n, "done\n");
}

static void never(void *unused)
{
  (void)unused;
  rt_chan_recv(NULL, NULL);
}
PROGRAM(all_asleep)
{
  rt_go(never, NULL);
  never(NULL);
  return 0;
}
PROGRAM(main_is_gone)
{
  rt_goexit();
}
PROGRAM(main_is_gone_others_wait)
{
  rt_go(never, NULL);
  rt_goexit();
}
static void a_deadlock_is_reported_as_go_does(void **state)
{
  (void)state;
  assert_dies(all_asleep, "", "fatal error: all goroutines are asleep - deadlock!\n\ngoroutine ");
  assert_dies(main_is_gone, "",
              "fatal error: no goroutines (main called runtime.Goexit) - deadlock!\n");
  assert_dies(main_is_gone_others_wait, "",
              "fatal error: all goroutines are asleep - deadlock!\n\n");
}

static int overflow(int n)
{
  volatile char frame[512];
  frame[0] = (char)n;
  if (n < 0)
    return 0; /* never */
  return overflow(n + 1) + frame[0];
}
PROGRAM(overflows)
{
  return overflow(0) + 1; /* no tail call: this frame stays */
}
static void a_stack_overflow_is_told_and_ends_with_2(void **state)
{
  (void)state;
  struct outcome o = run_program(overflows, 2);
  assert_int_equal(o.code, 2);
  assert_non_null(strstr(o.err, "-byte limit\n"));
  assert_non_null(strstr(o.err, "-byte limit\nruntime: sp=0x"));
  const char *dump = strstr(o.err, "fatal error: stack overflow\n\ngoroutine 1 gp=0x");
  assert_non_null(dump);
  assert_non_null(strstr(dump, " [running]:\n"));
  const char *innermost = strchr(strstr(dump, "]:\n"), '\n') + 1;
  assert_memory_equal(innermost, "overflow(...)\n", 14); /* where it happened */
  assert_non_null(strstr(dump, "\noverflows(...)\n"));   /* to where it began */
}

PROGRAM(quits)
{
  raise(SIGQUIT);
  return 0;
}
static void sigquit_dumps_and_ends_with_2(void **state)
{
  (void)state;
  assert_dies(quits, "", "SIGQUIT: quit\nPC=0x");
  struct outcome o = run_program(quits, 2);
  /* as at RT_TRACEBACK=system */
  assert_non_null(strstr(o.err, " sigcode=-6\n\ngoroutine 1 gp=0x"));
  const char *registers = strstr(o.err, "\n\nrax    0x");
  assert_non_null(registers);
  assert_non_null(strstr(registers, "\nr9     0x"));
  assert_non_null(strstr(registers, "\nrflags 0x"));
  assert_non_null(strstr(registers, "\ngs     0x"));
}

static atomic_bool is_spinning;
static pthread_t main_thread;

static __attribute__((noinline)) void spin_till_killed(void)
{
  atomic_store(&is_spinning, true);
  for (;;)
    ;
}
static void *kill_the_spinner(void *unused)
{
  while (!atomic_load(&is_spinning))
    sched_yield();
  pthread_kill(main_thread, SIGQUIT);
  return unused;
}
PROGRAM(quits_while_it_runs)
{
  pthread_t killer;
  main_thread = pthread_self();
  pthread_create(&killer, NULL, kill_the_spinner, NULL);
  spin_till_killed();
  return 0;
}
static void sigquit_shows_where_the_running_g_is(void **state)
{
  (void)state;
  if (UNDER_THREAD_SANITIZER) /* it delivers a signal when the thread calls something, which a spinner never does */
    skip();
  struct outcome o = run_program(quits_while_it_runs, 1);
  assert_int_equal(o.code, 2);
  assert_non_null(strstr(o.err, "\n\ngoroutine 1 gp=0x"));
  assert_non_null(strstr(o.err, " [running]:\nspin_till_killed(...)\n"));
}

static void add_one(void *counter)
{
  ++*(int *)counter;
}
static void rt_run_returns_and_may_be_called_again(void **state)
{
  (void)state;
  int runs = 0;
  for (int i = 0; i < 50; i++) {
    struct rt_options options = { .maxprocs = 1 + i % 8, .stack_size = i % 2 ? 32768 : 0 };
    assert_int_equal(rt_run(add_one, &runs, &options), 0);
  }
  assert_int_equal(runs, 50);
  assert_int_equal(rt_goid(), 0);
}

static void leave_some_behind(void *unused)
{
  (void)unused;
  for (int i = 0; i < 10; i++) {
    rt_go(for_ever, NULL);
    rt_go(never, NULL);
  }
  rt_yield();
  rt_sleep(50000);
}
static void what_a_run_leaves_behind_does_not_disturb_the_next(void **state)
{
  (void)state;
  for (int i = 0; i < 20; i++)
    assert_int_equal(rt_run(leave_some_behind, NULL, NULL), 0);
}

static void run_inside(void *result)
{
  *(int *)result = rt_run(add_one, result, NULL);
}
static void impossible_requests_are_refused(void **state)
{
  (void)state;
  int result = 0;
  assert_int_equal(rt_run(add_one, &result, &(struct rt_options){ .maxprocs = -1 }), -EINVAL);
  assert_int_equal(rt_run(NULL, &result, NULL), -EINVAL);
  assert_int_equal(rt_run(add_one, &result, &(struct rt_options){ .sim_seed = 1 }), -EINVAL);
  assert_int_equal(rt_run(run_inside, &result, NULL), 0);
  assert_int_equal(result, -EBUSY);
}

/* ---- work ---- */

static void yield_some(void *n)
{
  for (intptr_t i = 0; i < (intptr_t)n; i++) {
    rt_yield();
    atomic_fetch_add(&count, 1);
  }
  rt_waitgroup_done(&wg);
}
PROGRAM(many_yield)
{
  rt_waitgroup_add(&wg, 100);
  for (int i = 0; i < 100; i++)
    rt_go(yield_some, (void *)200);
  rt_waitgroup_wait(&wg);
  printf("%ld\n", count);
  return 0;
}
static void nobody_is_lost_who_yields(void **state)
{
  (void)state;
  for (int round = 0; round < 5; round++)
    FOR_PROCS(n)
  assert_prints(many_yield, n, "20000\n");
}

static void tree(void *depth)
{
  if (depth) {
    rt_waitgroup_add(&wg, 2);
    rt_go(tree, (void *)((intptr_t)depth - 1));
    rt_go(tree, (void *)((intptr_t)depth - 1));
  }
  atomic_fetch_add(&count, 1);
  rt_waitgroup_done(&wg);
}
PROGRAM(grows_a_tree)
{
  rt_waitgroup_add(&wg, 1);
  rt_go(tree, (void *)13);
  rt_waitgroup_wait(&wg);
  printf("%ld %d\n", count, rt_num_goroutine());
  return 0;
}
static void every_g_that_is_started_runs_and_ends(void **state)
{
  (void)state;
  FOR_PROCS(n)
  {
    struct outcome o = run_program(grows_a_tree, n);
    assert_int_equal(strncmp(o.out, "16383 ", 6), 0);
    assert_int_equal(o.code, 0);
  }
}

static void sleep_some(void *seed)
{
  uint64_t x = (uint64_t)(intptr_t)seed * 2654435761u + 1;
  for (int i = 0; i < 20; i++) {
    x ^= x << 13, x ^= x >> 7, x ^= x << 17;
    int64_t ns = (int64_t)(x % 200000), before = rt_now();
    rt_sleep(ns);
    if (rt_now() - before < ns)
      rt_panic("woke too early");
  }
  rt_waitgroup_done(&wg);
}
PROGRAM(many_sleep)
{
  rt_waitgroup_add(&wg, 200);
  for (intptr_t i = 0; i < 200; i++)
    rt_go(sleep_some, (void *)i);
  rt_waitgroup_wait(&wg);
  puts("awake");
  return 0;
}
static void sleepers_wake_and_not_too_early(void **state)
{
  (void)state;
  FOR_PROCS(n)
  assert_prints(many_sleep, n, "awake\n");
}

static atomic_bool stop;
static void hog(void *unused)
{
  (void)unused;
  while (!atomic_load(&stop))
    rt_safepoint();
  rt_waitgroup_done(&wg);
}
PROGRAM(is_preempted)
{
  rt_waitgroup_add(&wg, 2);
  rt_go(hog, NULL);
  rt_go(hog, NULL);
  for (int i = 0; i < 3; i++)
    rt_yield();
  atomic_store(&stop, true);
  rt_waitgroup_wait(&wg);
  puts("stopped");
  return 0;
}
static void a_g_that_runs_too_long_is_asked_to_stop(void **state)
{
  (void)state;
  assert_prints(is_preempted, 1, "stopped\n");
  assert_prints(is_preempted, 2, "stopped\n");
}

static int pipe_ends[2];
static void *read_one(void *byte)
{
  return (void *)(intptr_t)read(pipe_ends[0], byte, 1);
}
static void reader(void *unused)
{
  char byte = 0;
  (void)unused;
  errno = 0;
  if (rt_blocking(read_one, &byte) == (void *)1 && errno == 0)
    printf("read %c\n", byte);
  rt_waitgroup_done(&wg);
}
PROGRAM(blocks_in_the_kernel)
{
  if (pipe(pipe_ends) != 0)
    return 1;
  rt_waitgroup_add(&wg, 1);
  rt_go(reader, NULL);
  rt_yield(); /* the reader is in the kernel before this G runs again: only a retake can bring it back */
  if (write(pipe_ends[1], "x", 1) != 1)
    return 1;
  rt_waitgroup_wait(&wg);
  return 0;
}
static void the_p_of_a_g_that_blocks_in_the_kernel_is_retaken(void **state)
{
  (void)state;
  FOR_PROCS(n)
  assert_prints(blocks_in_the_kernel, n, "read x\n");
}

static void churn(void *unused)
{
  (void)unused;
  while (!atomic_load(&stop)) {
    rt_yield();
    rt_sleep(1000);
    atomic_fetch_add(&count, 1);
  }
  rt_waitgroup_done(&wg);
}
PROGRAM(changes_gomaxprocs)
{
  rt_waitgroup_add(&wg, 30);
  for (int i = 0; i < 30; i++)
    rt_go(churn, NULL);
  for (int i = 0; i < 100; i++) {
    int n = 1 + i * 7 % 8;
    rt_gomaxprocs(n);
    if (rt_gomaxprocs(0) != n)
      rt_panic("GOMAXPROCS is not what was set");
    rt_yield();
  }
  atomic_store(&stop, true);
  rt_waitgroup_wait(&wg);
  printf("%d\n", rt_gomaxprocs(0));
  return 0;
}
static void gomaxprocs_changes_under_load(void **state)
{
  (void)state;
  FOR_PROCS(n)
  assert_prints(changes_gomaxprocs, n, "6\n");
}

PROGRAM(stops_the_world)
{
  rt_waitgroup_add(&wg, 10);
  for (int i = 0; i < 10; i++)
    rt_go(churn, NULL);
  for (int i = 0; i < 100; i++) {
    rt_stop_the_world("test");
    long before = count;
    for (volatile int k = 0; k < 10000; k++)
      ;
    if (count != before)
      rt_panic("somebody ran in a stopped world");
    rt_start_the_world();
    rt_yield();
  }
  atomic_store(&stop, true);
  rt_waitgroup_wait(&wg);
  puts("stopped");
  return 0;
}
static void in_a_stopped_world_nobody_else_runs(void **state)
{
  (void)state;
  FOR_PROCS(n)
  assert_prints(stops_the_world, n, "stopped\n");
}

static void on_one_thread(void *unused)
{
  (void)unused;
  rt_lock_os_thread();
  pid_t mine = gettid();
  for (int i = 0; i < 50; i++) {
    rt_yield();
    rt_sleep(10000);
    if (gettid() != mine)
      rt_panic("a locked G changed its thread");
  }
  if (atomic_fetch_add(&count, 1) % 2 == 0)
    rt_unlock_os_thread(); /* the others take their thread with them */
  rt_waitgroup_done(&wg);
}
static void take_thread_along(void *unused)
{
  (void)unused;
  rt_lock_os_thread();
}
static int ms_in_allm(void)
{
  int n = 0;
  for (const struct m *mp = atomic_load(&allm); mp; mp = mp->alllink)
    n++;
  return n;
}
PROGRAM(takes_threads_along)
{
  uint32_t first = sched.mnext;
  for (uint32_t i = 1; i <= 100; i++) {
    rt_go(take_thread_along, NULL);
    while (atomic_load(&sched.exits) + 1 < i) /* the first thread does not end, only rests */
      rt_yield();
  }
  if (ms_in_allm() > 30 || sched.mnext - first < 90) /* each M of its own number */
    printf("%d Ms, %u numbers\n", ms_in_allm(), sched.mnext - first);
  puts("ended");
  return 0;
}
static void threads_that_end_leave_room_for_others(void **state)
{
  (void)state;
  FOR_PROCS(n)
  assert_prints(takes_threads_along, n, "ended\n");
}

PROGRAM(locks_threads)
{
  rt_waitgroup_add(&wg, 8);
  for (int i = 0; i < 8; i++)
    rt_go(on_one_thread, NULL);
  rt_waitgroup_wait(&wg);
  puts("same");
  return 0;
}
static void a_locked_g_stays_on_its_thread(void **state)
{
  (void)state;
  FOR_PROCS(n)
  assert_prints(locks_threads, n, "same\n");
}

/* ---- timers ---- */

static void tell(void *text)
{
  printf("%s ", (char *)text);
  rt_waitgroup_done(&wg);
}
PROGRAM(uses_timers)
{
  struct rt_timer *c = rt_after_func(60000000000, tell, "c");
  printf("%d ", rt_timer_stop(c));
  /* One by one: who of two Gs of two timers runs first is nobody's promise. */
  rt_waitgroup_add(&wg, 1);
  struct rt_timer *b = rt_after_func(1000000, tell, "b");
  rt_waitgroup_wait(&wg);
  rt_waitgroup_add(&wg, 1);
  struct rt_timer *a = rt_after_func(4000000, tell, "a");
  rt_waitgroup_wait(&wg);
  printf("%d ", rt_timer_stop(a));
  struct rt_chan *after = rt_after(1000000);
  int64_t then;
  printf("%d ", rt_chan_recv(after, &then) && then <= rt_now());
  struct rt_ticker *ticker = rt_ticker_new(200000);
  for (int i = 0; i < 5; i++)
    rt_chan_recv(rt_ticker_chan(ticker), &then);
  rt_ticker_stop(ticker);
  printf("%d\n", rt_chan_try_recv(rt_ticker_chan(ticker), &then, NULL));
  rt_ticker_free(ticker);
  rt_chan_free(after);
  rt_chan_free(rt_after(60000000000));
  rt_timer_free(a), rt_timer_free(b), rt_timer_free(c);
  return 0;
}
static void timers_call_send_tick_and_stop(void **state)
{
  (void)state;
  FOR_PROCS(n)
  assert_prints(uses_timers, n, "1 b a 0 1 0\n");
}

/* A short period is due again on one M while another M is still in the timer's function. */
PROGRAM(frees_busy_tickers)
{
  int64_t then;
  for (int i = 0; i < 400; i++) {
    struct rt_ticker *ticker = rt_ticker_new(1000);
    for (int tick = 0; tick < 3; tick++)
      rt_chan_recv(rt_ticker_chan(ticker), &then);
    rt_ticker_free(ticker);
  }
  puts("freed");
  return 0;
}
static void a_ticker_may_be_freed_while_its_function_runs_on_two_threads(void **state)
{
  (void)state;
  FOR_PROCS(n)
  assert_prints(frees_busy_tickers, n, "freed\n");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(mains_value_is_the_exit_code),
    cmocka_unit_test(when_main_returns_the_others_are_dropped),
    cmocka_unit_test(a_deadlock_is_reported_as_go_does),
    cmocka_unit_test(a_stack_overflow_is_told_and_ends_with_2),
    cmocka_unit_test(sigquit_dumps_and_ends_with_2),
    cmocka_unit_test(sigquit_shows_where_the_running_g_is),
    cmocka_unit_test(nobody_is_lost_who_yields),
    cmocka_unit_test(every_g_that_is_started_runs_and_ends),
    cmocka_unit_test(sleepers_wake_and_not_too_early),
    cmocka_unit_test(a_g_that_runs_too_long_is_asked_to_stop),
    cmocka_unit_test(the_p_of_a_g_that_blocks_in_the_kernel_is_retaken),
    cmocka_unit_test(gomaxprocs_changes_under_load),
    cmocka_unit_test(in_a_stopped_world_nobody_else_runs),
    cmocka_unit_test(a_locked_g_stays_on_its_thread),
    cmocka_unit_test(threads_that_end_leave_room_for_others),
    cmocka_unit_test(timers_call_send_tick_and_stop),
    cmocka_unit_test(a_ticker_may_be_freed_while_its_function_runs_on_two_threads),
    cmocka_unit_test(rt_run_returns_and_may_be_called_again),
    cmocka_unit_test(what_a_run_leaves_behind_does_not_disturb_the_next),
    cmocka_unit_test(impossible_requests_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
