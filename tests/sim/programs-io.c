/* SPDX-License-Identifier: MIT */
/* programs-io.c - Gs that wait for descriptors: what becomes of those that netpoll returns, and who polls.
 *
 * The descriptors are the simulation's own (sim-io.c): they become readable at times that the programs set.
 */
#include "program.h"

#include <errno.h>

#define RUN(fn)  void fn(void *unused __attribute__((unused)))
#define N_FDS    6
#define N_ROUNDS 4
#define WARM_UP  24        /* until a P hands over alone: wake.c, I5 */
#define LATE_NS  400000000 /* what stalls threads and takes Ps away is shorter */

static int fds[N_FDS];
static int64_t fill_at[N_FDS];

static int64_t some(intptr_t n, int64_t longest)
{
  uint64_t x = (uint64_t)n * 2654435761u + sim_seed();
  x ^= x << 13, x ^= x >> 7, x ^= x << 17;
  return 1 + (int64_t)(x % (uint64_t)longest);
}

static void fill(intptr_t n, int64_t at)
{
  fill_at[n] = at;
  sim_fd_fill(fds[n], at);
}

static void open_all(void)
{
  for (int i = 0; i < N_FDS; i++)
    fds[i] = sim_fd_new();
}

static void close_all(void)
{
  for (int i = 0; i < N_FDS; i++)
    expect(rt_close(fds[i]) == 0);
}

static void read_one(intptr_t n)
{
  uint64_t x = 0;
  expect(rt_read(fds[n], &x, sizeof x, 0) == sizeof x && x == 1);
  int64_t late = rt_now() - fill_at[n];
  expect(late >= 0 && late < LATE_NS);
}

static void read_or_give_up(intptr_t n, int64_t ns)
{
  uint64_t x = 0;
  int64_t deadline = rt_now() + ns;
  ssize_t got = rt_read(fds[n], &x, sizeof x, deadline);
  if (got == sizeof x)
    return;
  expect(got == -ETIMEDOUT && rt_now() >= deadline);
  read_one(n);
}

static void use_descriptor(void *arg)
{
  intptr_t n = (intptr_t)arg;
  for (intptr_t i = n; i < n + N_ROUNDS; i++) {
    fill(n, rt_now() + some(i, 60000));
    if (i % 4 == 0)
      rt_blocking(nothing, NULL);
    if (i % 4 == 1)
      sim_compute(some(i, 60000));
    if (i % 2)
      read_or_give_up(n, some(-i, 60000));
    else
      read_one(n);
  }
  rt_waitgroup_done(&wg);
}

static void read_closed(void *n)
{
  uint64_t x;
  expect(rt_read(fds[(intptr_t)n], &x, sizeof x, 0) == -EBADF);
  rt_waitgroup_done(&wg);
}

/* Each has its times, beside Gs that compute, sleep and go into calls; in the end they are closed beneath who waits. */
RUN(descriptors)
{
  open_all();
  for (intptr_t i = 0; i < N_FDS; i++) {
    go(use_descriptor, (void *)i);
    go(churn, (void *)i);
  }
  rt_waitgroup_wait(&wg);
  for (intptr_t i = 0; i < N_FDS; i++)
    go(read_closed, (void *)i);
  rt_sleep(20000);
  close_all();
  rt_waitgroup_wait(&wg);
}

static void read_and_compute(void *arg)
{
  intptr_t n = (intptr_t)arg;
  read_one(n);
  sim_compute(some(n, 40000));
  rt_waitgroup_done(&wg);
}

static void compute_some(void *arg)
{
  for (intptr_t i = 0; i < 3; i++) {
    sim_compute(some((intptr_t)arg + i, 20000));
    rt_yield();
  }
  rt_waitgroup_done(&wg);
}

/* netpoll returns many Gs to one M, while others are about to find nothing. */
RUN(descriptors_at_once)
{
  open_all();
  for (intptr_t round = 0; round < N_ROUNDS; round++) {
    int64_t at = rt_now() + 10000 + some(round, 40000);
    for (intptr_t i = 0; i < N_FDS; i++) {
      fill(i, at);
      go(read_and_compute, (void *)i);
    }
    for (intptr_t i = 0; i < 3; i++)
      go(compute_some, (void *)(round * 8 + i));
    rt_waitgroup_wait(&wg);
  }
  close_all();
}

static void answer_then_read(void *unused)
{
  int x;
  (void)unused;
  while (rt_chan_recv(out, &x)) {
    rt_chan_send(in, &x);
    if (x == 0)
      read_one(0);
  }
  rt_waitgroup_done(&wg);
}

/* Nobody was woken for the reader, so nobody sleeps in netpoll when it parks; then the only G that runs goes into calls,
 * some of them so long that they cost it its P. */
RUN(descriptor_and_calls)
{
  in = rt_chan_new(sizeof(int), 0);
  out = rt_chan_new(sizeof(int), 0);
  open_all();
  go(answer_then_read, NULL);
  for (int i = WARM_UP; i >= 0; i--) {
    if (i == 0)
      fill(0, rt_now() + 50000000);
    rt_chan_send(out, &i);
    rt_chan_recv(in, &i);
  }
  for (int i = 0; i < 8; i++)
    rt_blocking(nothing, NULL);
  rt_chan_close(out);
  rt_waitgroup_wait(&wg);
  close_all();
}
