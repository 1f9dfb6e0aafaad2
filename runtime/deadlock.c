/* SPDX-License-Identifier: MIT */
/* deadlock.c - nobody runs, nobody will be woken: the report.
 *
 * Looked at when an M parks, or ends: if no M is left awake, and no timer is set, then no G will ever run again. An M
 * that sleeps in netpoll counts as awake, since a file descriptor may wake a G.
 */
#include "proc.h"
#include "schedlock.h"
#include "sim.h"

struct census {
  int waiting;
  bool runnable;
};

static void take_in(struct g *gp, void *arg)
{
  struct census *census = arg;
  uint32_t status = readgstatus(gp) & ~(uint32_t)Gscan;
  census->waiting += status == Gwaiting;
  census->runnable |= status == Grunnable || status == Grunning || status == Gsyscall;
}

static bool any_timer(void)
{
  for (int32_t i = 0; i < sched.gomaxprocs; i++)
    if (timers_wake_time(&allp[i]->timers) != 0)
      return true;
  return false;
}

/* sched.lock held. */
void checkdead(void)
{
  struct census census = { 0 };
  int32_t running = mcount() - sched.nmidle - sched.nmidlelocked - sched.nmsys;
  if (running > MUTANT(14, 1, 0) || atomic_load(&sched.ended))
    return;
  if (running < 0)
    throw("checkdead: inconsistent counts");
  forEachG(take_in, &census);
  if (census.runnable && atomic_load(&sched.starved))
    return; /* its thread was refused; sysmon asks again */
  if (census.runnable)
    throw("checkdead: runnable g");
  if (census.waiting > 0 && any_timer())
    return;
  unlock_sched(); /* the dump may take its time */
  fatal(census.waiting ? "all goroutines are asleep - deadlock!"
                       : "no goroutines (main called runtime.Goexit) - deadlock!");
}
