/* SPDX-License-Identifier: MIT */
/* wake.c - how many Ms are awake: starting one for a P, handing a P on, spinning.
 *
 * The rules, from Go's "Worker thread parking/unparking":
 * I1  An M that readies a G starts another, spinning, M if a P is idle and no M spins (wakep).
 * I2  A spinning M that finds work first starts its replacement (resetspinning), so that work that comes in
 *     a burst wakes the machine up one M at a time.
 * I3  A spinning M that finds nothing first stops to count as spinning, and then looks everywhere once
 *     more. With I1 this is a Dekker pair: either the one that readies sees no spinner and wakes somebody, or
 *     the one that goes to sleep sees the G. The same holds for a P that goes idle by an M that was not
 *     spinning, or that is handed off, by sched.needspinning (forgotten for the latter, a G could wait beside an
 *     idle P until the next wake-up; found by simulation).
 * I4  wakep counts an M as spinning before it knows whether there is a P for it, and takes that back under
 *     sched.lock if not. So a P goes idle either before, and is found, or after, and then nobody relies on a spinner
 *     that never comes. (Taken back after the unlock, a timer or a G could wait beside an idle P; found by
 *     simulation.)
 *
 * Where we wake less than Go. A G that readies another one and parks hands its P over: whoever was woken for
 * that finds nothing, and a wake-up costs far more than a hand-over. A channel's round trip on 2 Ps took 0.7
 * to 4 times Go's, by load; 0.3 to 0.4 with this. So:
 * I5  An M that was woken for a hand-over (a ready into an empty queue) counts as woken in vain until a thief
 *     takes such a G. A P that did so VAIN_MAX times in a row hands over without waking: it "hands over alone".
 * I6  The G is not lost, and waits no longer than it must. If the one that readied it parks or ends, its P runs
 *     it next. If that one goes into a system call, it wakes an M then (entersyscall). If it just goes on,
 *     sysmon, which looks every millisecond as long as a P hands over alone (WATCH_US), finds the same G in
 *     runnext twice, wakes an M, and the P's account starts anew.
 * I7  A program may change: every TRIAL_NS sysmon lets the next hand-over of such a P wake somebody once more, and
 *     if a thief finds it worth while the account starts anew, too.
 * I8  An M on g0 whose timer readied a G goes on with that G. If it was the one that slept in netpoll, nobody does now;
 *     so it wakes an M in any case, as Go does, if there is something to wait for there. (Else, while that G computed, the
 *     next timer waited for sysmon beside an idle P; found by simulation.)
 * I9  A thief takes a runnext only if it lay there while the thief waited (runq.c).
 */
#include "netpoll.h"
#include "os.h"
#include "proc.h"
#include "schedlock.h"
#include "sim.h"
#include "tracedoor.h"

#include <errno.h>

/* A P that could not be given to an M (why: -errno): to the idle list, or stopped. Only then may target, which got no
 * thread, be tried again: else it could be told to take another P while it is still said to have this one. */
static void take_back(struct m *mp, struct p *pp, bool spinning, struct m *target, int why)
{
  if (spinning)
    atomic_fetch_sub(&sched.nmspinning, 1);
  lock_sched();
  tr_stamp_after(mp);
  if (atomic_load(&sched.gcwaiting))
    gcstopp(mp, pp);
  else if (runqempty(pp))
    pidleput(mp, pp);
  else { /* its work may not be lost: the global queue has it, and whoever comes takes it */
    runqdrain(mp, pp);
    pidleput(mp, pp);
  }
  sched.refused_with = -why;
  if (target)
    mput_threadless(target);
  atomic_store(&sched.starved, true);
  unlock_sched();
}

/* Gives pp (NULL: an idle one, if any) to an M that is idle, or to a new one. spinning: the caller has counted
 * it in nmspinning. Without sched.lock. */
void startm(struct m *mp, struct p *pp, bool spinning)
{
  lock_sched();
  tr_stamp_after(mp);
  if (!pp && !(pp = pidleget(mp))) {
    unlock_sched();
    return;
  }
  struct m *idle = mget(), *target = idle ? idle : mget_threadless();
  if (!target)
    target = allocm();
  if (target) {
    target->nextp = pp;
    target->spinning = spinning;
    tr_m_wake(mp, MUTANT(112, mp->id, target->id), pp->id, MUTANT(113, !spinning, spinning));
  }
  unlock_sched();
  if (idle) {
    notewakeup(&idle->park);
    return;
  }
  int error = target ? newm(mp, target) : -ENOMEM;
  if (error)
    take_back(mp, pp, spinning, target, error); /* no thread to be had: fewer Ps run */
}

