/* SPDX-License-Identifier: MIT */
/* programs-timers.c - the channels of timers: polled, received from and selected on by several Gs, while another one
 * stops and resets. Such a timer is in a heap only while somebody is parked on its channel (timer.c, I5): whoever parks
 * must get it there, whoever goes on must not leave it, and who polls must find it due.
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
