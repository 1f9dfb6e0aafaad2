/* SPDX-License-Identifier: MIT */
/* test-runs.c - what one rt_run leaves for the next: what dropped Gs waited on, which is not touched, but told of; their
 * deferred calls and their memory; and Gs and Ms that are in the kernel then. */
#include "program.h"
#include "schedlock.h"

#include <malloc.h>
#include <stdatomic.h>

#define WORDS                                                                                      \
  "fatal error: use of a channel, mutex or the like on which goroutines of an earlier rt_run "     \
  "waited\n"

static struct rt_chan *chan, *other;
static struct rt_ticker *ticker;
static struct rt_timer *timer;
static struct rt_mutex mutex;
static struct rt_rwmutex rw;
static struct rt_cond cond;
static struct rt_sem sem;
static struct rt_waitgroup wg;

static void fired(void *unused)
{
  (void)unused;
  puts("fired");
}

static void make_all(void)
{
  chan = rt_chan_new(sizeof(int), 0);
  other = rt_chan_new(sizeof(int), 0);
  ticker = rt_ticker_new(1000000000);
  timer = rt_after_func(1000000000, fired, NULL);
  mutex = (struct rt_mutex){ 0 };
  rt_mutex_lock(&mutex);
  rw = (struct rt_rwmutex){ 0 };
  rt_rwmutex_rlock(&rw);
  rt_cond_init(&cond, &mutex);
  rt_sem_init(&sem, 0);
  wg = (struct rt_waitgroup){ 0 };
  rt_waitgroup_add(&wg, 1);
}

static int value;
static void lock_for_cond(void)
{
  mutex = (struct rt_mutex){ 0 };
  rt_mutex_lock(&mutex);
}
static void wait_for_cond(void)
{
  lock_for_cond();
  rt_cond_wait(&cond);
}
static void select_both(void)
{
  struct rt_case cases[] = { { other, RT_SEND, &value, false }, { chan, RT_SEND, &value, false } };
  rt_select(cases, 2);
}
static void tick(void)
{
  rt_ticker_reset(ticker, 1);
  rt_sleep(1000000000);
}

/* One G waits so in the first run, and is dropped; this is done in the second. */
#define WAYS                                                                                       \
  WAY(receiver, rt_chan_recv(chan, &value), rt_chan_try_send(chan, &value))                        \
  WAY(sender, rt_chan_send(chan, &value), rt_chan_recv(chan, &value))                              \
  WAY(another_receiver, rt_chan_recv(chan, &value), rt_chan_recv(chan, &value))                    \
  WAY(close, rt_chan_recv(chan, &value), rt_chan_close(chan))                                      \
  WAY(selecting, select_both(), rt_chan_recv(other, &value))                                       \
  WAY(select, rt_chan_recv(chan, &value), select_both())                                           \
  WAY(ticker, rt_chan_recv(rt_ticker_chan(ticker), NULL), tick())                                  \
  WAY(mutex, rt_mutex_lock(&mutex), rt_mutex_unlock(&mutex))                                       \
  WAY(another_locker, rt_mutex_lock(&mutex), rt_mutex_lock(&mutex))                                \
  WAY(writer, rt_rwmutex_lock(&rw), rt_rwmutex_runlock(&rw))                                       \
  WAY(sem, rt_sem_acquire(&sem), rt_sem_release(&sem))                                             \
  WAY(waitgroup, rt_waitgroup_wait(&wg), rt_waitgroup_done(&wg))                                   \
  WAY(signal, wait_for_cond(), rt_cond_signal(&cond))                                              \
  WAY(broadcast, wait_for_cond(), rt_cond_broadcast(&cond))                                        \
  WAY(another_waiter, wait_for_cond(), wait_for_cond())

#define WAY(name, waits, uses)                                                                     \
  static void wait_##name(void *unused)                                                            \
  {                                                                                                \
    (void)unused;                                                                                  \
    waits;                                                                                         \
  }                                                                                                \
  static void use_##name(void)                                                                     \
  {                                                                                                \
    uses;                                                                                          \
  }
