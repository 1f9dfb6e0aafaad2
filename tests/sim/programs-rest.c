/* SPDX-License-Identifier: MIT */
/* programs-rest.c - more of programs.c: Gs that compute, a world that stands still, and the rest of rt.h.
 *
 * A G computes by sim_compute(ns): its M is busy for that long, looks at nothing, and others go on. That is when a
 * wake-up that nobody took can be seen, when sysmon asks, and when a signal lands in the program's own code.
 */
#include "program.h"

#define MS      1000000
#define RUN(fn) void fn(void *unused __attribute__((unused)))

static int64_t some(intptr_t n, int64_t longest)
{
  uint64_t x = (uint64_t)n * 2654435761u + sim_seed();
  x ^= x << 13, x ^= x >> 7, x ^= x << 17;
  return 1 + (int64_t)(x % (uint64_t)longest);
}

/* ---- computing ---- */

static void compute_and_send(void *n)
{
  for (intptr_t i = 0; i < 3; i++) {
    int64_t ns = some((intptr_t)n * 3 + i, 200000);
    rt_chan_send(in, &ns);
    sim_compute(ns);
  }
  rt_waitgroup_done(&wg);
}
static void receive_and_compute(void *unused)
{
  int64_t ns;
  (void)unused;
  while (rt_chan_recv(in, &ns)) {
    rt_chan_try_send(out, NULL);
    sim_compute(ns / 2);
  }
}
RUN(computing)
{
  in = rt_chan_new(sizeof(int64_t), 2);
  out = rt_chan_new(0, 64);
  for (intptr_t i = 0; i < 4; i++)
    go(compute_and_send, (void *)i);
  for (int i = 0; i < 3; i++)
    rt_go(receive_and_compute, NULL);
  rt_waitgroup_wait(&wg);
  rt_chan_close(in);
}

/* Wakes two others and then is busy: one of them has its P, if somebody wakes for it. */
static void wake_and_compute(void *n)
{
  for (intptr_t i = 0; i < 4; i++) {
    rt_sleep(some((intptr_t)n + i, 20000));
    rt_chan_try_send(in, NULL);
    rt_chan_try_send(in, NULL);
    sim_compute(some((intptr_t)n - i, 300000));
  }
  rt_waitgroup_done(&wg);
}
static void be_woken(void *unused)
{
  (void)unused;
  while (rt_chan_recv(in, NULL))
    sim_compute(500);
}
RUN(bursts)
{
  in = rt_chan_new(0, 4);
  for (int i = 0; i < 3; i++)
    rt_go(be_woken, NULL);
  for (intptr_t i = 0; i < 2; i++)
    go(wake_and_compute, (void *)i);
  rt_waitgroup_wait(&wg);
}

/* More than a slice: asked at a call (even ones), stopped by signal (odd ones, whose code is marked). */
static RT_PREEMPTIBLE void hog_without_calls(int64_t ns)
{
  sim_compute(ns);
  __asm__ volatile(""); /* it is called from here, not jumped to */
}
static void hog(void *n)
{
  for (int i = 0; i < 3; i++) {
    if ((intptr_t)n % 2)
      hog_without_calls(15 * MS);
    else
      sim_compute(some((intptr_t)n, 15 * MS));
    rt_safepoint();
  }
  counter++;
  rt_waitgroup_done(&wg);
}
RUN(preempted)
{
  for (intptr_t i = 0; i < 5; i++)
    go(hog, (void *)i);
  go(yield_some, NULL);
  rt_waitgroup_wait(&wg);
}

static void sleep_and_compute(void *n)
{
  for (intptr_t i = 0; i < 4; i++) {
    int64_t before = rt_now(), ns = some((intptr_t)n + i, 100000);
    rt_sleep(ns);
    expect(rt_now() - before >= ns);
    sim_compute(some((intptr_t)n - i, 400000));
  }
  rt_waitgroup_done(&wg);
}
RUN(busy_timers)
{
  for (intptr_t i = 0; i < 6; i++)
    go(sleep_and_compute, (void *)i);
  rt_waitgroup_wait(&wg);
}

