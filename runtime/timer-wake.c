/* SPDX-License-Identifier: MIT */
/* timer-wake.c - who must hear of the next timer: the M that sleeps in netpoll, or an M to be woken for it. */
#include "netpoll.h"
#include "proc.h"
#include "sim.h"

void wake_net_poller(struct m *mp, int64_t when)
{
  if (atomic_load(&sched.lastpoll) != 0) {
    wakep(mp); /* nobody sleeps there: somebody should */
    return;
  }
  int64_t until = atomic_load(&sched.poll_until);
  if (until == 0 || until > when)
    MUTANT(5, (void)0, netpollBreak(mp));
}

int64_t time_sleep_until(void)
{
  int64_t next = INT64_MAX;
  for (int32_t i = 0; i < sched.gomaxprocs; i++) {
    int64_t when = timers_wake_time(&allp[i]->timers);
    if (when != 0 && when < next)
      next = when;
  }
  return next;
}