WAYS
#undef WAY

    struct way {
  const char *name;
  void (*wait)(void *);
  void (*use)(void);
};
#define WAY(name, waits, uses) { #name, wait_##name, use_##name },
static const struct way ways[] = { WAYS };
#undef WAY

static void leave_it_waiting(void *way)
{
  make_all();
  rt_go(((const struct way *)way)->wait, NULL);
  for (int i = 0; i < 5; i++)
    rt_yield(); /* there is one P: now it waits */
}
static void write_over_frames(void *unused)
{
  char frame[4000];
  (void)unused;
  memset(frame, 0x5a, sizeof frame);
  __asm__ volatile("" ::"r"(frame) : "memory");
}
static void use_it(void *way)
{
  for (int i = 0; i < 10; i++)
    rt_go(write_over_frames, NULL);
  rt_yield();
  ((const struct way *)way)->use();
  puts("used");
}
static int use_in_the_next_run(void *way)
{
  return rt_run(leave_it_waiting, way, NULL) + rt_run(use_it, way, NULL);
}
static void what_a_dropped_g_waited_on_is_told_of_when_it_is_used(void **state)
{
  (void)state;
  for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
    struct outcome o = run_child(use_in_the_next_run, (void *)(uintptr_t)&ways[i], 1);
    o.err[strlen(WORDS)] = '\0';
    if (strcmp(o.err, WORDS) != 0)
      print_message("%s:\n", ways[i].name);
    assert_string_equal(o.err, WORDS);
    assert_string_equal(o.out, "");
    assert_int_equal(o.code, 2);
  }
}

static void use_what_was_made_anew(void *way)
{
  (void)way;
  rt_ticker_free(ticker);
  rt_chan_free(other);
  struct rt_timer *used_on = timer;
  printf("%d ", rt_timer_reset(used_on, 1));
  make_all();
  rt_mutex_unlock(&mutex);
  rt_rwmutex_runlock(&rw);
  rt_rwmutex_lock(&rw);
  rt_sem_release(&sem);
  rt_sem_acquire(&sem);
  rt_waitgroup_done(&wg);
  rt_waitgroup_wait(&wg);
  rt_cond_signal(&cond);
  rt_sleep(1000000);
  rt_timer_free(used_on);
}
static int make_anew_in_the_next_run(void *way)
{
  int error = rt_run(leave_it_waiting, way, NULL);
  rt_chan_free(chan); /* nobody waits on it any more */
  return error + rt_run(use_what_was_made_anew, way, NULL);
}
static void what_a_dropped_g_waited_on_can_be_freed_and_made_anew(void **state)
{
  (void)state;
  for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
    assert_child_prints(make_anew_in_the_next_run, (void *)(uintptr_t)&ways[i], 1, "0 fired\n");
  }
}

static void send_one(void *unused)
{
  (void)unused;
  rt_chan_send(chan, &(int){ 7 });
}
static void receive_one(void *unused)
{
  (void)unused;
  if (!chan)
    make_all();
  rt_go(send_one, NULL);
  rt_chan_recv(chan, &value);
  rt_go(send_one, NULL);
  rt_yield();
  rt_chan_recv(chan, &value);
  rt_mutex_unlock(&mutex);
  rt_mutex_lock(&mutex);
  printf("%d ", value);
}
static int use_on(void *unused)
{
  (void)unused;
  for (int i = 0; i < 3; i++)
    if (rt_run(receive_one, NULL, NULL) != 0)
      return 1;
  return 0;
}
static void what_nobody_waits_on_can_be_used_on(void **state)
{
  (void)state;
  FOR_PROCS(n)
  assert_child_prints(use_on, NULL, n, "7 7 7 ");
}

/* ---- tickers ---- */

