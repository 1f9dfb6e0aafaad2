/* SPDX-License-Identifier: MIT */
/* m.c - Ms: making threads, parking and ending them, and wiring them to a G.
 *
 * An M that has nothing to do releases its P and parks on its note, on sched.midle, last in first out: the
 * one whose caches are warmest wakes first. Who wakes it has put a P into nextp before.
 * A struct m is not freed while its run lasts, because sysmon and dumps look at any M at any time. When its thread has
 * ended it stays in allm, and the next M to be made is in its place, by a number of its own.
 */
#include "os.h"
#include "proc.h"
#include "schedlock.h"
#include "switch.h"
#include "tracedoor.h"

#include <stdlib.h>
#include <string.h>

/* ---- threads ---- */

/* As if it were new, in its place in allm. Word by word, since whoever saw it on a P before it ended may still look. */
static void renew(struct m *mp)
{
  const struct m fresh = { .alllink = mp->alllink };
  uint64_t words[sizeof fresh / sizeof(uint64_t)];
  static_assert(sizeof words == sizeof fresh, "an M is whole words");
  memcpy(words, &fresh, sizeof words);
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    atomic_store_explicit((_Atomic uint64_t *)mp + i, words[i], memory_order_relaxed);
}

/* Memory for an M, linked into allm; zero but for that. */
static struct m *m_in_allm(void)
{
  struct m *mp = sched.mended;
  if (mp) {
    sched.mended = mp->idlelink;
    renew(mp);
    return mp;
  }
  if ((mp = sched.mfree))
    sched.mfree = mp->idlelink;
  else if (!(mp = malloc(sizeof *mp)))
    return NULL;
  memset(mp, 0, sizeof *mp);
  mp->alllink = atomic_load(&allm);
  atomic_store(&allm, mp);
  return mp;
}

struct m *allocm(void)
{
  struct m *mp = m_in_allm();
  if (!mp)
    return NULL;
  mp->id = sched.mnext++;
  mp->run = atomic_load(&sched.run);
  mp->fp_of_run = sched.fp;
  mp->rand = os_entropy() | 1;
  return mp;
}

struct m *mget_threadless(void)
{
  struct m *mp = sched.mthreadless;
  if (mp) {
    sched.mthreadless = mp->idlelink;
    sched.nmfreed--;
    atomic_store(&mp->exited, false);
  }
  return mp;
}

int newm(struct m *creator, struct m *mp)
{
  mp->creator = creator->id;
  /* Its thread may be at its end before this one goes on, and mp somebody else's. */
  return creator->locked_ext ? os_thread_start_by_template(mstart, mp)
                             : os_thread_start(mstart, mp, NULL);
}

/* On a thread that no G has wired yet. If none is to be had now, the next one that locks asks again, and meanwhile sysmon
 * starts what wired threads cannot (wake.c, take_back). It counts as Go's does: as an M that is not there to run Gs. */
static void start_template(void)
{
  if (!os_template_start())
    return;
  lock_sched();
  sched.has_template = true;
  sched.nmsys++;
  unlock_sched();
}

void mput_threadless(struct m *mp)
{
  sched.nmfreed++;
  atomic_store(&mp->exited, true);
  mp->nextp = NULL;
  mp->spinning = false;
  mp->idlelink = sched.mthreadless;
  sched.mthreadless = mp;
}

/* What the thread knows of itself. */
void minit(struct m *mp, uint32_t creator)
{
  mp->creator = creator;
  setm(mp);
  mp->tid = os_tid();
  mp->errnop = os_errno();
  fp_set(mp->fp_of_run); /* it has those of whoever made it */
  mp->exceptions = exceptions_of_thread();
  mp->before = exceptions_take(mp->exceptions);
  mp->altstack = os_altstack_install();
  os_stack_bounds(&mp->g0_lo, &mp->g0_hi);
  thread_begins(mp);
  preempt_minit(mp);
  tr_open(mp);
  tr_stamp(mp);
  tr_m_create(mp, mp->tid, creator);
}

void unminit(struct m *mp)
{
  preempt_mexit(mp);
  os_altstack_remove(mp->altstack);
  thread_ends(mp);
  exceptions_put(mp->exceptions, mp->before);
  tr_close(mp);
  setm(NULL);
}

/* From now on it does not count as one that runs: it may have been the last. */
static void stop_counting(struct m *mp)
{
  lock_sched();
  if (mp->run == atomic_load(&sched.run)) {
    sched.nmfreed++;
    MUTANT(41, (void)0, checkdead());
  }
  unlock_sched();
}

void mexit(struct m *mp)
{
  stop_counting(mp);
  tr_stamp(mp);
  tr_m_destroy(mp);
  unminit(mp);
  lock_sched();
  atomic_store(&mp->exited, true);
  struct m **list = mp->left_behind ? &sched.mfree : &sched.mended;
  mp->idlelink = *list;
  *list = mp; /* not touched any more once sched.lock is free */
  atomic_fetch_add(&sched.exits, 1);
  unlock_sched();
  os_futex_wake(&sched.exits, 1);
}

/* Takes the P that its waker left for it. */
static void acquire_next(struct m *mp)
{
  struct p *pp = mp->nextp;
  mp->nextp = NULL;
  acquirep(mp, pp);
  if (mp->spinning)
    tr_m_spinning_begin(mp);
}

