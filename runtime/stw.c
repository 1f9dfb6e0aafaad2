/* SPDX-License-Identifier: MIT */
/* stw.c - stopping the world: no other G runs until it starts again.
 *
 * Every P must come to Pgcstop: idle ones and those in system calls are taken, running ones are asked (a
 * G looks at its preempt flag at safe points, or a signal stops it; an M looks at sched.gcwaiting before it
 * schedules). The one who stops keeps running on its own stopped P and must not park.
 *
 * One stops at a time; others wait parked, first come first served.
 */
#include "netpoll.h"
#include "os.h"
#include "proc.h"
#include "schedlock.h"
#include "sim.h"
#include "tracedoor.h"

#define ASK_AGAIN_NS 100000

static void enter(struct g *gp)
{
  lock2(&sched.worldlock);
  if (!sched.world_taken) {
    sched.world_taken = true;
    unlock2(&sched.worldlock);
    return;
  }
  gqueue_push(&sched.worldwaiters, gp);
  goparkunlock(&sched.worldlock, TRACE_WAIT_STOPPING_WORLD, 0);
}

static void leave(void)
{
  lock2(&sched.worldlock);
  struct g *next = gqueue_pop(&sched.worldwaiters);
  sched.world_taken = next != NULL;
  unlock2(&sched.worldlock);
  if (next)
    goready(next, 0);
}

/* sched.lock held. Not that of a G whose status somebody else just holds. */
static void stop_calls(struct m *mp)
{
  for (int32_t i = 0; i < sched.gomaxprocs; i++)
    if (allp[i] != mp->p && take_syscall_p(mp, allp[i], NULL, NULL)) {
      atomic_store(&allp[i]->status, Pgcstop);
      tr_proc_gcstop(mp, allp[i]->id);
      sched.stopwait--;
    }
}

/* sched.lock held: stops what can be stopped at once. */
static void stop_what_is_still(struct m *mp)
{
  struct p *mine = mp->p;
  atomic_store(&mine->status, Pgcstop);
  tr_proc_gcstop(mp, mine->id);
  sched.stopwait--;
  stop_calls(mp);
  for (struct p *pp; (pp = pidleget(mp));) {
    atomic_store(&pp->status, Pgcstop);
    tr_proc_gcstop(mp, pp->id);
    sched.stopwait--;
  }
}

/* Nobody else runs with the world stopped; and who runs without having stopped it holds no lock at a door. */
bool world_is_mine(void)
{
  return getm()->locks > 0;
}

static bool all_have_stopped(struct m *mp)
{
  lock_sched();
  stop_calls(mp);
  bool all = sched.stopwait == 0;
  unlock_sched();
  return all;
}

/* Go asks who runs again, and trusts that all others stop by themselves. But a call whose P sysmon held when we wanted it
 * would go on till its end. */
static void wait_for_the_others(struct m *mp, uint32_t why)
{
  while (!notetsleep(&sched.stopnote, ASK_AGAIN_NS) && !all_have_stopped(mp)) {
    tr_stamp(mp);
    preemptall(mp, why);
  }
  noteclear(&sched.stopnote);
}

void stopTheWorld(uint32_t why, const char *reason)
{
  uint32_t ask = why == TRACE_STWWHY_GC ? TRACE_PREEMPTWHY_SCAN : TRACE_PREEMPTWHY_STW;
  enter(getg());
  struct m *mp = acquirem();
  uint32_t reason_id = tr_string_id(mp, reason);
  lock_sched();
  tr_stamp_after(mp);
  tr_stw_begin(mp, why, reason_id);
  sched.stopwait = sched.gomaxprocs;
  atomic_store(&sched.gcwaiting, 1);
  preemptall(mp, ask);
  stop_what_is_still(mp);
  bool wait = MUTANT(26, false, sched.stopwait > 0);
  unlock_sched();
  if (wait)
    wait_for_the_others(mp, ask);
  tr_stamp_after(mp);
  tr_stw_stopped(mp);
}

/* sched.lock held. The Ps that have work, linked. */
static struct p *restart_ps(struct m *mp, int32_t n)
{
  struct p *runnable;
  if (procresize(mp, n, &runnable) != 0 && procresize(mp, sched.gomaxprocs, &runnable) != 0)
    throw("startTheWorld: no memory for the Ps that there were");
  atomic_store(&sched.gcwaiting, 0);
  tr_stw_end(mp);
  wake_sysmon();
  return runnable;
}

/* The world with n Ps. */
static void start_with(int32_t n)
{
  struct m *mp = getm();
  if (netpollinited()) {
    struct glist list = netpoll(mp, 0);
    injectglist(&list);
  }
  lock_sched();
  tr_stamp_after(mp);
  struct p *pp = restart_ps(mp, n), *next;
  unlock_sched();
  for (; pp; pp = next) {
    next = pp->link;
    startm(mp, pp, false);
  }
  releasem(mp);
  wakep(mp);
  leave();
}

void startTheWorld(void)
{
  start_with(sched.gomaxprocs);
}

int rt_gomaxprocs(int n)
{
  checkpreempt(need_g("rt_gomaxprocs"));
  int old = sched.gomaxprocs;
  if (n <= 0 || n == old)
    return old;
  if (world_is_mine())
    fatal("rt_gomaxprocs: this goroutine has stopped the world; start it first");
  stopTheWorld(TRACE_STWWHY_GOMAXPROCS, NULL);
  old = sched.gomaxprocs;
  start_with(n > MAX_PROCS ? MAX_PROCS : n);
  return old;
}

void rt_stop_the_world(const char *reason)
{
  checkpreempt(need_g("rt_stop_the_world"));
  if (world_is_mine())
    fatal("rt_stop_the_world: this goroutine has stopped it already");
  stopTheWorld(TRACE_STWWHY_USER, reason);
}

void rt_start_the_world(void)
{
  need_g("rt_start_the_world");
  if (!world_is_mine())
    fatal("rt_start_the_world: this goroutine has not stopped it");
  startTheWorld();
  preemption_point();
}
