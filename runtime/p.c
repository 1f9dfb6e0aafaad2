/* SPDX-License-Identifier: MIT */
/* p.c - Ps: acquired and released by Ms, idle, stopped, made and unmade.
 *
 * A P is in one of: an M's hand (Pidle, in transit), an M (Prunning), the idle list (Pidle), stopped
 * (Pgcstop) or dead. p.seq counts who held it, for the trace: it goes up at each start, stop and steal.
 */
#include "os.h"
#include "proc.h"
#include "tracedoor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void set_bit(_Atomic uint64_t *mask, uint32_t i)
{
  atomic_fetch_or(&mask[i / 64], (uint64_t)1 << (i % 64));
}

static void clear_bit(_Atomic uint64_t *mask, uint32_t i)
{
  atomic_fetch_and(&mask[i / 64], ~((uint64_t)1 << (i % 64)));
}

static void set_status(struct p *pp, enum pstatus old, enum pstatus new)
{
  if (atomic_load_explicit(&pp->status, memory_order_relaxed) != (uint32_t)old)
    misplaced(NULL, "P: bad status on its way");
  atomic_store_explicit(&pp->status, new, memory_order_release);
}

void acquirep(struct m *mp, struct p *pp)
{
  if (mp->p || atomic_load(&pp->m))
    throw("acquirep: already in use");
  set_status(pp, Pidle, Prunning);
  pp->seq++;
  tr_stamp(mp);
  tr_proc_start(mp, pp->id, pp->seq);
  atomic_store_explicit(&pp->m, mp, memory_order_release);
  atomic_store_explicit(&mp->p, pp, memory_order_release);
}

struct p *releasep(struct m *mp)
{
  struct p *pp = mp->p;
  if (!pp || atomic_load(&pp->m) != mp)
    throw("releasep: invalid P");
  tr_stamp(mp);
  pp->seq++;
  tr_proc_stop(mp, pp->id, pp->seq);
  atomic_store_explicit(&mp->p, NULL, memory_order_release);
  atomic_store_explicit(&pp->m, NULL, memory_order_release);
  set_status(pp, Prunning, Pidle);
  return pp;
}

void pidleput(struct m *mp, struct p *pp)
{
  if (!runqempty(pp))
    throw("pidleput: P has non-empty run queue");
  if (timers_wake_time(&pp->timers) == 0)
    clear_bit(timer_p_mask, pp->id);
  tr_proc_idle(mp, pp->id);
  set_bit(idle_p_mask, pp->id);
  pp->link = sched.pidle;
  sched.pidle = pp;
  atomic_fetch_add(&sched.npidle, 1); /* seq_cst: pairs with wakep */
}

struct p *pidleget(struct m *mp)
{
  struct p *pp = sched.pidle;
  if (!pp)
    return NULL;
  tr_proc_unidle(mp, pp->id);
  set_bit(timer_p_mask, pp->id); /* it may get timers now */
  clear_bit(idle_p_mask, pp->id);
  sched.pidle = pp->link;
  atomic_fetch_sub(&sched.npidle, 1);
  if (unlikely(atomic_load_explicit(&sched.sysmonwait, memory_order_relaxed)))
    wake_sysmon(); /* somebody is going to run: he must be watched */
  return pp;
}

struct p *pidlegetSpinning(struct m *mp)
{
  struct p *pp = pidleget(mp);
  if (!pp)
    atomic_store(&sched.needspinning, 1);
  return pp;
}

void gcstopp(struct m *mp, struct p *pp)
{
  set_status(pp, Pidle, Pgcstop);
  tr_proc_gcstop(mp, pp->id);
  if (--sched.stopwait == 0)
    notewakeup(&sched.stopnote);
}

/* ---- how many there are ---- */

