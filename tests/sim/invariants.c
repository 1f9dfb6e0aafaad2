/* SPDX-License-Identifier: MIT */
/* invariants.c - the scheduler's invariants, looked at from outside, in the middle of everything.
 *
 * At any point of any M, also within a transition:
 *   I1  a G is on at most one run queue, and then it is Grunnable;
 *   I2  an M's P says that it is this M's, and runs; no two Ms run the same G; who runs a G knows it;
 *   I3  what nobody has locked is in order: the idle lists and their counts, the global queue, the heaps.
 * When all is quiet, so that no M goes on before time moves, moreover:
 *   I4  no G is lost: each runnable one is on a queue or in the hand of an M;
 *   I5  no wake-up is lost: a runnable G and an idle P do not meet, unless an M spins, or the G was handed over by
 *       a P that may do so alone (programs-handover.c says how long it may lie there);
 *   I6  the number of spinning Ms is that of Ms that spin;
 *   I7  while a P is idle, the next timer of any P is known to the M in netpoll, or not earlier than the first M
 *       that wakes; except when the M that was in netpoll came back with a G: as in Go it asks nobody to sleep there in
 *       its place, and sysmon sees to it, when it takes the P, or the G's slice is over;
 *   I8  somebody besides sysmon wakes by itself, if it is not the end: else the program hangs.
 *   I9  while all Ps are idle and a G waits for a descriptor, an M sleeps in netpoll: sysmon sleeps deeply.
 * When a thread was refused, I5 and I7 to I9 wait until sysmon has asked for one again; a run may not take for ever.
 * While the world stops or the run ends only what still must hold is looked at.
 */
#include "invariants.h"

#include "netpoll.h"
#include "proc.h"
#include "schedlock.h"
#include "sim-world.h"

#define MAX_STEPS 3000000
#define MAX_GS    4096u
#define SYSMON_NS 60000000 /* three of its longest sleeps, and a stall */
#define LATE_NS   100000   /* between a look at the clock and the sleep other Ms may pass time */
#define EACH_M(mp)                                                                                 \
  struct m *mp = atomic_load(&allm);                                                               \
  mp;                                                                                              \
  mp = mp->alllink
#define FAIL_IF(wrong, ...) ((wrong) ? sim_fail(__VA_ARGS__) : (void)0)

static struct {
  uint32_t look, queued_at[MAX_GS]; /* by goid: the look that found it on a queue */
  uint32_t running_at[MAX_GS];
  uint32_t n_queued;
  uint64_t one_queued;
} seen;

static bool is_free(const struct mutex *l)
{
  return atomic_load(&l->held) == 0;
}

/* ---- queues ---- */

static void on_queue(const struct g *gp, const char *queue, uint32_t p)
{
  uint32_t id = (uint32_t)gp->goid;
  uint32_t status = readgstatus(gp);
  FAIL_IF(status != Grunnable, "G%u is on %s%u, but its status is %u", id, queue, p, status);
  seen.n_queued++;
  seen.one_queued = id;
  if (id >= MAX_GS)
    return;
  FAIL_IF(seen.queued_at[id] == seen.look, "G%u is on two queues; one is %s%u", id, queue, p);
  seen.queued_at[id] = seen.look;
}

static bool is_in_call(const struct p *pp)
{
  const struct m *mp = atomic_load(&pp->m);
  const struct g *gp = mp ? atomic_load(&mp->curg) : NULL;
  return gp && (readgstatus(gp) & ~(uint32_t)Gscan) == Gsyscall;
}

static void check_p_queue(struct p *pp)
{
  uint32_t head = atomic_load(&pp->runqhead), tail = atomic_load(&pp->runqtail);
  struct g *next = atomic_load(&pp->runnext);
  FAIL_IF(tail - head > RUNQ_SIZE, "P%u's ring has %u Gs", pp->id, tail - head);
  for (uint32_t i = head; i != tail; i++)
    on_queue(atomic_load(&pp->runq[i % RUNQ_SIZE]), "the ring of P", pp->id);
  if (next)
    on_queue(next, "runnext of P", pp->id);
  if (next && may_have_handed_over_alone(pp) && !is_in_call(pp))
    seen.n_queued--; /* sysmon will look at it: wake.c, I6 */
}