static void call_long(void *n)
{
  for (int i = 0; i < 2; i++) {
    rt_entersyscall();
    rt_exitsyscall();
    rt_chan_try_send(in, &n);
    sim_compute(some((intptr_t)n + i, 5 * MS));
    rt_blocking(nothing, NULL);
  }
  rt_waitgroup_done(&wg);
}
RUN(long_calls)
{
  in = rt_chan_new(sizeof(void *), 32);
  for (intptr_t i = 0; i < 5; i++)
    go(call_long, (void *)i);
  rt_waitgroup_wait(&wg);
}

/* ---- the world ---- */

static bool stands;
static void run_while_it_turns(void *n)
{
  for (int i = 0; i < 6; i++) {
    expect(!stands);
    if ((intptr_t)n % 3 == 0)
      rt_yield();
    else if ((intptr_t)n % 3 == 1)
      rt_blocking(nothing, NULL);
    else
      sim_compute(some((intptr_t)n + i, 30000));
    expect(!stands);
    rt_safepoint();
  }
  rt_waitgroup_done(&wg);
}
static void stop_and_look(void)
{
  rt_stop_the_world("test");
  stands = true;
  sim_compute(20000);
  stands = false;
  rt_start_the_world();
}
static void visit(uint64_t goid, const void *lo, const void *hi, void *n)
{
  (void)goid;
  expect(lo <= hi);
  ++*(int *)n;
}
RUN(a_stopped_world)
{
  int n = 0;
  for (intptr_t i = 0; i < 6; i++)
    go(run_while_it_turns, (void *)i);
  for (int i = 0; i < 3; i++) {
    stop_and_look();
    rt_yield();
  }
  rt_scan_stacks(visit, &n);
  expect(n > 0);
  rt_waitgroup_wait(&wg);
}
static void stop_often(void *unused)
{
  (void)unused;
  for (int i = 0; i < 2; i++) {
    stop_and_look();
    rt_yield();
  }
  rt_waitgroup_done(&wg);
}
RUN(two_stoppers)
{
  for (intptr_t i = 0; i < 3; i++) {
    go(stop_often, NULL);
    go(run_while_it_turns, (void *)i);
  }
  rt_gomaxprocs(2);
  rt_waitgroup_wait(&wg);
}

/* ---- select and time ---- */

static void try_often(void *unused)
{
  (void)unused;
  for (int got = 0, i; got < 3;) {
    struct rt_case cases[] = { { in, RT_RECV, &i, false }, { out, RT_SEND, &got, false } };
    if (rt_select_default(cases, 2) < 0)
      rt_yield();
    else
      got++;
  }
  rt_waitgroup_done(&wg);
}
RUN(selects_with_default)
{
  in = rt_chan_new(sizeof(int), 0);
  out = rt_chan_new(sizeof(int), 0);
  for (int i = 0; i < 2; i++)
    go(try_often, NULL);
  for (int i = 0; i < 6; i++) {
    int got;
    struct rt_case cases[] = { { in, RT_SEND, &i, false }, { out, RT_RECV, &got, false } };
    rt_select(cases, 2);
  }
  rt_waitgroup_wait(&wg);
}

static void wait_with_limit(void *n)
{
  int64_t then, before = rt_now(), ns = some((intptr_t)n, 200000);
  struct rt_chan *limit = rt_after(ns);
  struct rt_case cases[] = { { in, RT_RECV, NULL, false }, { limit, RT_RECV, &then, false } };
  if (rt_select(cases, 2) == 1)
    expect(then >= before + ns && rt_now() >= then);
  rt_chan_free(limit);
  rt_waitgroup_done(&wg);
}
RUN(time_outs)
{
  int64_t first, then;
  in = rt_chan_new(0, 0);
  struct rt_ticker *ticker = rt_ticker_new(30000);
  for (intptr_t i = 0; i < 5; i++)
    go(wait_with_limit, (void *)i);
  rt_chan_recv(rt_ticker_chan(ticker), &first);
  rt_ticker_reset(ticker, 10000);
  rt_chan_try_send(in, NULL);
  rt_chan_recv(rt_ticker_chan(ticker), &then);
  expect(then > first);
  rt_ticker_free(ticker);
  rt_waitgroup_wait(&wg);
}

