/* SPDX-License-Identifier: MIT */
/* defer.c - deferred calls: one chain a G, newest first.
 *
 * A record names a function, its argument and the frame that deferred it.  Most lie in that frame (Go's
 * stack records); those of loops come from the P's pool (Go's heap records).  The frame's cleanup attribute
 * runs what is left when the function returns; a panic runs it from panic.c.
 *
 * I1  The chain is ordered by frame: an inner frame's records come before those of the outer ones.
 * I2  A record is unlinked, and back in the pool, before its call begins: the call may park, panic, defer
 *     itself, or never come back, and nothing of it is run twice.
 * I3  Only the G itself touches its chain, so it needs no lock and moves between Ms with the G.
 *
 * Not done: open-coded defers, which need the compiler.
 * Cost: 3 stores to defer, a call to run; a pooled record two more.
 */
#include "os.h"
#include "panic.h"
#include "sim.h"
#include "tracedoor.h"

#include <stdlib.h>

#define POOL_CAP    32u /* records a P keeps */
#define POOL_REFILL 16u /* moved between a P and the central pool at once */

/* Moves up to POOL_REFILL records from the central pool to the P's. */
static void refill(struct m *mp, struct p *pp)
{
  uint32_t n = 0;
  lock2(&sched.deferlock);
  for (struct rt_defer *d; n < POOL_REFILL && (d = sched.deferpool); n++) {
    sched.deferpool = d->link;
    d->link = pp->deferpool;
    pp->deferpool = d;
  }
  unlock2(&sched.deferlock);
  pp->n_deferpool += n;
  if (n > 0)
    tr_defer_refill(mp, n, pp->n_deferpool);
}

/* Moves POOL_REFILL records from the P's full pool to the central one. */
static void spill(struct m *mp, struct p *pp)
{
  struct rt_defer *first = pp->deferpool, *last = first;
  for (uint32_t i = 1; i < POOL_REFILL; i++)
    last = last->link;
  pp->deferpool = last->link;
  pp->n_deferpool -= POOL_REFILL;
  lock2(&sched.deferlock);
  last->link = sched.deferpool;
  sched.deferpool = first;
  unlock2(&sched.deferlock);
  tr_defer_spill(mp, POOL_REFILL, pp->n_deferpool);
}

static struct rt_defer *newdefer(struct m *mp)
{
  struct p *pp = mp->p;
  if (!pp->deferpool)
    refill(mp, pp);
  struct rt_defer *d = pp->deferpool;
  if (d) {
    pp->deferpool = d->link;
    pp->n_deferpool--;
    return d;
  }
  d = malloc(sizeof *d);
  if (!d)
    fatal("out of memory: no record for a deferred call");
  tr_defer_alloc(mp);
  return d;
}

static void freedefer(struct m *mp, struct rt_defer *d)
{
  struct p *pp = mp->p;
  if (pp->n_deferpool == POOL_CAP)
    spill(mp, pp);
  d->link = pp->deferpool;
  pp->deferpool = d;
  pp->n_deferpool++;
  tr_defer_recycle(mp, pp->n_deferpool);
}

static struct g *defering_g(struct m *mp)
{
  if (unlikely(!mp || !mp->curg))
    throw("defer outside of a goroutine");
  return mp->curg;
}

static void push(struct m *mp, struct g *gp, struct rt_defer *d)
{
  d->link = gp->_defer;
  gp->_defer = d;
  tr_defer_push(mp, frame_depth(gp, d->frame->fp),
                d->pooled ? TRACE_DEFERKIND_POOL : TRACE_DEFERKIND_STACK, (uintptr_t)d->fn);
}

void rt_defer_pooled(struct rt_frame *frame, void (*fn)(void *), void *arg)
{
  struct m *mp = getm();
  struct g *gp = defering_g(mp);
  tr_stamp(mp);
  struct rt_defer *d = newdefer(mp);
  *d = (struct rt_defer){ .fn = fn, .arg = arg, .frame = frame, .pooled = true };
  push(mp, gp, d);
}

void rt_defer_in_frame(struct rt_frame *frame, void (*fn)(void *), void *arg)
{
  if (unlikely(frame->n_records == RT_FRAME_RECORDS)) {
    rt_defer_pooled(frame, fn, arg);
    return;
  }
  struct m *mp = getm();
  struct g *gp = defering_g(mp);
  tr_stamp(mp);
  struct rt_defer *d = &frame->records[frame->n_records++];
  *d = (struct rt_defer){ .fn = fn, .arg = arg, .frame = frame };
  push(mp, gp, d);
}

struct rt_defer popdefer(struct g *gp)
{
  struct m *mp = getm();
  struct rt_defer *d = gp->_defer;
  struct rt_defer copy = *d;
  gp->_defer = d->link;
  tr_stamp(mp);
  tr_defer_pop(mp, frame_depth(gp, d->frame->fp),
               d->pooled ? TRACE_DEFERKIND_POOL : TRACE_DEFERKIND_STACK, (uintptr_t)d->fn);
  if (copy.pooled)
    freedefer(mp, d);
  return copy;
}

void rundefer(struct g *gp, const struct rt_defer *d, uint32_t because, void **call_fp)
{
  uint32_t depth = frame_depth(gp, d->frame->fp);
  tr_defer_begin(getm(), depth, because, (uintptr_t)d->fn);
  calldefer(d->fn, d->arg, call_fp);
  struct m *mp = getm(); /* the call may have parked: this can be another M */
  tr_stamp(mp);
  tr_defer_end(mp, depth, because);
}

/* deferreturn: what the frame deferred and nobody ran yet. */
void rt_frame_exit(struct rt_frame *frame)
{
  struct m *mp = getm();
  struct g *gp = mp ? mp->curg : NULL;
  if (!gp)
    return; /* a frame off any G has deferred nothing */
  while (gp->_defer && gp->_defer->frame == frame) {
    void *call_fp;
    struct rt_defer d = popdefer(gp);
    rundefer(gp, &d, TRACE_CAUSE_RETURN, &call_fp);
  }
}

void rt_frame_recovered(struct rt_frame *frame)
{
  MUTANT(19, (void)0, rt_frame_exit(frame));
}

void rt_frame_fell_through(void)
{
  fatal("RT_FRAME's block must return");
}