static void check_global_queue(void)
{
  uint32_t n = 0;
  if (!sched_is_unlocked())
    return;
  for (const struct g *gp = sched.runq.head; gp && n <= sched.runq.size; gp = gp->schedlink, n++)
    on_queue(gp, "the global queue, which is no P", 0);
  FAIL_IF(n != sched.runq.size || n != atomic_load(&sched.runqsize),
          "the global queue has %u Gs, but says %u", n, sched.runq.size);
}

/* ---- owners ---- */

static void check_m(const struct m *mp)
{
  const struct p *pp = atomic_load(&mp->p);
  const struct g *gp = atomic_load(&mp->curg);
  if (pp) {
    uint32_t status = atomic_load(&pp->status);
    FAIL_IF(atomic_load(&pp->m) != mp, "M%u has P%u, which is not its own", mp->id, pp->id);
    FAIL_IF(status != Prunning && status != Pgcstop, "M%u has P%u, whose status is %u", mp->id,
            pp->id, status);
  }
  if (!gp)
    return;
  uint32_t id = (uint32_t)gp->goid, status = readgstatus(gp) & ~(uint32_t)Gscan;
  FAIL_IF(status != Grunning && status != Gsyscall, "M%u runs G%u, whose status is %u", mp->id, id,
          status);
  FAIL_IF(gp->m != mp, "M%u runs G%u, which knows another M", mp->id, id);
  if (id >= MAX_GS)
    return;
  FAIL_IF(seen.running_at[id] == seen.look, "G%u runs on two Ms; one is M%u", id, mp->id);
  seen.running_at[id] = seen.look;
}

static void check_idle_ps(void)
{
  int32_t n = 0;
  for (const struct p *pp = sched.pidle; pp && n <= MAX_PROCS; pp = pp->link, n++) {
    FAIL_IF(atomic_load(&pp->status) != Pidle || atomic_load(&pp->m),
            "P%u is on the idle list, but not idle", pp->id);
    FAIL_IF(atomic_load(&pp->runqhead) != atomic_load(&pp->runqtail) || atomic_load(&pp->runnext),
            "P%u is idle, but has a G", pp->id);
  }
  FAIL_IF(n != atomic_load(&sched.npidle), "%d Ps are idle, but npidle is %d", n,
          atomic_load(&sched.npidle));
}

static void check_idle_ms(void)
{
  int32_t n = 0;
  for (const struct m *mp = sched.midle; mp && n <= sched.nmidle; mp = mp->idlelink, n++)
    FAIL_IF(atomic_load(&mp->p), "M%u is idle, but has a P", mp->id);
  FAIL_IF(n != sched.nmidle, "%d Ms are idle, but nmidle is %d", n, sched.nmidle);
}

/* ---- timers ---- */

static void check_entry(const struct timers *ts, uint32_t i)
{
  const struct timer *t = ts->heap[i].timer;
  FAIL_IF(i > 0 && ts->heap[i].when < ts->heap[(i - 1) / 4].when,
          "P%u's timer heap is out of order at %u of %u", ts->p, i, ts->n);
  FAIL_IF(t->ts != ts, "a timer in P%u's heap does not know it", ts->p);
  FAIL_IF(t->id == 0, "a timer in P%u's heap has no number", ts->p);
  if (!is_free(&t->lock) || (t->state & timer_zombie))
    return;
  FAIL_IF(t->is_chan && t->blocked == 0,
          "a timer is in P%u's heap, and nobody waits on its channel", ts->p);
  if (!(t->state & timer_modified))
    return;
  int64_t least = atomic_load(&ts->min_when_modified);
  FAIL_IF(least == 0 || least > t->when, "P%u's heap has a modified timer that is too early",
          ts->p);
}

static void check_heap(const struct timers *ts)
{
  if (!is_free(&ts->lock))
    return;
  for (uint32_t i = 0; i < ts->n; i++)
    check_entry(ts, i);
  int64_t first = ts->n > 0 ? ts->heap[0].when : 0;
  FAIL_IF(atomic_load(&ts->min_when_heap) != first,
          "P%u's heap has another first timer than it says", ts->p);
}

/* ---- when all is quiet ---- */

static bool in_hand(const struct g *gp)
{
  for (EACH_M(mp))
    if (mp->nextg == gp || mp->lockedg == gp)
      return true;
  return false;
}