/* When the run is over, the P is nobody's concern any more. */
void let_go_of_p(struct m *mp)
{
  struct p *pp = mp->p;
  if (!pp)
    return;
  if (!atomic_load(&sched.ended)) {
    handoffp(mp, releasep(mp));
    return;
  }
  atomic_store(&pp->status, Prunning);
  releasep(mp);
}

void *mstart(void *arg)
{
  struct m *mp = arg;
  os_thread_detach(os_thread_self());
  minit(mp, mp->creator);
  if (mp->is_sysmon) {
    sysmon(mp);
  } else {
    acquire_next(mp);
    mloop(mp);
    let_go_of_p(mp);
  }
  mexit(mp);
  return NULL;
}

/* ---- idle Ms; sched.lock held ---- */

void mput(struct m *mp)
{
  tr_stamp_after(mp);
  tr_m_park(mp);
  mp->idlelink = sched.midle;
  sched.midle = mp;
  sched.nmidle++;
  checkdead();
}

struct m *mget(void)
{
  struct m *mp = sched.midle;
  if (mp) {
    sched.midle = mp->idlelink;
    sched.nmidle--;
  }
  return mp;
}

int32_t mcount(void)
{
  return (int32_t)sched.mnext + sched.has_template - sched.nmfreed;
}

/* ---- parking ---- */

void mpark(struct m *mp)
{
  mp->blocked = true;
  notesleep(&mp->park);
  noteclear(&mp->park);
  mp->blocked = false;
  tr_stamp_after(mp);
  tr_m_unpark(mp);
}

void mleave(struct m *mp)
{
  mp->leaving = true;
}

/* sched.lock held. */
static bool run_is_over(const struct m *mp)
{
  return atomic_load(&sched.ended) || mp->run != atomic_load(&sched.run);
}

/* Parks until there is work and a P for it; or the run is over, and then mp->leaving. */
void stopm(struct m *mp)
{
  if (mp->locks || mp->p || mp->spinning)
    throw("stopm: an M with locks, with a P or spinning");
  lock_sched();
  if (run_is_over(mp)) {
    unlock_sched();
    mleave(mp);
    return;
  }
  mput(mp);
  unlock_sched();
  mpark(mp);
  if (mp->nextp)
    acquire_next(mp);
  else
    mleave(mp); /* only the end wakes without a P */
}

/* Stops this M's P for the world's sake, and parks. */
void gcstopm(struct m *mp)
{
  if (mp->spinning) {
    mp->spinning = false;
    atomic_fetch_sub(&sched.nmspinning, 1);
    tr_m_spinning_end(mp, false);
  }
  struct p *pp = releasep(mp);
  lock_sched();
  tr_stamp_after(mp);
  gcstopp(mp, pp);
  unlock_sched();
  stopm(mp);
}

/* ---- Gs wired to threads ---- */

/* This M may only run its locked G, which is not runnable yet: passes its P on and parks. */
void stoplockedm(struct m *mp)
{
  if (mp->p)
    handoffp(mp, releasep(mp));
  lock_sched();
  if (run_is_over(mp)) {
    unlock_sched();
    mleave(mp);
    return;
  }
  tr_stamp_after(mp);
  tr_m_park(mp);
  sched.nmidlelocked++;
  mp->parked_locked = !mp->nextp; /* else startlockedm was faster, and its wake-up is under way */
  checkdead();
  unlock_sched();
  mpark(mp);
  if (mp->nextp)
    acquire_next(mp);
  else
    mleave(mp);
}

/* The thread that called rt_run is not ours to end, and rt_run returns on it: when a G has ended wired to it, it waits
 * for the run's end, like one whose locked G never comes. Go's mexit does so with its main thread. */
void mwedge(struct m *mp)
{
  if (!atomic_load(&sched.ended))
    stoplockedm(mp);
}

/* gp, in hand, can only run on its own M: gives that this P, and parks. */
void startlockedm(struct m *mp, struct g *gp)
{
  struct m *target = gp->lockedm;
  struct p *pp = releasep(mp);
  lock_sched();
  sched.nmidlelocked--;
  target->parked_locked = false;
  target->nextp = pp;
  tr_stamp_after(mp);
  tr_m_wake(mp, target->id, pp->id, false);
  unlock_sched();
  notewakeup(&target->park);
  stopm(mp);
}

void rt_lock_os_thread(void)
{
  struct g *gp = need_g("rt_lock_os_thread");
  checkpreempt(gp);
  struct m *mp = getm();
  if (mp->locked_ext == 0)
    start_template();
  if (mp->locked_ext++ > 0)
    return;
  mp->lockedg = gp;
  gp->lockedm = mp;
  tr_stamp(mp);
  tr_m_lock(mp, (uint32_t)gp->goid);
}

void rt_unlock_os_thread(void)
{
  struct g *gp = need_g("rt_unlock_os_thread");
  checkpreempt(gp);
  struct m *mp = getm();
  if (mp->locked_ext == 0 || --mp->locked_ext > 0)
    return;
  mp->lockedg = NULL;
  gp->lockedm = NULL;
  tr_stamp(mp);
  tr_m_unlock(mp, (uint32_t)gp->goid);
}