static void make_a_ticker_and_hear_it(void *unused)
{
  (void)unused;
  ticker = rt_ticker_new(1000000);
  rt_chan_recv(rt_ticker_chan(ticker), NULL);
}
static void hear_it_again(void *unused)
{
  (void)unused;
  for (int i = 0; i < 3; i++)
    rt_chan_recv(rt_ticker_chan(ticker), NULL);
  rt_ticker_free(ticker);
}
static int hear_a_ticker_in_two_runs(void *unused)
{
  return rt_run(make_a_ticker_and_hear_it, unused, NULL) + rt_run(hear_it_again, unused, NULL);
}
static void a_ticker_ticks_on_in_the_next_run(void **state)
{
  (void)state;
  FOR_PROCS(n)
  assert_child_prints(hear_a_ticker_in_two_runs, NULL, n, "");
}

/* ---- deferred calls of Gs that a run drops ---- */

#define RECORDS 40
static _Atomic int n_away, n_back;
static _Atomic bool next_run_is_on;

static void say(void *what)
{
  fputs(what, stdout);
}
/* rt_run waits for its own thread alone, so who is in the kernel there may not wait for the next run. */
static bool may_come_back(void)
{
  return gettid() == getpid() ? atomic_load(&sched.ended) : next_run_is_on;
}
static void *wait_in_the_kernel(void *unused)
{
  n_away++;
  while (!may_come_back())
    usleep(1000);
  n_back++;
  return unused;
}
static int n_more; /* so that some leave records for the next turns of their loops, too */
static void defer_and_leave(void *to_the_kernel)
{
  RT_FRAME(fr, { return; });
  for (int i = 0; i < RECORDS + n_more; i++)
    RT_DEFER_LOOP(fr, say, (void *)(uintptr_t) "dropped");
  RT_DEFER(fr, say, (void *)(uintptr_t) "dropped");
  if (to_the_kernel)
    rt_blocking(wait_in_the_kernel, NULL);
  else
    rt_select(NULL, 0);
}
static void leave_with_deferred_calls(void *n)
{
  for (intptr_t i = 0; i < (intptr_t)n; i++) {
    rt_go(defer_and_leave, i % 2 ? n : NULL);
    rt_yield();
  }
  while (n_away < (intptr_t)n / 2)
    rt_yield();
}
static void end(void *done)
{
  fputs("mine ", stdout);
  rt_waitgroup_done(done);
}
/* A Goexit runs all that the G has. */
static void defer_and_goexit(void *done)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, end, done);
  rt_goexit();
}
static void goexit_after_them(void *n)
{
  struct rt_waitgroup done = { 0 };
  next_run_is_on = true;
  while (n_back < (intptr_t)n / 2)
    rt_sleep(1000000);
  rt_sleep(5000000);
  for (int i = 0; i < 200; i++) { /* some have the memory of those */
    rt_waitgroup_add(&done, 1);
    rt_go(defer_and_goexit, &done);
  }
  rt_waitgroup_wait(&done);
}
static int runs_with_deferred_calls(void *n)
{
  return rt_run(leave_with_deferred_calls, n, NULL) + rt_run(goexit_after_them, n, NULL);
}
static void the_deferred_calls_of_a_dropped_g_are_nobody_s(void **state)
{
  (void)state;
  FOR_PROCS(n)
  {
    struct outcome o = run_child(runs_with_deferred_calls, (void *)8, n);
    assert_string_equal(o.err, "");
    assert_null(strstr(o.out, "dropped"));
    assert_int_equal(strlen(o.out), 200 * strlen("mine "));
    assert_int_equal(o.code, 0);
  }
}

static int many_runs_with_deferred_calls(void *runs)
{
  struct mallinfo2 before = { 0 };
  for (intptr_t i = 0; i < (intptr_t)runs; i++) {
    n_more = (int)i % 13;
    if (rt_run(leave_with_deferred_calls, (void *)1, NULL) != 0)
      return 1;
    before = i == 20 ? mallinfo2() : before;
  }
  return mallinfo2().uordblks > before.uordblks + 15000; /* once 2.5 KB a run were left */
}
static void the_deferred_calls_of_a_dropped_g_are_freed(void **state)
{
  (void)state;
  assert_child_prints(many_runs_with_deferred_calls, (void *)1000, 1, "");
}