bool wakep_of_many(struct m *mp)
{
  /* The G is on its queue before the loads below: I3. */
  atomic_thread_fence(memory_order_seq_cst);
  if (atomic_load(&sched.nmspinning) != 0)
    return false;
  if (atomic_load(&sched.npidle) == 0) {
    if (MUTANT(10, false, atomic_load_explicit(&sched.needspinning, memory_order_relaxed) == 0))
      atomic_store(&sched.needspinning, 1);
    if (atomic_load(&sched.npidle) == 0)
      return false;
  }
  int32_t none = 0;
  if (!atomic_compare_exchange_strong(&sched.nmspinning, &none, 1))
    return false;
  lock_sched();
  tr_stamp_after(mp);
  struct p *pp = pidlegetSpinning(mp);
  if (!pp) /* under the lock: I4 */
    MUTANT(21, 0, atomic_fetch_sub(&sched.nmspinning, 1));
  unlock_sched();
  if (pp)
    startm(mp, pp, true);
  return pp != NULL;
}

#define VAIN_MAX 4

static bool hands_over_alone(const struct p *pp)
{
  return atomic_load_explicit(&pp->vain_wakes, memory_order_relaxed) >= VAIN_MAX;
}

/* What is in runnext may have been put there without waking anybody. One below VAIN_MAX belongs to it, because a trial
 * may have begun since. */
bool may_have_handed_over_alone(const struct p *pp)
{
  return atomic_load_explicit(&pp->vain_wakes, memory_order_relaxed) >= VAIN_MAX - 1;
}

/* I8: nobody sleeps in netpoll, and somebody should. */
static bool poller_is_missing(void)
{
  return atomic_load(&sched.lastpoll) != 0 &&
         (netpollAnyWaiters() || time_sleep_until() != INT64_MAX);
}

/* A G was put into runnext of pp, this M's P, whose queue was empty. */
void wakep_for_handover(struct m *mp, struct p *pp)
{
  if (hands_over_alone(pp)) {
    if (!mp->curg && poller_is_missing())
      wakep(mp);
  } else if (wakep(mp)) {
    atomic_fetch_add_explicit(&pp->vain_wakes, 1, memory_order_relaxed); /* thieves set it to 0 */
  }
}

/* The running G goes into a system call: what it left in runnext would wait for the end of the call, or for sysmon. */
void wakep_before_block(struct m *mp, struct p *pp)
{
  if (unlikely(may_have_handed_over_alone(pp)) &&
      atomic_load_explicit(&pp->runnext, memory_order_relaxed) != NULL)
    MUTANT(18, (void)0, (void)wakep(mp));
}

void try_waking_again(struct p *pp)
{
  atomic_store_explicit(&pp->vain_wakes, VAIN_MAX - 1, memory_order_relaxed);
}

void resetspinning(struct m *mp)
{
  mp->spinning = false;
  tr_m_spinning_end(mp, true);
  if (atomic_fetch_sub(&sched.nmspinning, 1) <= 0)
    throw("resetspinning: negative nmspinning");
  MUTANT(1, (void)0, (void)wakep(mp));
}

static bool needs_an_m(struct p *pp)
{
  return !runqempty(pp) || atomic_load(&sched.runqsize) != 0;
}

/* pp, in hand, lost its M: another one gets it if there is, or may come, work. Without sched.lock. */
void handoffp(struct m *mp, struct p *pp)
{
  int32_t none = 0;
  if (MUTANT(15, false, needs_an_m(pp))) {
    startm(mp, pp, false);
    return;
  }
  if (atomic_load(&sched.nmspinning) + atomic_load(&sched.npidle) == 0 &&
      atomic_compare_exchange_strong(&sched.nmspinning, &none, 1)) {
    atomic_store(&sched.needspinning, 0);
    startm(mp, pp, true);
    return;
  }
  lock_sched();
  tr_stamp_after(mp);
  if (atomic_load(&sched.gcwaiting)) {
    gcstopp(mp, pp);
    unlock_sched();
    return;
  }
  bool last_running =
      atomic_load(&sched.npidle) == sched.gomaxprocs - 1 && atomic_load(&sched.lastpoll) != 0;
  if (atomic_load(&sched.runqsize) != 0 || MUTANT(40, false, last_running)) {
    unlock_sched();
    startm(mp, pp, false);
    return;
  }
  int64_t when = timers_wake_time(&pp->timers);
  pidleput(mp, pp);
  unlock_sched();
  if (when != 0)
    wake_net_poller(mp, when);
  if (MUTANT(22, false,
             atomic_exchange(&sched.needspinning,
                             0))) /* I3: somebody readied a G when no P was idle yet */
    wakep(mp);
}