static struct rt_timer *chain;
static void next_call(void *unused)
{
  (void)unused;
  if (++counter < 5)
    rt_timer_reset(chain, 5000 * counter);
  else
    rt_waitgroup_done(&wg);
}
RUN(call_chain)
{
  rt_waitgroup_add(&wg, 1);
  chain = rt_after_func(40 * MS, next_call, NULL);
  expect(rt_timer_reset(chain, 1000));
  go(sleep_and_compute, NULL);
  rt_waitgroup_wait(&wg);
  expect(counter == 5);
  rt_timer_free(chain);
}

/* ---- locks ---- */

static struct rt_once only;
static void first_and_only(void *unused)
{
  (void)unused;
  rt_sleep(5000);
  expect(++counter == 1);
  rt_panic("in once");
}
static void drop_panic(void *unused)
{
  (void)unused;
  rt_recover(NULL);
}
static int do_once(void)
{
  RT_FRAME(fr, { return 0; });
  RT_DEFER(fr, drop_panic, NULL);
  rt_once_do(&only, first_and_only, NULL);
  return 1;
}
static void all_do_it(void *unused)
{
  (void)unused;
  do_once();
  expect(counter == 1);
  rt_waitgroup_done(&wg);
}
RUN(once)
{
  for (int i = 0; i < 5; i++)
    go(all_do_it, NULL);
  rt_waitgroup_wait(&wg);
}

static struct rt_mutex lock;
static struct rt_rwmutex rw;
static struct rt_sem permits;
static int writers;
static void try_them(void *unused)
{
  (void)unused;
  for (int i = 0; i < 4; i++) {
    if (rt_mutex_try_lock(&lock)) {
      rt_yield();
      rt_mutex_unlock(&lock);
    }
    if (rt_rwmutex_try_lock(&rw)) {
      expect(writers++ == 0);
      sim_compute(1000);
      writers--;
      rt_rwmutex_unlock(&rw);
    } else if (rt_rwmutex_try_rlock(&rw)) {
      expect(writers == 0);
      rt_rwmutex_runlock(&rw);
    }
    if (!rt_sem_try_acquire(&permits))
      rt_sem_acquire(&permits);
    rt_yield();
    rt_sem_release(&permits);
  }
  rt_waitgroup_done(&wg);
}
RUN(try_locks)
{
  rt_sem_init(&permits, 1);
  for (int i = 0; i < 4; i++)
    go(try_them, NULL);
  rt_mutex_lock(&lock);
  rt_sleep(2000);
  rt_mutex_unlock(&lock);
  rt_waitgroup_wait(&wg);
}

static struct rt_cond cond;
static int tokens;
static void take_token(void *unused)
{
  (void)unused;
  rt_mutex_lock(&lock);
  while (tokens == 0)
    rt_cond_wait(&cond);
  tokens--;
  rt_mutex_unlock(&lock);
  rt_waitgroup_done(&wg);
}
RUN(signals_of_cond)
{
  rt_cond_init(&cond, &lock);
  for (int i = 0; i < 6; i++)
    go(take_token, NULL);
  for (int i = 0; i < 6; i++) {
    rt_mutex_lock(&lock);
    tokens++;
    rt_cond_signal(&cond);
    rt_mutex_unlock(&lock);
    if (i % 2)
      rt_yield();
  }
  rt_waitgroup_wait(&wg);
  expect(tokens == 0);
}

/* ---- defer, panic, Goexit ---- */

static void done_with_it(void *unused)
{
  (void)unused;
  counter++;
  rt_waitgroup_done(&wg);
}
static void exit_in_call(void *unused)
{
  (void)unused;
  rt_yield();
  rt_goexit();
}
static void panic_in_call(void *unused)
{
  (void)unused;
  rt_sleep(500);
  rt_panic("in a deferred call");
}
static void recover_nothing(void *unused)
{
  (void)unused;
  expect(!rt_recover(NULL));
}
/* A panic, ended by a Goexit of a deferred call; or a Goexit whose deferred calls panic and recover. */
static int leave_oddly(intptr_t n)
{
  RT_FRAME(fr, { return 0; });
  RT_DEFER(fr, done_with_it, NULL);
  if (n % 2) {
    RT_DEFER(fr, exit_in_call, NULL);
    rt_panic("on purpose");
  }
  RT_DEFER(fr, recover_nothing, NULL);
  RT_DEFER(fr, drop_panic, NULL);
  RT_DEFER(fr, panic_in_call, NULL);
  rt_goexit();
}
static void odd_one(void *n)
{
  leave_oddly((intptr_t)n);
  sim_fail("a G goes on after its Goexit");
}
RUN(goexits)
{
  for (intptr_t i = 0; i < 6; i++)
    go(odd_one, (void *)i);
  rt_waitgroup_wait(&wg);
  expect(counter == 6);
}

