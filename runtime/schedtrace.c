/* SPDX-License-Identifier: MIT */
/* schedtrace.c - RT_DEBUG=schedtrace=MS[,scheddetail=1]: the scheduler's state on stderr, in Go's format.
 *
 * The trace gets a log at the same instant, under the same lock: so each line can be laid beside the state. */
#include "options.h"
#include "os.h"
#include "print.h"
#include "proc.h"
#include "schedlock.h"
#include "sim.h"
#include "tracedoor.h"

#include <inttypes.h>
#include <stdio.h>

/* Looks at what its owners change without a lock, as Go's does: a number may be of a moment ago. */
#define PEEKS __attribute__((no_sanitize("thread")))

static int64_t first, last;

static void field(const char *name, int64_t value)
{
  print_str(name);
  print_int(value);
}

static void print_m_id(const char *name, const struct m *mp)
{
  print_str(name);
  if (mp)
    print_uint(mp->id);
  else
    print_str("nil");
}

static PEEKS void print_summary(int64_t now)
{
  field("SCHED ", (now - first) / 1000000);
  field("ms: gomaxprocs=", sched.gomaxprocs);
  field(" idleprocs=", atomic_load(&sched.npidle));
  field(" threads=", MUTANT(104, 99, mcount()));
  field(" spinningthreads=", atomic_load(&sched.nmspinning));
  field(" needspinning=", atomic_load(&sched.needspinning));
  field(" idlethreads=", MUTANT(105, 77, sched.nmidle));
  field(" runqueue=", sched.runq.size);
}

static void print_queues(void)
{
  print_str(" [");
  for (int32_t i = 0; i < sched.gomaxprocs; i++)
    field(" ", MUTANT(106, 55, runqlen(allp[i])));
  print_str(" ] schedticks=[");
  for (int32_t i = 0; i < sched.gomaxprocs; i++)
    field(" ", atomic_load(&allp[i]->schedtick));
  print_str(" ]\n");
}

static PEEKS void print_p(struct p *pp)
{
  field("  P", pp->id);
  field(": status=", atomic_load(&pp->status));
  field(" schedtick=", atomic_load(&pp->schedtick));
  field(" syscalltick=", atomic_load(&pp->syscalltick));
  print_m_id(" m=", atomic_load(&pp->m));
  field(" runqsize=", runqlen(pp));
  field(" gfreecnt=", pp->n_gfree);
  field(" timerslen=", atomic_load(&pp->timers.len));
  print_str("\n");
}

static PEEKS void print_m(struct m *mp)
{
  const struct p *pp = atomic_load(&mp->p);
  const struct g *gp = atomic_load(&mp->curg);
  field("  M", mp->id);
  print_str(": p=");
  pp ? print_uint(pp->id) : print_str("nil");
  print_str(" curg=");
  gp ? print_uint(gp->goid) : print_str("nil");
  field(" mallocing=0 throwing=0 preemptoff= locks=",
        mp->locks); /* no M of ours is in the first three */
  print_str(" dying=0");
  print_str(mp->spinning ? " spinning=true" : " spinning=false");
  print_str(MUTANT(108, false, mp->blocked) ? " blocked=true" : " blocked=false");
  print_str(" lockedg=");
  mp->lockedg ? print_uint(mp->lockedg->goid) : print_str("nil");
  print_str("\n");
}

/* As Go: what a G waited for last stays until it ends, so one that runs again may have it too. */
static PEEKS const char *last_reason(const struct g *gp, uint32_t status)
{
  waitreason reason = MUTANT(107, TRACE_WAIT_RECV, gp->waitreason);
  return status == Gdead || reason == TRACE_WAIT_NONE ? "" : waitreason_text(reason);
}

static PEEKS void print_g(struct g *gp, void *unused)
{
  uint32_t status = readgstatus(gp);
  (void)unused;
  if (gp->goid == 0)
    return;
  field("  G", (int64_t)gp->goid);
  field(": status=", status);
  print_str("(");
  print_str(last_reason(gp, status));
  print_str(")");
  uint32_t owned =
      status & ~(uint32_t)Gscan; /* who waits has no M; the field tells of the last one */
  print_m_id(" m=", owned == Grunning || owned == Gsyscall ? gp->m : NULL);
  print_m_id(" lockedm=", gp->lockedm);
  print_str("\n");
}

static void print_detail(void)
{
  print_str(atomic_load(&sched.gcwaiting) ? " gcwaiting=true" : " gcwaiting=false");
  field(" nmidlelocked=", sched.nmidlelocked);
  field(" stopwait=", sched.stopwait);
  print_str(atomic_load(&sched.sysmonwait) ? " sysmonwait=true\n" : " sysmonwait=false\n");
  for (int32_t i = 0; i < sched.gomaxprocs; i++)
    print_p(allp[i]);
  for (struct m *mp = atomic_load(&allm); mp; mp = mp->alllink)
    print_m(mp);
  forEachG(print_g, NULL);
}

/* sched.lock held. */
static void tell_trace(struct m *mp, int64_t now)
{
  char text[40];
  if (!tr_on(mp, TRACE_FAMILY_USER))
    return;
  snprintf(text, sizeof text, "SCHED %" PRId64 "ms", (now - first) / 1000000);
  tr_stamp_after(mp);
  tr_user_log(mp, tr_string_id(mp, "schedtrace"), tr_string_id(mp, text));
}

/* Before last words, as Go's startpanic_m does, and in detail. Without the lock, which who dies may have; its owners
 * run on, so a number may be of a moment ago. */
void schedtrace_last(void)
{
  int64_t now = os_now();
  if (options.schedtrace_ms == 0 && !options.scheddetail)
    return;
  if (first == 0)
    first = now;
  printlock();
  print_summary(now);
  print_detail();
  printunlock();
}

void schedtrace(struct m *mp, int64_t now)
{
  if (options.schedtrace_ms == 0 || now - last < (int64_t)options.schedtrace_ms * 1000000)
    return;
  if (first == 0)
    first = now;
  last = now;
  lock_sched();
  tell_trace(mp, now);
  printlock();
  print_summary(now);
  if (options.scheddetail)
    print_detail();
  else
    print_queues();
  printunlock();
  unlock_sched();
}
