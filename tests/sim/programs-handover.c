/* SPDX-License-Identifier: MIT */
/* programs-handover.c - what our wake policy owes to a G that was handed over without waking an M (wake.c, I5 to I7).
 *
 * Both play ping-pong first, so that their P hands over alone. Then one readies another and does not stop: once it
 * computes, once it goes into a system call. In the first, the other must have run within a bounded time; the
 * bound is generous, because some seeds stall threads for up to 20 ms of virtual time each, but without
 * sysmon's look nobody would ever run it. The second is about invariant I5 (invariants.c): nobody sleeps
 * while a G waits beside an idle P.
 */
#include "programs.h"

#include "os.h"
#include "sim-world.h"

#define expect(what) ((what) ? (void)0 : sim_fail("the program is wrong: not true that %s", #what))
#define BOUND_NS     150000000
#define WARM_UP      24

static struct rt_chan *ball, *back, *start;
static _Atomic bool has_run;

static void play(void *unused)
{
  int x;
  (void)unused;
  while (rt_chan_recv(ball, &x))
    rt_chan_send(back, &x);
  rt_chan_close(back);
}

static void wait_and_run(void *unused)
{
  (void)unused;
  rt_chan_recv(start, NULL);
  atomic_store(&has_run, true);
  rt_chan_send(back, &(int){ 0 });
}

static void warm_up(void)
{
  ball = rt_chan_new(sizeof(int), 0);
  back = rt_chan_new(sizeof(int), 0);
  start = rt_chan_new(sizeof(int), 1);
  expect(rt_go(wait_and_run, NULL) == 0 && rt_go(play, NULL) == 0);
  for (int i = 0; i < WARM_UP; i++) {
    int x = -1;
    rt_chan_send(ball, &i);
    rt_chan_recv(back, &x);
    expect(x == i);
  }
}

static void hand_over(void)
{
  rt_chan_send(start, &(int){ 0 });
}

static void wait_for_both(void)
{
  rt_chan_recv(back, NULL);
  expect(atomic_load(&has_run));
  rt_chan_close(ball);
  expect(!rt_chan_recv(back, NULL));
}

void sim_handover_then_compute(void *unused)
{
  (void)unused;
  warm_up();
  hand_over();
  bool is_alone = rt_gomaxprocs(0) == 1;
  int64_t since = rt_now();
  while (!is_alone && !atomic_load(&has_run)) { /* without a call at which it would stop */
    os_pause();
    if (rt_now() - since > BOUND_NS)
      sim_fail("a G was handed over and has not run for %d ns", BOUND_NS);
  }
  wait_for_both();
}

static void *nothing(void *arg)
{
  return arg;
}

void sim_handover_then_syscall(void *unused)
{
  (void)unused;
  warm_up();
  hand_over();
  rt_blocking(nothing, NULL);
  wait_for_both();
}
