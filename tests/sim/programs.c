/* SPDX-License-Identifier: MIT */
/* programs.c - small programs for the simulation, one for each thing that a scheduler can get wrong.
 *
 * Each checks its own result (expect) and is short: what it meets is varied by the seed, not by its length.
 */
#include "program.h"

struct rt_waitgroup wg;
struct rt_chan *in, *out;
int counter;

void go(void (*fn)(void *), void *arg)
{
  rt_waitgroup_add(&wg, 1);
  expect(rt_go(fn, arg) == 0);
}

void *nothing(void *arg)
{
  return arg;
}

/* ---- channels ---- */

static void echo(void *unused)
{
  int ball;
  (void)unused;
  while (rt_chan_recv(in, &ball)) {
    ball++;
    rt_chan_send(out, &ball);
  }
  rt_waitgroup_done(&wg);
}
MAIN(ping_pong)
{
  in = rt_chan_new(sizeof(int), 0);
  out = rt_chan_new(sizeof(int), 0);
  go(echo, NULL);
  int ball = 0;
  for (int i = 0; i < 20; i++) {
    rt_chan_send(in, &ball);
    rt_chan_recv(out, &ball);
  }
  rt_chan_close(in);
  rt_waitgroup_wait(&wg);
  expect(ball == 20);
}

static void produce(void *unused)
{
  (void)unused;
  for (int i = 1; i <= 8; i++)
    rt_chan_send(in, &i);
  rt_waitgroup_done(&wg);
}
static void consume(void *unused)
{
  int i, sum = 0;
  (void)unused;
  while (rt_chan_recv(in, &i))
    sum += i;
  rt_chan_send(out, &sum);
}
MAIN(fan_out_and_in)
{
  int sum, total = 0;
  in = rt_chan_new(sizeof(int), 2);
  out = rt_chan_new(sizeof(int), 0);
  for (int i = 0; i < 4; i++)
    go(produce, NULL);
  for (int i = 0; i < 3; i++)
    rt_go(consume, NULL);
  rt_waitgroup_wait(&wg);
  rt_chan_close(in);
  for (int i = 0; i < 3; i++) {
    rt_chan_recv(out, &sum);
    total += sum;
  }
  expect(total == 4 * 36);
}

static void choose(void *unused)
{
  int a, b, sum = 0;
  bool open[2] = { true, true };
  (void)unused;
  while (open[0] || open[1]) {
    struct rt_case cases[] = { { open[0] ? in : NULL, RT_RECV, &a, false },
                               { open[1] ? out : NULL, RT_RECV, &b, false } };
    int won = rt_select(cases, 2);
    open[won] = cases[won].open;
    sum += !cases[won].open ? 0 : won == 0 ? a : b;
  }
  counter += sum;
  rt_waitgroup_done(&wg);
}
static void feed(void *chan)
{
  for (int i = 1; i <= 6; i++)
    if (i % 2)
      rt_chan_send(chan, &i);
    else
      rt_select(&(struct rt_case){ chan, RT_SEND, &i, false }, 1);
  rt_waitgroup_done(&wg);
}
MAIN(selects)
{
  in = rt_chan_new(sizeof(int), 0);
  out = rt_chan_new(sizeof(int), 1);
  for (int i = 0; i < 4; i++)
    go(feed, i % 2 ? in : out);
  for (int i = 0; i < 3; i++)
    rt_go(choose, NULL);
  rt_waitgroup_wait(&wg); /* the feeders */
  rt_waitgroup_add(&wg, 3);
  rt_chan_close(in);
  rt_chan_close(out);
  rt_waitgroup_wait(&wg);
  expect(counter == 4 * 21);
}

/* ---- locks ---- */

static struct rt_mutex mutex;
static void increment(void *unused)
{
  (void)unused;
  for (int i = 0; i < 6; i++) {
    rt_mutex_lock(&mutex);
    int before = counter;
    if (i % 3 == 0)
      rt_yield();
    counter = before + 1;
    rt_mutex_unlock(&mutex);
  }
  rt_waitgroup_done(&wg);
}
MAIN(mutexes)
{
  for (int i = 0; i < 6; i++)
    go(increment, NULL);
  rt_waitgroup_wait(&wg);
  expect(counter == 36);
}

