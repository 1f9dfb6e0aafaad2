/* SPDX-License-Identifier: MIT */
/* schedlock.c - sched.lock: a lock that one M takes without a locked instruction, as long as it is alone.
 *
 * Every yield visits sched.lock, and every end of a G that leaves the P's own queue empty. Where one P runs, or one is
 * busy and the others have work of their own, it is the same M each time, for milliseconds; and a locked instruction
 * there costs as much as the rest of the visit, since it waits for every store before it. So after OFTEN visits in a row
 * the lock is biased to that M. It says that it is inside by a plain store, looks whether the lock is still its own, and
 * is in. Whoever else comes takes the mutex underneath, and evicts: ends the bias, has the kernel put a barrier into
 * every thread that runs (membarrier: microseconds), and waits until the M is not inside.
 *
 * I1  mp->biased is true for at most one M, sched.biased_to; both change under the mutex, biased from false to true by
 *     the M itself.
 * I2  The M stores in_sched and then loads biased; who evicts stores biased, then the barrier, then loads in_sched. So
 *     either the M sees that it lost the bias, or it is waited for.
 * I3  in_sched is the way out's memory of the way in: an M that has the mutex has it false.
 * I4  An eviction is paid for by the OFTEN visits before it. An M that wants the lock now and then, as sysmon does, does
 *     not end the bias often enough for the price to show; two Ms that take turns never come to it.
 * Where the kernel has no membarrier the lock is never biased.
 *
 * Not done: the same for every lock. A bias pays where one M comes thousands of times; channels and timers have their
 * own way without locked instructions where there is one P (lock_with_p).
 */
#include "schedlock.h"

#include "os.h"
#include "sim.h"

#define OFTEN     (SIM_BUILT ? 3u : 1000u) /* visits */
#define SPINS     100 /* longer than a visit takes, if its M is not kept from its CPU */
#define ASLEEP_US 20

/* ---- the mutex's owner about the bias ---- */

static void wait_until_outside(const struct m *mp)
{
  for (int i = 0; atomic_load_explicit(&mp->in_sched, memory_order_acquire); i++)
    if (i < SPINS)
      os_pause();
    else
      os_usleep(ASLEEP_US);
}

static void evict(struct m *from, const struct m *by)
{
  sched.biased_to = NULL;
  atomic_store_explicit(&from->biased, false, memory_order_relaxed);
  if (from == by)
    return;
  os_fence_everywhere();
  MUTANT(27, (void)0, wait_until_outside(from));
}

static void count_visit(struct m *mp)
{
  if (sched.last_visitor != mp) {
    sched.last_visitor = mp;
    sched.visits = 0;
  }
  if (++sched.visits < OFTEN)
    return;
  sched.visits = 0;
  if (!os_fence_everywhere())
    return;
  sched.biased_to = mp;
  atomic_store_explicit(&mp->biased, true, memory_order_relaxed);
}

/* mp: the caller's M, or NULL. */
static void lock_beneath(struct m *mp)
{
  lock2(&sched.lock);
  if (sched.biased_to)
    evict(sched.biased_to, mp);
}

void lock_sched_slow(struct m *mp)
{
  atomic_store_explicit(&mp->in_sched, false, memory_order_release);
  lock_beneath(mp);
  count_visit(mp);
}

/* ---- for everybody ---- */

void lock_sched(void)
{
  struct m *mp = getm();
  if (mp && atomic_load_explicit(&mp->biased, memory_order_relaxed)) {
    lock_sched_often(mp);
    atomic_thread_fence(memory_order_seq_cst);
  } else {
    lock_beneath(mp);
  }
}

void unlock_sched(void)
{
  struct m *mp = getm();
  if (mp && atomic_load_explicit(&mp->in_sched, memory_order_relaxed)) {
    unlock_sched_often(mp);
    atomic_thread_fence(memory_order_seq_cst);
  } else {
    unlock2(&sched.lock);
  }
}

bool sched_is_unlocked(void)
{
  const struct m *mp = sched.biased_to;
  return atomic_load(&sched.lock.held) == 0 && !(mp && atomic_load(&mp->in_sched));
}