static void count_in(void *n)
{
  rt_blocking(nothing, NULL);
  ++*(int *)n;
}
static void recover_and_panic(void *n)
{
  struct rt_value value;
  expect(rt_recover(&value));
  ++*(int *)n;
  rt_yield();
  rt_panic("again");
}
/* Two deferred calls before the recover, two after it, and three that a panic within a panic leaves behind. */
static int panic_twice(int *n)
{
  RT_FRAME(fr, { return *n; });
  for (int i = 0; i < 2; i++)
    RT_DEFER_LOOP(fr, count_in, n);
  RT_DEFER(fr, drop_panic, NULL);
  for (int i = 0; i < 2; i++)
    RT_DEFER_LOOP(fr, count_in, n);
  RT_DEFER(fr, recover_and_panic, n);
  for (int i = 0; i < 3; i++)
    RT_DEFER_LOOP(fr, count_in, n);
  rt_panic("once");
}
static void panic_often(void *unused)
{
  (void)unused;
  for (int i = 0; i < 2; i++) {
    int n = 0;
    expect(panic_twice(&n) == 8);
  }
  rt_waitgroup_done(&wg);
}
RUN(nested_panics)
{
  for (int i = 0; i < 4; i++)
    go(panic_often, NULL);
  rt_waitgroup_wait(&wg);
}

/* Loops that defer, on whatever P: its pool gives the records, and another one takes them back. */
struct turn {
  int number, *last; /* last: of the turns that have not run */
};
static void run_turn(void *arg)
{
  const struct turn *turn = arg;
  expect(turn->number == *turn->last);
  --*turn->last;
}
static void defer_turns(int n, int *last)
{
  struct turn turns[8];
  RT_FRAME(fr, { return; });
  for (int i = 0; i < n; i++) {
    turns[i] = (struct turn){ i + 1, last };
    RT_DEFER_LOOP(fr, run_turn, &turns[i]);
    *last = i + 1;
    if (sim_rand(2))
      rt_yield();
  }
}
static void defer_often(void *unused)
{
  (void)unused;
  for (intptr_t i = 0; i < 120; i++) {
    int last = 0;
    defer_turns(1 + (int)sim_rand(8), &last);
    expect(last == 0);
    rt_yield();
  }
  rt_waitgroup_done(&wg);
}
static void expect_once(struct rt_defer *d)
{
  expect(d->arg != &counter);
  d->arg = &counter;
}
RUN(defers_in_loops)
{
  for (intptr_t i = 0; i < 4; i++)
    go(defer_often, NULL);
  rt_waitgroup_wait(&wg);
  for (int32_t p = 0; p < sched.gomaxprocs; p++)
    for (uint32_t i = 0; i < allp[p]->n_deferpool; i++)
      expect_once(allp[p]->deferpool[i]);
  for (struct rt_defer *d = sched.deferpool; d; d = d->link)
    expect_once(d);
}

/* ---- an end that is none ---- */

static void run_nothing(void *unused)
{
  (void)unused;
}
static void lock_for_ever(void *thread)
{
  if (thread)
    rt_lock_os_thread();
  rt_mutex_lock(&lock);
  rt_mutex_lock(&lock);
}
RUN(one_more_deadlock)
{
  struct rt_timer *never = rt_after_func(MS, run_nothing, NULL);
  rt_go(lock_for_ever, NULL);
  rt_go(lock_for_ever, &lock);
  rt_sleep(20000);
  rt_timer_stop(never);
  rt_select(NULL, 0);
}