static struct rt_rwmutex rw;
static struct rt_cond cond;
static struct rt_sem sem;
static int inside;
static void read_and_write(void *n)
{
  for (intptr_t i = 0; i < 4; i++) {
    if ((i + (intptr_t)n) % 3 == 0) {
      rt_rwmutex_lock(&rw);
      expect(inside == 0);
      inside = -1;
      rt_yield();
      inside = 0;
      rt_rwmutex_unlock(&rw);
    } else {
      rt_rwmutex_rlock(&rw);
      expect(inside >= 0);
      rt_rwmutex_runlock(&rw);
    }
    rt_sem_acquire(&sem);
    rt_sem_release(&sem);
  }
  rt_mutex_lock(&mutex);
  counter++;
  rt_cond_broadcast(&cond);
  rt_mutex_unlock(&mutex);
}
MAIN(other_locks)
{
  rt_sem_init(&sem, 2);
  rt_cond_init(&cond, &mutex);
  for (intptr_t i = 0; i < 5; i++)
    rt_go(read_and_write, (void *)i);
  rt_mutex_lock(&mutex);
  while (counter < 5)
    rt_cond_wait(&cond);
  rt_mutex_unlock(&mutex);
}

/* ---- many Gs ---- */

static void tree(void *depth)
{
  if (depth)
    for (int i = 0; i < 2; i++)
      go(tree, (void *)((intptr_t)depth - 1));
  rt_waitgroup_done(&wg);
}
MAIN(waitgroup_tree)
{
  go(tree, (void *)4);
  rt_waitgroup_wait(&wg);
}

void yield_some(void *unused)
{
  (void)unused;
  for (int i = 0; i < 3; i++)
    rt_yield();
  rt_waitgroup_done(&wg);
}
MAIN(stealing)
{
  for (int i = 0; i < 24; i++)
    go(yield_some, NULL);
  rt_waitgroup_wait(&wg);
}

static void end_at_once(void *unused)
{
  (void)unused;
  rt_waitgroup_done(&wg);
}
MAIN(overflowing_queue)
{
  for (int i = 0; i < 300; i++)
    go(end_at_once, NULL);
  rt_waitgroup_wait(&wg);
}

/* ---- time ---- */

static void sleep_some(void *seed)
{
  uint64_t x = (uint64_t)(intptr_t)seed * 2654435761u + 1;
  for (int i = 0; i < 3; i++) {
    x ^= x << 13, x ^= x >> 7, x ^= x << 17;
    int64_t ns = (int64_t)(x % 300000), before = rt_now();
    rt_sleep(ns);
    expect(rt_now() - before >= ns);
  }
  rt_waitgroup_done(&wg);
}
MAIN(sleepers)
{
  for (intptr_t i = 0; i < 10; i++)
    go(sleep_some, (void *)i);
  rt_waitgroup_wait(&wg);
}

static void count_one(void *unused)
{
  (void)unused;
  counter++;
  rt_waitgroup_done(&wg);
}
MAIN(timers)
{
  struct rt_timer *ts[8];
  int64_t then;
  rt_waitgroup_add(&wg, 8);
  for (int i = 0; i < 8; i++)
    ts[i] = rt_after_func(1000000 - i * 90000, count_one, NULL);
  int stopped = 0;
  for (int i = 0; i < 8; i += 2)
    if (rt_timer_stop(ts[i])) {
      stopped++;
      rt_waitgroup_done(&wg);
    }
  for (int i = 1; i < 8; i += 2) {
    rt_waitgroup_add(&wg, 1); /* before it may fire again */
    if (rt_timer_reset(ts[i], 50000 * i))
      rt_waitgroup_done(&wg);
    else
      stopped--;
  }
  struct rt_ticker *ticker = rt_ticker_new(100000);
  for (int i = 0; i < 3; i++)
    rt_chan_recv(rt_ticker_chan(ticker), &then);
  rt_ticker_stop(ticker);
  rt_waitgroup_wait(&wg);
  expect(counter == 8 - stopped);
  for (int i = 0; i < 8; i++)
    rt_timer_free(ts[i]);
  rt_ticker_free(ticker);
}