/* ---- Gs that are in the kernel when their run ends ---- */

static void *stay_in_the_kernel(void *unused)
{
  n_away++;
  for (;;)
    pause();
  return unused;
}
static void *wait_for_it(void *unused)
{
  while (n_away == 0)
    usleep(1000);
  return unused;
}
/* Not on the thread of rt_run, which waits for that: while it is busy, the next one gets another. */
static void go_into_the_kernel(void *unused)
{
  if (gettid() != getpid()) {
    rt_blocking(stay_in_the_kernel, unused);
    return;
  }
  rt_go(go_into_the_kernel, unused);
  rt_blocking(wait_for_it, unused);
}
static void leave_one_for_ever(void *unused)
{
  rt_go(go_into_the_kernel, unused);
  while (n_away == 0)
    rt_yield();
}
static void wait_for_ever(void *unused)
{
  rt_chan_recv(rt_chan_new(1, 0), unused);
}
static int deadlock_in_the_next_run(void *unused)
{
  if (rt_run(leave_one_for_ever, unused, NULL) != 0)
    return 1;
  return rt_run(wait_for_ever, unused, NULL);
}
static void a_deadlock_is_told_beside_a_g_of_the_run_before(void **state)
{
  (void)state;
  FOR_PROCS(n)
  {
    struct outcome o = run_child(deadlock_in_the_next_run, NULL, n);
    assert_starts_with(
        o.err, "fatal error: all goroutines are asleep - deadlock!\n\ngoroutine 1 [chan receive");
    assert_null(strstr(o.err, "goroutine 2 "));
    assert_int_equal(o.code, 2);
  }
}

static _Atomic int n_seen;
static void count_stack(uint64_t goid, const void *lo, const void *hi, void *unused)
{
  (void)goid, (void)unused;
  n_seen += lo <= hi ? 1 : 1000;
}
static void look_at_all(void *unused)
{
  rt_scan_stacks(count_stack, unused);
  printf("%d %d ", n_seen, rt_num_goroutine());
  fflush(stdout);
  rt_stack_dump(1, true);
}
static int look_in_the_next_run(void *unused)
{
  if (rt_run(leave_one_for_ever, unused, NULL) != 0)
    return 1;
  return rt_run(look_at_all, unused, NULL);
}
static void a_g_of_the_run_before_is_nobody_to_dumps_and_scans(void **state)
{
  (void)state;
  FOR_PROCS(n)
  {
    struct outcome o = run_child(look_in_the_next_run, NULL, n);
    assert_string_equal(o.err, "");
    assert_starts_with(o.out, "1 1 goroutine 1 [running]:\n");
    assert_null(strstr(o.out, "goroutine 2 "));
    assert_int_equal(o.code, 0);
  }
}

/* What ends in a later run is no M of that, until it is asked for. */
static bool is_in_allm(const struct m *mp)
{
  bool found = false;
  lock_sched();
  for (const struct m *each = atomic_load(&allm); each; each = each->alllink)
    found = found || each == mp;
  unlock_sched();
  return found;
}
static _Atomic int n_strangers, n_inside;
static void *wait_for_the_others(void *n)
{
  n_strangers += !is_in_allm(getm());
  n_inside++;
  while (n_inside < (intptr_t)n)
    usleep(1000);
  return n;
}
static void need_a_thread(void *n)
{
  rt_blocking(wait_for_the_others, n);
}
static void use_many_threads(void *n)
{
  next_run_is_on = true;
  while (n_back < (intptr_t)n / 2)
    rt_sleep(1000000);
  rt_sleep(5000000); /* until their threads have ended */
  for (intptr_t i = 0; i < 2 * (intptr_t)n; i++)
    rt_go(need_a_thread, (void *)(2 * (intptr_t)n));
  while (n_inside < 2 * (intptr_t)n)
    rt_sleep(1000000);
  printf("%d", n_strangers);
}
static int use_threads_of_the_run_before(void *n)
{
  return rt_run(leave_with_deferred_calls, n, NULL) + rt_run(use_many_threads, n, NULL);
}
static void an_m_that_comes_back_late_is_used_as_a_new_one(void **state)
{
  (void)state;
  FOR_PROCS(n)
  assert_child_prints(use_threads_of_the_run_before, (void *)8, n, "0");
}

