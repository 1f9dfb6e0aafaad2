/* SPDX-License-Identifier: MIT */
/* programs-timers.c - the channels of timers: polled, received from and selected on by several Gs, while another one
 * stops and resets. Such a timer is in a heap only while somebody is parked on its channel (timer.c, I5): whoever parks
 * must get it there, whoever goes on must not leave it, and who polls must find it due. And timers that are set to an
 * earlier time than the M in netpoll knows of, while whoever sets them goes away, or their P does.
 */
#include "program.h"

#define RUN(fn)  void fn(void *unused __attribute__((unused)))
#define N_GS     6
#define N_ROUNDS 4

static struct rt_ticker *ticker;

static int64_t some(intptr_t n, int64_t longest)
{
  uint64_t x = (uint64_t)n * 2654435761u + sim_seed();
  x ^= x << 13, x ^= x >> 7, x ^= x << 17;
  return 1 + (int64_t)(x % (uint64_t)longest);
}

/* The timer fires in the look that comes late enough, and nobody else wakes for it. */
static void poll_a_limit(intptr_t n)
{
  int64_t then, ns = some(n, 20000), before = rt_now();
  struct rt_chan *limit = rt_after(ns);
  while (!rt_chan_try_recv(limit, &then, NULL)) {
    expect(rt_now() < before + ns + 1000000000);
    sim_compute(some(n, 9000));
    if (n % 2)
      rt_yield();
  }
  expect(then >= before + ns && then <= rt_now());
  expect(!rt_chan_try_recv(limit, NULL, NULL));
  rt_chan_free(limit);
}

/* One limit for several selects: parked on, left, and parked on again. */
static void select_until(intptr_t n)
{
  int64_t then = 0, ns = some(n, 150000), before = rt_now();
  struct rt_chan *limit = rt_after(ns);
  struct rt_case cases[] = { { rt_ticker_chan(ticker), RT_RECV, NULL, false },
                             { in, n % 2 ? RT_RECV : RT_SEND, NULL, false },
                             { limit, RT_RECV, &then, false } };
  while (rt_select(cases, 3) != 2)
    if (n % 3 == 0)
      sim_compute(some(n, 30000));
  expect(then >= before + ns && then <= rt_now());
  rt_chan_free(limit);
}

static void use_channels(void *arg)
{
  intptr_t n = (intptr_t)arg;
  for (intptr_t i = 0; i < N_ROUNDS; i++)
    switch ((n + i) % 3) {
    case 0:
      poll_a_limit(n * N_ROUNDS + i);
      break;
    case 1:
      select_until(n * N_ROUNDS + i);
      break;
    default:
      rt_chan_recv(rt_ticker_chan(ticker), NULL);
    }
  rt_waitgroup_done(&wg);
}

/* What is received after a stop is nothing, and after a reset nothing of before. */
RUN(channel_timers)
{
  int64_t then;
  in = rt_chan_new(0, 0);
  ticker = rt_ticker_new(some(0, 40000));
  for (intptr_t i = 0; i < N_GS; i++)
    go(use_channels, (void *)i);
  for (intptr_t i = 0; i < 8; i++) {
    rt_sleep(some(i, 40000));
    if (i % 2) {
      rt_ticker_stop(ticker);
      expect(!rt_chan_try_recv(rt_ticker_chan(ticker), NULL, NULL));
    }
    int64_t ns = some(-i, 40000), before = rt_now();
    rt_ticker_reset(ticker, ns);
    if (rt_chan_try_recv(rt_ticker_chan(ticker), &then, NULL))
      expect(then >= before + ns);
  }
  rt_waitgroup_wait(&wg);
  rt_ticker_free(ticker);
}

/* A timer that nobody waits for wakes nobody: it is a deadlock, also when somebody has waited before. */
RUN(tickers_alone)
{
  ticker = rt_ticker_new(1000000);
  struct rt_chan *limit = rt_after(3600000000000);
  rt_chan_recv(rt_ticker_chan(ticker), NULL);
  expect(!rt_chan_try_recv(limit, NULL, NULL));
  rt_chan_recv(rt_chan_new(0, 0), NULL);
}

/* ---- set to an earlier time ---- */

#define WARM_UP 24
#define FAR_NS  1000000000
#define NEAR_NS 1000000
#define LATE_NS (FAR_NS / 2) /* what stalls threads and takes Ps away is much shorter */

static struct limit { /* a timer, and when it is due */
  struct rt_timer *timer;
  _Atomic int64_t due;
} limits[N_GS];

static void is_due(void *arg)
{
  const struct limit *limit = arg;
  int64_t late = rt_now() - atomic_load(&limit->due);
  expect(late >= 0 && late < LATE_NS);
  rt_waitgroup_done(&wg);
}