static void check_not_lost(struct g *gp, void *unused)
{
  (void)unused;
  if (gp->goid >= MAX_GS || readgstatus(gp) != Grunnable || seen.queued_at[gp->goid] == seen.look ||
      in_hand(gp))
    return;
  sim_fail("G%u is runnable, but on no queue", (uint32_t)gp->goid);
}

static int32_t count_spinning(void)
{
  int32_t n = 0;
  for (EACH_M(mp))
    n += mp->spinning;
  FAIL_IF(n != atomic_load(&sched.nmspinning), "%d Ms spin, but nmspinning is %d", n,
          atomic_load(&sched.nmspinning));
  return n;
}

/* When the first M but sysmon wakes by itself. and_looks: not one that comes back to its G. */
static int64_t first_deadline(bool and_looks)
{
  int64_t first = SIM_FOR_EVER;
  const struct co *co;
  for (uint32_t i = 0; (co = co_get(i)); i++) {
    const struct m *mp = co == co_self() ? getm() : co->m;
    if (co->state == CO_ENDED || (mp && mp->is_sysmon) || (and_looks && co->is_away))
      continue;
    if (co->deadline < first)
      first = co->deadline;
    if (co->state == CO_EPOLL && sim_fd_next() < first)
      first = sim_fd_next();
  }
  return first;
}

/* The M in netpoll sleeps for it, or an earlier one; maybe too long, if it was stalled on its way there. */
static bool poller_knows(int64_t when)
{
  int64_t until = atomic_load(&sched.poll_until);
  return atomic_load(&sched.lastpoll) == 0 && until != 0 && until <= when;
}

static bool sysmon_will_see(int64_t when)
{
  return atomic_load(&sched.lastpoll) != 0 && sim_poller_was_told() &&
         atomic_load(&sched.npidle) < sched.gomaxprocs && sim_now() < when + SYSMON_NS;
}

static void check_late(struct p *pp)
{
  int64_t when = timers_wake_time(&pp->timers), first = first_deadline(true);
  if (when == 0 || poller_knows(when) || sysmon_will_see(when))
    return;
  FAIL_IF(first - LATE_NS > when && first - LATE_NS > sim_now(),
          "a P is idle, and P%u has a timer that nobody will wake for: it is due in %lld ns",
          pp->id, (long long)(when - sim_now()));
}

static void check_quiet(void)
{
  int32_t n_spinning = count_spinning(), idle = atomic_load(&sched.npidle);
  forEachG(check_not_lost, NULL);
  if (atomic_load(&sched.starved))
    return;
  FAIL_IF(first_deadline(false) == SIM_FOR_EVER, "the program hangs: only sysmon will wake");
  FAIL_IF(seen.n_queued > 0 && idle > 0 && n_spinning == 0,
          "a wake-up is lost: G%u is runnable, %d Ps are idle, and nobody is awake",
          (uint32_t)seen.one_queued, idle);
  FAIL_IF(idle == sched.gomaxprocs && netpollAnyWaiters() && atomic_load(&sched.lastpoll) != 0,
          "a G waits for a descriptor, all Ps are idle, and nobody sleeps in netpoll");
  for (int32_t i = 0; idle > 0 && i < sched.gomaxprocs; i++)
    check_late(allp[i]);
}

/* ---- all ---- */

void check_invariants(bool is_quiet, int64_t next)
{
  (void)next;
  FAIL_IF(sim_step() > MAX_STEPS, "the program does not end");
  if (sched.gomaxprocs == 0 || atomic_load(&sched.ended))
    return;
  seen.look++;
  seen.n_queued = 0;
  FAIL_IF(atomic_load(&sched.nmspinning) < 0, "nmspinning is negative");
  check_global_queue();
  for (int32_t i = 0; i < sched.gomaxprocs; i++)
    check_p_queue(allp[i]);
  if (atomic_load(&sched.gcwaiting))
    return;
  for (int32_t i = 0; i < sched.gomaxprocs; i++)
    check_heap(&allp[i]->timers);
  for (EACH_M(mp))
    if (!atomic_load(&mp->exited))
      check_m(mp);
  if (sched_is_unlocked()) {
    check_idle_ps();
    check_idle_ms();
    if (is_quiet) /* else somebody dozes until another M is outside, with a G in hand (schedlock.c) */
      check_quiet();
  }
}