/* ---- what was in the memory of a G ---- */

static struct rt_chan *first, *kept[32]; /* so that none is a leak */
static _Atomic int n_kept;
static struct rt_chan *keep_a_chan(void)
{
  return kept[n_kept++] = rt_chan_new(1, 0);
}
static void select_for_ever(void *unused)
{
  (void)unused;
  struct rt_case cases[] = {
    { .chan = keep_a_chan(), .dir = RT_RECV },
    { .chan = keep_a_chan(), .dir = RT_RECV },
  };
  rt_chan_send(first, &(void *){ cases[0].chan });
  for (;;)
    rt_select(cases, 2);
}
static void panic_and_select(void *unused)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, select_for_ever, unused);
  rt_panic("is left by the run's end");
}
/* Each has won, and not gone on. */
static void leave_selects_that_have_won(void *n)
{
  struct rt_chan *of_select;
  first = rt_chan_new(sizeof of_select, 0);
  for (intptr_t i = 0; i < (intptr_t)n; i++)
    rt_go(panic_and_select, NULL);
  struct rt_chan *all[32];
  for (intptr_t i = 0; i < (intptr_t)n; i++) {
    rt_chan_recv(first, &of_select);
    all[i] = of_select;
  }
  for (int i = 0; i < 10; i++)
    rt_yield();
  for (intptr_t i = 0; i < (intptr_t)n; i++)
    rt_chan_try_send(all[i], "x");
}
static void close_it(void *that)
{
  rt_chan_close(that);
}
static void select_anew(void *done)
{
  struct rt_chan *mute = rt_chan_new(1, 0), *closed = rt_chan_new(1, 0);
  struct rt_case cases[] = {
    { .chan = mute, .dir = RT_RECV },
    { .chan = closed, .dir = RT_RECV },
  };
  if (rt_recover(NULL) || getg()->param || getg()->waiting)
    puts("has another one's");
  rt_go(close_it, closed);
  if (rt_select(cases, 2) != 1)
    puts("selected wrongly");
  rt_chan_free(mute);
  rt_chan_free(closed);
  rt_waitgroup_done(done);
}
static void select_in_their_memory(void *n)
{
  struct rt_waitgroup done = { 0 };
  rt_waitgroup_add(&done, 4 * (int)(intptr_t)n);
  for (intptr_t i = 0; i < 4 * (intptr_t)n; i++)
    rt_go(select_anew, &done);
  rt_waitgroup_wait(&done);
}
static int selects_of_two_runs(void *n)
{
  return rt_run(leave_selects_that_have_won, n, NULL) + rt_run(select_in_their_memory, n, NULL);
}
static void a_g_begins_with_nothing_of_who_was_dropped(void **state)
{
  (void)state;
  FOR_PROCS(n)
  assert_child_prints(selects_of_two_runs, (void *)16, n, "");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(what_a_dropped_g_waited_on_is_told_of_when_it_is_used),
    cmocka_unit_test(what_a_dropped_g_waited_on_can_be_freed_and_made_anew),
    cmocka_unit_test(what_nobody_waits_on_can_be_used_on),
    cmocka_unit_test(a_ticker_ticks_on_in_the_next_run),
    cmocka_unit_test(the_deferred_calls_of_a_dropped_g_are_nobody_s),
    cmocka_unit_test(the_deferred_calls_of_a_dropped_g_are_freed),
    cmocka_unit_test(a_deadlock_is_told_beside_a_g_of_the_run_before),
    cmocka_unit_test(a_g_of_the_run_before_is_nobody_to_dumps_and_scans),
    cmocka_unit_test(an_m_that_comes_back_late_is_used_as_a_new_one),
    cmocka_unit_test(a_g_begins_with_nothing_of_who_was_dropped),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