static void make(struct limit *limit, int64_t ns)
{
  atomic_store(&limit->due, rt_now() + ns);
  limit->timer = rt_after_func(ns, is_due, limit);
}

static void reset(struct limit *limit, int64_t ns)
{
  atomic_store(&limit->due, rt_now() + ns);
  rt_timer_reset(limit->timer, ns);
}

/* Nobody else looks at this P's timers then, but who is woken for them. */
static void be_away(void *n)
{
  if ((intptr_t)n % 2)
    rt_blocking(nothing, NULL);
  else
    sim_compute(3 * NEAR_NS);
}

enum {
  ANSWER,
  COMPUTE_AND_ANSWER,
  BE_AWAY
};

static void do_as_told(void *n)
{
  int what;
  while (rt_chan_recv(out, &what)) {
    if (what == COMPUTE_AND_ANSWER)
      sim_compute(20000);
    if (what == BE_AWAY)
      be_away(n);
    else
      rt_chan_send(in, &what);
  }
  rt_waitgroup_done(&wg);
}

static void tell(int what)
{
  rt_chan_send(out, &what);
}

/* The ticker is in a heap with an old time, since somebody waited for it, and now has a new one. Its G waits for it again,
 * and the M runs another, which was handed over without waking anybody: programs-handover.c. */
static void wait_for_zombie(intptr_t n)
{
  struct rt_timer *others[N_GS];
  int x;
  struct rt_case cases[] = { { rt_ticker_chan(ticker), RT_RECV, NULL, false },
                             { in, RT_RECV, &x, false } };
  go(do_as_told, (void *)n);
  for (int i = 0; i < WARM_UP; i++) {
    tell(ANSWER);
    rt_chan_recv(in, &x);
  }
  for (int i = 0; i < N_GS; i++) /* among many it stays where it is, a zombie */
    others[i] = rt_after_func(2 * (int64_t)FAR_NS, is_due, NULL);
  rt_ticker_reset(ticker, FAR_NS);
  tell(COMPUTE_AND_ANSWER);
  expect(rt_select(cases, 2) == 1);
  int64_t ns = some(n, NEAR_NS), before = rt_now();
  rt_ticker_reset(ticker, ns);
  tell(BE_AWAY);
  rt_chan_recv(rt_ticker_chan(ticker), NULL);
  int64_t waited = rt_now() - before;
  expect(waited >= ns && waited < LATE_NS);
  rt_ticker_stop(ticker);
  for (int i = 0; i < N_GS; i++)
    rt_timer_free(others[i]);
}

/* Somebody sleeps in netpoll until the far timer is due; then there is a nearer one, and who set it goes away. */
static void set_earlier(struct limit *limit, intptr_t n)
{
  rt_waitgroup_add(&wg, 1);
  if (n % 3 != 0)
    make(limit, FAR_NS);
  if (n % 3 == 2)
    rt_timer_stop(limit->timer);
  rt_sleep(some(n, 20000));
  sim_compute(30000 + some(n, NEAR_NS / 10));
  if (n % 3 == 0)
    make(limit, some(n, NEAR_NS));
  else
    reset(limit, some(n, NEAR_NS));
  be_away((void *)n);
  rt_waitgroup_wait(&wg);
  rt_timer_free(limit->timer);
}

RUN(timers_set_earlier)
{
  struct rt_timer *later = rt_after_func(5 * (int64_t)FAR_NS, is_due, NULL);
  in = rt_chan_new(sizeof(int), 0);
  out = rt_chan_new(sizeof(int), 0);
  ticker = rt_ticker_new(FAR_NS);
  for (intptr_t i = 0; i < N_GS; i++)
    set_earlier(&limits[i], i);
  for (intptr_t i = 0; i < 2; i++)
    wait_for_zombie(i);
  rt_chan_close(out);
  rt_waitgroup_wait(&wg);
  rt_timer_free(later);
  rt_ticker_free(ticker);
}

/* Its P may go away between the reset and the look that mends the heap. */
static void reset_and_compute(void *arg)
{
  intptr_t n = (intptr_t)arg;
  make(&limits[n], FAR_NS);
  sim_compute(some(n, 40000));
  reset(&limits[n], some(-n, NEAR_NS));
  sim_compute(some(n, 40000));
}

RUN(timers_of_lost_ps)
{
  int procs = rt_gomaxprocs(0);
  for (intptr_t i = 0; i < N_GS; i++) {
    rt_waitgroup_add(&wg, 1);
    expect(rt_go(reset_and_compute, (void *)i) == 0);
  }
  for (int i = 0; i < 3; i++) {
    sim_compute(some(i, 30000));
    rt_gomaxprocs(i % 2 ? procs : 1 + i);
  }
  rt_waitgroup_wait(&wg);
  for (intptr_t i = 0; i < N_GS; i++)
    rt_timer_free(limits[i].timer);
}