static struct p *new_p(uint32_t id)
{
  struct p *pp = aligned_alloc(CACHE_LINE, (sizeof *pp + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE);
  if (!pp)
    return NULL;
  memset(pp, 0, sizeof *pp);
  pp->id = pp->timers.p = id;
  pp->rand = os_entropy() | 1;
  memset(&pp->sysmontick, 0xff,
         sizeof pp->sysmontick); /* no tick that it will have: sysmon looks twice */
  atomic_store(&pp->status, Pdead);
  return pp;
}

static bool make_ps(struct m *mp, int32_t n)
{
  for (int32_t i = 0; i < n; i++) {
    if (!allp[i] && !(allp[i] = new_p((uint32_t)i)))
      return false;
    if (atomic_load(&allp[i]->status) == Pdead) {
      /* When a run begins there is no world to start: they are in this M's hand. */
      bool first = sched.gomaxprocs == 0;
      atomic_store(&allp[i]->status, first ? Pidle : Pgcstop);
      tr_proc_status(mp, (uint32_t)i, first ? TRACE_PSTATUS_HANDED : TRACE_PSTATUS_GCSTOP,
                     UINT32_MAX, allp[i]->seq);
    }
  }
  return true;
}

/* What a P that goes away had: its Gs to the global queue, its timers to the current P, its dead Gs and free stacks to
 * everybody (stack_promise counts on those). Its few records of deferred calls wait for its return. */
static void destroy_p(struct m *mp, struct p *pp, struct p *heir)
{
  runqdrain(mp, pp);
  if (pp->timers.n > 0)
    timers_take(mp, &heir->timers, &pp->timers);
  for (struct g *gp; (gp = glist_pop(&pp->gfree));) {
    gfree_push(gp);
  }
  pp->n_gfree = 0;
  stack_empty_cache(pp);
  atomic_store(&pp->status, Pdead);
  clear_bit(timer_p_mask, pp->id);
  clear_bit(idle_p_mask, pp->id);
}

/* Stopped, or just made, to in hand. */
static void restart(struct m *mp, struct p *pp)
{
  if (atomic_load(&pp->status) == Pgcstop)
    tr_proc_restart(mp, pp->id);
  atomic_store(&pp->status, Pidle);
}

/* The running G's P goes away under it. For the trace it stops and starts again, with another P. */
static void change_p(struct m *mp, struct p *old, struct p *new)
{
  struct g *gp = mp->curg;
  tr_go_stop(mp, TRACE_STOP_GOSCHED, 0);
  set_curg(mp, NULL);
  atomic_store(&old->status, Prunning);
  releasep(mp);
  atomic_store(&old->status, Pgcstop);
  restart(mp, new);
  acquirep(mp, new);
  gp->seq++;
  tr_go_start(mp, (uint32_t)gp->goid, gp->seq, true);
  set_curg(mp, gp);
}

/* This M's P must be among those that stay. */
static void keep_a_p(struct m *mp, int32_t n)
{
  struct p *mine = mp->p;
  if (!mine) { /* a run begins */
    restart(mp, allp[0]);
    acquirep(mp, allp[0]);
  } else if (mine->id < (uint32_t)n) {
    atomic_store(&mine->status, Prunning);
    tr_proc_restart(mp, mine->id);
  } else {
    change_p(mp, mine, allp[0]);
  }
}

int procresize(struct m *mp, int32_t n, struct p **runnable)
{
  int32_t old = sched.gomaxprocs;
  *runnable = NULL;
  if (!make_ps(mp, n))
    return -ENOMEM;
  keep_a_p(mp, n);
  for (int32_t i = n; i < old; i++)
    destroy_p(mp, allp[i], mp->p);
  if (old != n)
    tr_procs_change(mp, (uint32_t)old, (uint32_t)n);
  sched.gomaxprocs = n;
  for (int32_t i = n - 1; i >= 0; i--) {
    struct p *pp = allp[i];
    if (pp == mp->p)
      continue;
    restart(mp, pp);
    if (runqempty(pp)) {
      pidleput(mp, pp);
    } else {
      pp->link = *runnable;
      *runnable = pp;
    }
  }
  set_bit(timer_p_mask, ((struct p *)mp->p)->id);
  return 0;
}
