/* SPDX-License-Identifier: MIT */
/* fault.c - three faults that the scheduler does not have, to be looked at beside the truth.
 *
 * It is often told of Go's scheduler that a sleep keeps its thread, that a G which loses its P in a system call
 * loses its deferred calls, and that the heap of timers and the chain of deferred calls share data. None of it
 * is so. RT_DEBUG=fault=NAME makes it so, to show what one would then see:
 *   sleep-blocks-m           rt_sleep keeps M and P: the G stays running, and the P's other Gs wait
 *   lose-defers-on-preempt   back from a system call in which its P was taken, a G has no deferred calls any
 *                            more: a panic that one of them would have recovered ends the program
 *   timer-defer-race         the scan of a heap that finds a modified timer of a sleeping G overwrites the head
 *                            of that G's chain: its newest deferred call never runs
 *
 * I1  Each is called from one place, behind fault_is_on(), none of them on a hot path.
 * I2  The trace tells it: a fault event when tracing begins, and one for each G that is struck, with how
 *     many deferred calls it loses. So the replay knows what is the fault's doing, and checks all else.
 * I3  A demonstrated fault is no undefined behaviour: what it does to a G is done by the G itself, or while
 *     nobody can run it.
 */
#include "fault.h"

#include "tracedoor.h"

#include <string.h>

static const char *const names[] = {
  [FAULT_NONE] = "none",
  [FAULT_SLEEP_BLOCKS_M] = "sleep-blocks-m",
  [FAULT_LOSE_DEFERS_ON_PREEMPT] = "lose-defers-on-preempt",
  [FAULT_TIMER_DEFER_RACE] = "timer-defer-race",
};

bool fault_by_name(const char *name, enum fault *fault)
{
  for (uint32_t i = 0; i < nelem(names); i++)
    if (strcmp(name, names[i]) == 0) {
      *fault = (enum fault)i;
      return true;
    }
  return false;
}

const char *fault_names(void)
{
  return "sleep-blocks-m, lose-defers-on-preempt, timer-defer-race, none";
}

static void tell(struct m *mp, const struct g *struck, uint32_t lost_defers)
{
  if (tr_on(mp, TRACE_FAMILY_META))
    tr_fault(mp, tr_string_id(mp, names[options.fault]), struck ? (uint32_t)struck->goid : 0,
             lost_defers);
}

void fault_begin(struct m *mp)
{
  if (options.fault != FAULT_NONE)
    tell(mp, NULL, 0);
}

void fault_sleep(int64_t ns)
{
  struct m *mp = getm();
  struct note never;
  if (ns <= 0)
    return;
  noteclear(&never);
  tr_stamp(mp);
  tell(mp, mp->curg, 0);
  notetsleep(&never, ns);
}

void fault_lost_p(void)
{
  struct m *mp = getm();
  struct g *gp = mp->curg;
  uint32_t n = 0;
  for (const struct rt_defer *d = gp->_defer; d; d = d->link)
    n++;
  if (n == 0)
    return;
  tr_stamp(mp);
  tell(mp, gp, n);
  gp->_defer = NULL;
}

/* The owner of a timer of ts, if it sleeps by another timer of the same heap. Then nobody can make it ready, so run
 * it, as long as the heap is locked; and what it did before was before its timer came into the heap. */
static struct g *sleeping_owner(const struct timers *ts, const struct timer *moved)
{
  for (uint32_t i = 0; i < ts->n; i++) {
    const struct timer *t = ts->heap[i].timer;
    if (t->kind == TRACE_TIMERKIND_SLEEP && t->owner == moved->owner)
      return t->arg;
  }
  return NULL;
}

void fault_timer_moved(struct m *mp, struct timers *ts, const struct timer *moved)
{
  struct g *owner = moved->kind == TRACE_TIMERKIND_SLEEP ? NULL : sleeping_owner(ts, moved);
  if (!owner || !owner->_defer)
    return;
  tell(mp, owner, 1);
  owner->_defer = owner->_defer->link;
}
