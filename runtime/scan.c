/* SPDX-License-Identifier: MIT */
/* scan.c - visiting the stacks of all Gs, as a garbage collector would: with the world stopped.
 *
 * Not done: scanning one G at a time with the others running (suspendG). It needs a stop at any
 * instruction, and only code marked RT_PREEMPTIBLE has that. What such a G had in registers is on its stack.
 */
#include "os.h"
#include "proc.h"
#include "sim.h"
#include "tracedoor.h"

struct scan {
  struct m *mp;
  void (*visit)(uint64_t goid, const void *lo, const void *hi, void *arg);
  void *arg;
};

/* What of gp's stack may hold frames. Of one that has not run yet: the word that holds its argument. */
static void used_part(struct g *gp, uint32_t status, const char **lo, const char **hi)
{
  *hi = gp->stack.hi;
  if (gp == getg())
    *lo = __builtin_frame_address(0);
  else if (status == Gsyscall ||
           status == Grunning) /* on its way back it is running, and has no P */
    *lo = gp->stack.lo;        /* it stands somewhere below: all of it */
  else if (gp->sp)
    *lo = gp->sp;
  else
    *lo = (const char *)&gp->arg, *hi = (const char *)(&gp->arg + 1);
}

static void scan_one(struct g *gp, void *arg)
{
  struct scan *scan = arg;
  uint32_t status = readgstatus(gp) & ~(uint32_t)Gscan;
  const char *lo, *hi;
  if (status == Gdead || status == Gidle || MUTANT(117, status == Gwaiting, false))
    return;
  used_part(gp, status, &lo, &hi);
  tr_stamp(scan->mp);
  tr_stack_scan(scan->mp, (uint32_t)gp->goid, status, (uint64_t)(hi - lo));
  if (scan->visit)
    scan->visit(gp->goid, lo, hi, scan->arg);
}

static void scan_all(const char *door, void (*visit)(uint64_t, const void *, const void *, void *),
                     void *arg)
{
  checkpreempt(need_g(door));
  __builtin_unwind_init(); /* what our caller has in registers is in this frame now */
  bool stop = !world_is_mine();
  if (stop)
    stopTheWorld(TRACE_STWWHY_GC, NULL);
  mark_waiters(os_now());
  struct scan scan = { .mp = getm(), .visit = visit, .arg = arg };
  forEachG(scan_one, &scan);
  if (stop)
    startTheWorld();
}

void rt_gc(void)
{
  scan_all("rt_gc", NULL, NULL);
}

void rt_scan_stacks(void (*visit)(uint64_t goid, const void *lo, const void *hi, void *arg),
                    void *arg)
{
  scan_all("rt_scan_stacks", visit, arg);
}