/* A long sleep first, so that the poller sleeps long; then a short one, which must wake it. */
static void sleep_long(void *unused)
{
  (void)unused;
  rt_sleep(50000000);
  rt_waitgroup_done(&wg);
}
static void sleep_short(void *unused)
{
  (void)unused;
  for (int i = 0; i < 4; i++)
    rt_sleep(20000);
  rt_waitgroup_done(&wg);
}
static void call_then_sleep(void *unused)
{
  (void)unused;
  rt_blocking(nothing, NULL);
  sleep_short(NULL);
}
MAIN(early_timers)
{
  go(sleep_long, NULL);
  rt_sleep(1000);
  for (int i = 0; i < 3; i++)
    go(i % 2 ? sleep_short : call_then_sleep, NULL);
  rt_waitgroup_wait(&wg);
}

/* ---- the kernel, the world ---- */

static void call_some(void *unused)
{
  (void)unused;
  for (int i = 0; i < 4; i++) {
    rt_blocking(nothing, NULL);
    rt_chan_try_send(in, &i);
    rt_yield();
  }
  rt_waitgroup_done(&wg);
}
MAIN(system_calls)
{
  in = rt_chan_new(sizeof(int), 4);
  for (int i = 0; i < 6; i++)
    go(call_some, NULL);
  rt_waitgroup_wait(&wg);
}

void churn(void *n)
{
  for (int i = 0; i < 4; i++) {
    if ((intptr_t)n % 3 == 0)
      rt_blocking(nothing, NULL);
    else if ((intptr_t)n % 3 == 1)
      rt_sleep(5000);
    rt_yield();
  }
  rt_waitgroup_done(&wg);
}
MAIN(changing_gomaxprocs)
{
  for (intptr_t i = 0; i < 8; i++)
    go(churn, (void *)i);
  for (int i = 0; i < 5; i++) {
    rt_gomaxprocs(1 + i * 3 % 5);
    rt_yield();
  }
  rt_waitgroup_wait(&wg);
}
MAIN(stopping_the_world)
{
  for (intptr_t i = 0; i < 6; i++)
    go(churn, (void *)i);
  for (int i = 0; i < 4; i++) {
    rt_stop_the_world("test");
    rt_start_the_world();
    rt_gc();
    rt_yield();
  }
  rt_waitgroup_wait(&wg);
}

static void on_one_thread(void *n)
{
  rt_lock_os_thread();
  uint64_t mine = getm()->id;
  for (int i = 0; i < 4; i++) {
    if (i % 2)
      rt_yield();
    else if ((intptr_t)n % 2)
      rt_sleep(10000);
    else
      rt_blocking(nothing, NULL);
    expect(getm()->id == mine);
  }
  if ((intptr_t)n % 2)
    rt_unlock_os_thread(); /* the others take their thread with them */
  rt_waitgroup_done(&wg);
}
MAIN(locked_threads)
{
  for (intptr_t i = 0; i < 4; i++)
    go(on_one_thread, (void *)i);
  rt_waitgroup_wait(&wg);
}

/* ---- defer and panic ---- */

static void run_deferred(void *done)
{
  rt_yield();
  rt_sleep(1000);
  ++*(int *)done;
}
static void recover_it(void *done)
{
  struct rt_value why;
  expect(rt_recover(&why));
  ++*(int *)done;
}
static int defers(int *done)
{
  RT_FRAME(fr, { return 0; });
  RT_DEFER(fr, recover_it, done);
  for (int i = 0; i < 3; i++) {
    RT_DEFER_LOOP(fr, run_deferred, done);
    rt_yield();
  }
  rt_blocking(nothing, NULL);
  rt_panic("on purpose");
  return 1;
}
static void panic_and_recover(void *unused)
{
  int done = 0;
  (void)unused;
  defers(&done);
  expect(done == 4);
  rt_waitgroup_done(&wg);
}
MAIN(panics)
{
  for (int i = 0; i < 5; i++)
    go(panic_and_recover, NULL);
  rt_waitgroup_wait(&wg);
}

static void sleep_then_panic(void *unused)
{
  (void)unused;
  rt_sleep(20000);
  rt_panic("nobody recovers this");
}
MAIN(fatal_panic)
{
  go(yield_some, NULL);
  go(sleep_then_panic, NULL);
  rt_waitgroup_wait(&wg);
}

/* ---- ends that are none ---- */

