/* SPDX-License-Identifier: MIT */
/* syscall.c - a G goes into the kernel, and comes back.
 *
 * The P stays wired and Prunning meanwhile (Go 1.26): most calls are short, and coming back costs one CAS.
 * Only when it takes long does somebody (sysmon, whoever stops the world, another G that comes back) take the
 * P away: it locks the G's status with the Gscan bit, so that the G cannot leave the call meanwhile.
 *
 * I1  Gsyscall is left by CAS only; Gscan over it is set by CAS, and cleared by who set it.
 * I2  mp->p of an M whose G is Gsyscall changes only under that G's Gscan bit.
 * I3  entersyscall looks at gcwaiting after the status was set, and who stops the world looks at statuses
 *     after gcwaiting was set: one of them sees the other.
 */
#include "fault.h"
#include "os.h"
#include "proc.h"
#include "schedlock.h"
#include "sim.h"
#include "tracedoor.h"

static bool cas_status(struct g *gp, uint32_t old, uint32_t new)
{
  return atomic_compare_exchange_strong(&gp->status, &old, new);
}

/* With the Gscan bit held: the P is nobody's now, in the caller's hand. */
static void unwire(struct m *mp, struct m *from, struct p *pp)
{
  tr_stamp_after(mp);
  pp->seq++;
  tr_proc_steal(mp, pp->id, pp->seq, MUTANT(116, mp->id, from->id));
  atomic_store_explicit(&from->p, NULL, memory_order_release);
  atomic_store_explicit(&pp->m, NULL, memory_order_release);
  atomic_fetch_add_explicit(&pp->syscalltick, 1, memory_order_relaxed);
  atomic_store_explicit(&pp->status, Pidle, memory_order_release);
}

bool take_syscall_p(struct m *mp, struct p *pp, bool (*wanted)(struct p *, void *), void *arg)
{
  struct m *from = atomic_load(&pp->m);
  struct g *gp = from ? atomic_load(&from->curg) : NULL;
  if (!gp || readgstatus(gp) != Gsyscall ||
      !MUTANT(7, true, cas_status(gp, Gsyscall, Gsyscall | Gscan)))
    return false;
  bool take = gp->m == from && atomic_load(&from->p) == pp && (!wanted || wanted(pp, arg));
  if (take)
    unwire(mp, from, pp);
  atomic_store_explicit(&gp->status, Gsyscall,
                        memory_order_release); /* pairs with exitsyscall's CAS */
  return take;
}

/* A hint: its M's G may come back at any time. */
static bool is_in_syscall(struct p *pp)
{
  struct m *mp = atomic_load(&pp->m);
  struct g *gp = mp ? atomic_load(&mp->curg) : NULL;
  return gp && readgstatus(gp) == Gsyscall;
}

void wake_sysmon(void)
{
  if (atomic_exchange(&sched.sysmonwait, 0))
    notewakeup(&sched.sysmonnote);
}

/* The world stops while this G goes into the kernel: nobody waits for its P longer than needed. */
static void give_p_to_world(struct m *mp, struct p *pp)
{
  lock_sched();
  if (sched.stopwait > 0 && take_syscall_p(mp, pp, NULL, NULL))
    gcstopp(mp, pp);
  unlock_sched();
}

void reentersyscall(const void *pc, const void *fp)
{
  struct g *gp = getg();
  struct m *mp = getm();
  struct p *pp = mp->p;
  mp->locks++;
  mp->syscalltick = atomic_load_explicit(&pp->syscalltick, memory_order_relaxed);
  mp->oldp = pp;
  wakep_before_block(mp, pp);
  gp->syscall_pc = (uint64_t)(uintptr_t)pc;
  gp->syscall_fp = fp;
  tr_stamp(mp);
  tr_go_syscall_begin(mp, pp->seq, 0);
  if (!cas_status(gp, Grunning, Gsyscall))
    misplaced(gp, "entersyscall: the G is not running");
  if (unlikely(atomic_load(&sched.sysmonwait))) {
    lock_sched();
    wake_sysmon();
    unlock_sched();
  }
  if (unlikely(atomic_load(&sched.gcwaiting)))
    give_p_to_world(mp, pp);
  mp->locks--;
  sim_syscall_begin();
}

/* Waits for whoever holds Gscan. */
static void cas_from_syscall(struct g *gp, uint32_t new)
{
  for (int i = 0; !cas_status(gp, Gsyscall, new); i++) {
    if ((readgstatus(gp) & ~(uint32_t)Gscan) != Gsyscall)
      fatal("rt_exitsyscall: this goroutine is in no system call");
    if (i % 64 == 63)
      os_yield();
    else
      os_pause();
  }
}

static void leave_syscall_status(struct g *gp)
{
  cas_from_syscall(gp, Grunning);
}