static void wait_for_ever(void *unused)
{
  (void)unused;
  rt_chan_recv(in, NULL);
}
static void end_locked(void *n)
{
  rt_lock_os_thread();
  rt_sleep((intptr_t)n * 1000);
}
MAIN(deadlock_of_threads_that_end)
{
  in = rt_chan_new(1, 0);
  for (intptr_t i = 0; i < 3; i++)
    go(end_locked, (void *)i);
  wait_for_ever(NULL);
}
MAIN(deadlock)
{
  in = rt_chan_new(0, 0);
  for (intptr_t i = 0; i < 4; i++)
    go(churn, (void *)i);
  for (int i = 0; i < 3; i++)
    rt_go(wait_for_ever, NULL);
  rt_waitgroup_wait(&wg);
  rt_sleep(10000);
  wait_for_ever(NULL);
}
MAIN(no_goroutines)
{
  go(yield_some, NULL);
  go(sleep_some, NULL);
  rt_goexit();
}

/* clang-format off */
const struct sim_program sim_programs[] = {
  { "ping-pong",           ping_pong,           0, NULL },
  { "fan-out-and-in",      fan_out_and_in,      0, NULL },
  { "selects",             selects,             0, NULL },
  { "mutexes",             mutexes,             0, NULL },
  { "other-locks",         other_locks,         0, NULL },
  { "waitgroup-tree",      waitgroup_tree,      0, NULL },
  { "stealing",            stealing,            0, NULL },
  { "overflowing-queue",   overflowing_queue,   0, NULL },
  { "sleepers",            sleepers,            0, NULL },
  { "timers",              timers,              0, NULL },
  { "early-timers",        early_timers,        0, NULL },
  { "system-calls",        system_calls,        0, NULL },
  { "changing-gomaxprocs", changing_gomaxprocs, 0, NULL },
  { "stopping-the-world",  stopping_the_world,  0, NULL },
  { "locked-threads",      locked_threads,      0, NULL },
  { "panics",              panics,              0, NULL },
  { "fatal-panic",         fatal_panic,         2, "panic: nobody recovers this" },
  { "deadlock",            deadlock,            2, "all goroutines are asleep - deadlock!" },
  { "deadlock-of-threads-that-end", deadlock_of_threads_that_end, 2, "all goroutines are asleep - deadlock!" },
  { "handover-then-compute", sim_handover_then_compute, 0, NULL },
  { "handover-then-syscall", sim_handover_then_syscall, 0, NULL },
  { "no-goroutines",       no_goroutines,       2, "no goroutines (main called runtime.Goexit) - deadlock!" },
  /* programs-rest.c */
  { "computing",           computing,           0, NULL },
  { "bursts",              bursts,              0, NULL },
  { "preempted",           preempted,           0, NULL },
  { "busy-timers",         busy_timers,         0, NULL },
  { "a-stopped-world",     a_stopped_world,     0, NULL },
  { "two-stoppers",        two_stoppers,        0, NULL },
  { "selects-with-default", selects_with_default, 0, NULL },
  { "time-outs",           time_outs,           0, NULL },
  { "call-chain",          call_chain,          0, NULL },
  { "once",                once,                0, NULL },
  { "try-locks",           try_locks,           0, NULL },
  { "signals-of-cond",     signals_of_cond,     0, NULL },
  { "goexits",             goexits,             0, NULL },
  { "nested-panics",       nested_panics,       0, NULL },
  { "defers-in-loops",     defers_in_loops,     0, NULL },
  { "long-calls",          long_calls,          0, NULL },
  { "one-more-deadlock",   one_more_deadlock,   2, "all goroutines are asleep - deadlock!" },
  { "channel-timers",      channel_timers,      0, NULL },
  { "tickers-alone",       tickers_alone,       2, "all goroutines are asleep - deadlock!" },
  { "timers-set-earlier",  timers_set_earlier,  0, NULL },
  { "timers-of-lost-ps",   timers_of_lost_ps,   0, NULL },
  { "descriptors",         descriptors,         0, NULL },
  { "descriptors-at-once", descriptors_at_once, 0, NULL },
  { "descriptor-and-calls", descriptor_and_calls, 0, NULL },
};
/* clang-format on */
const unsigned n_sim_programs = COUNT_OF(sim_programs);