/* No point of the simulation: this is looked at where only a recorded run does. */
static uint32_t own_status(struct g *gp)
{
  return __atomic_load_n((uint32_t *)&gp->status, __ATOMIC_RELAXED);
}

bool hold_syscall_p(struct g *gp)
{
  if ((own_status(gp) & ~(uint32_t)Gscan) != Gsyscall)
    return false;
  cas_from_syscall(gp, Gsyscall | Gscan);
  return true;
}

/* Who stops the world may have tried meanwhile, in vain. */
void let_syscall_p_go(struct g *gp)
{
  if (own_status(gp) != (Gsyscall | Gscan))
    return;
  struct m *mp = getm();
  struct p *pp = mp->p;
  atomic_store(&gp->status, Gsyscall); /* before gcwaiting is read: I3 */
  if (pp && atomic_load(&sched.gcwaiting))
    give_p_to_world(mp, pp);
}

/* The old P if it is in some system call again, else an idle one; NULL: none. */
static struct p *free_p(struct m *mp)
{
  struct p *pp = mp->oldp;
  if (atomic_load(&sched.npidle) == 0 && !is_in_syscall(pp))
    return NULL;
  lock_sched();
  if (mp->run != atomic_load(&sched.run) || atomic_load(&sched.ended))
    pp = NULL;
  else if (atomic_load(&sched.gcwaiting) || !take_syscall_p(mp, pp, NULL, NULL)) {
    tr_stamp_after(mp);
    pp = pidleget(mp);
  }
  unlock_sched();
  return pp;
}

/* The run was over while this G was in the kernel: it never comes back, and its thread ends, of which the trace tells
 * nothing, as of one that stays there. On g0. */
static void drop_straggler(struct m *mp, struct g *gp)
{
  tr_silence(mp);
  mp->has_door = false; /* nor does the simulation wait for that */
  set_curg(mp, NULL);
  drop_g(gp);
  mleave(mp);
}

/* On g0, for a G that came back and found no P. */
static void exitsyscall_no_p(struct m *mp, struct g *gp)
{
  bool locked = gp->lockedm != NULL;
  lock_sched();
  if (atomic_load(&sched.ended) || mp->run != atomic_load(&sched.run)) {
    drop_straggler(mp, gp);
    unlock_sched();
    return;
  }
  tr_stamp_after(mp);
  gp->seq++;
  tr_go_syscall_end_blocked(mp, gp->seq);
  set_curg(mp, NULL);
  casgstatus(gp, Grunning, Grunnable);
  struct p *pp = pidleget(mp);
  if (!pp)
    globrunqput(mp, gp);
  unlock_sched();
  if (pp) {
    acquirep(mp, pp);
    mp->nextg = gp;
    mp->next_inherit = false;
  } else if (!locked) {
    stopm(mp);
  }
}

static void back_with_p(struct m *mp, struct g *gp)
{
  atomic_fetch_add_explicit(&((struct p *)mp->p)->syscalltick, 1, memory_order_relaxed);
  checkpreempt(gp);
}

static void exitsyscall_without_p(struct m *mp, struct g *gp)
{
  struct p *pp = free_p(mp);
  if (!pp) {
    mcall(mp, gp, exitsyscall_no_p);
    return;
  }
  acquirep(mp, pp);
  gp->seq++;
  tr_go_syscall_end_blocked(mp, gp->seq);
  gp->seq++;
  tr_go_start(mp, (uint32_t)gp->goid, gp->seq, false);
  back_with_p(mp, gp);
}

void exitsyscall(void)
{
  struct g *gp = getg();
  struct m *mp = getm();
  sim_syscall();
  leave_syscall_status(gp);
  if (likely(atomic_load_explicit(&mp->p, memory_order_acquire) != NULL)) {
    tr_stamp_after(mp);
    tr_go_syscall_end(mp);
    back_with_p(mp, gp);
    return;
  }
  exitsyscall_without_p(mp, gp);
  if (fault_is_on(FAULT_LOSE_DEFERS_ON_PREEMPT))
    fault_lost_p();
}

void rt_entersyscall(void)
{
  entersyscall();
}

void rt_exitsyscall(void)
{
  int *errnop = os_errno(), saved = *errnop;
  exitsyscall();
  *getm()->errnop = saved;
}

void *rt_blocking(void *(*fn)(void *), void *arg)
{
  reentersyscall((const char *)(uintptr_t)rt_blocking + 1, __builtin_frame_address(0));
  void *result = fn(arg);
  rt_exitsyscall();
  return result;
}

void close_slowly(int fd)
{
  if (likely(fd < 0))
    return;
  entersyscall();
  os_close(fd);
  exitsyscall();
}
