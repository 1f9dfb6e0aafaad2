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
 * I4  A frame that has spare records has a deferred call, until it runs the first of them: then they go back to the
 *     pool. So none are lost, however the frame is left.
 *
 * Not done: open-coded defers, which need the compiler.
 * Cost: 3 stores to defer, a call to run; a pooled record two more. What RT_DEFER_LOOP does is inline, from
 * the records that the frame has in reserve (leave_spares).
 */
#include "exceptions.h"
#include "os.h"
#include "panic.h"
#include "proc.h"
#include "sim.h"
#include "tracedoor.h"

#include <stdlib.h>
#include <string.h>

#define POOL_REFILL (DEFER_POOL / 2) /* moved between a P and the central pool at once */

/* Moves up to POOL_REFILL records from the central pool to the P's, which is empty. */
static void refill(struct m *mp, struct p *pp)
{
  uint32_t n = 0;
  lock2(&sched.deferlock);
  for (struct rt_defer *d; n < MUTANT(119, POOL_REFILL - 1, POOL_REFILL) && (d = sched.deferpool);
       n++) {
    sched.deferpool = d->link;
    pp->deferpool[n] = d;
  }
  unlock2(&sched.deferlock);
  pp->n_deferpool = n;
  if (n > 0)
    tr_defer_refill(mp, n, pp->n_deferpool);
}

/* To the central pool, whose lock is held. */
static void give_back(struct rt_defer *d)
{
  d->link = sched.deferpool;
  sched.deferpool = d;
}

/* Moves POOL_REFILL records from the P's full pool to the central one. */
static __attribute__((noinline)) void spill(struct m *mp, struct p *pp)
{
  pp->n_deferpool -= POOL_REFILL;
  lock2(&sched.deferlock);
  for (uint32_t i = 0; i < POOL_REFILL; i++)
    give_back(pp->deferpool[pp->n_deferpool + i]);
  unlock2(&sched.deferlock);
  tr_defer_spill(mp, POOL_REFILL, pp->n_deferpool);
}

static struct rt_defer *newdefer(struct m *mp)
{
  struct p *pp = mp->p;
  if (pp->n_deferpool == 0)
    refill(mp, pp);
  if (pp->n_deferpool > 0)
    return pp->deferpool[--pp->n_deferpool];
  struct rt_defer *d = malloc(sizeof *d);
  if (!d)
    fatal("out of memory: no record for a deferred call");
  d->pooled = true;
  tr_defer_alloc(mp);
  return d;
}

static void freedefer(struct m *mp, struct rt_defer *d)
{
  struct p *pp = mp->p;
  if (unlikely(pp->n_deferpool == DEFER_POOL))
    spill(mp, pp);
  pp->deferpool[pp->n_deferpool++] = d;
  tr_defer_recycle(mp, pp->n_deferpool);
}

static ALWAYS_INLINE struct g *defering_g(struct m *mp)
{
  if (unlikely(!mp || !mp->curg))
    throw("defer outside of a goroutine");
  need_running(mp->curg);
  return mp->curg;
}

static ALWAYS_INLINE void push(struct m *mp, struct g *gp, struct rt_defer *d)
{
  d->link = gp->_defer;
  gp->_defer = d;
  tr_defer_push(mp, frame_depth(gp, d->frame->fp),
                d->pooled ? TRACE_DEFERKIND_POOL : TRACE_DEFERKIND_STACK, (uintptr_t)d->fn);
}

/* Leaves records in the frame for the loop's next turns, as far as the P has them at hand. */
static ALWAYS_INLINE void leave_spares(struct p *pp, struct g *gp, struct rt_frame *frame)
{
  uint32_t n = pp->n_deferpool < RT_FRAME_SPARES ? pp->n_deferpool : RT_FRAME_SPARES;
  pp->n_deferpool -= n;
  memcpy(frame->spares, pp->deferpool + pp->n_deferpool, sizeof frame->spares);
  frame->n_spares = n;
  frame->chain = &gp->_defer;
}

/* Whether the P's array still has them just above its end is not asked: two that are where they were say nothing of those
 * between them, which another frame may have by now, and a copy of all costs less than to compare all. */
static void take_back_spares(struct m *mp, struct rt_frame *frame)
{
  struct p *pp = mp->p;
  uint32_t n = frame->n_spares, end = pp->n_deferpool;
  struct rt_defer **at = pp->deferpool + end;
  if (likely(end + n <= DEFER_POOL)) {
    if (!MUTANT(28, at[0] == frame->spares[0] && at[n - 1] == frame->spares[n - 1], false))
      memcpy(at, frame->spares, sizeof frame->spares);
    pp->n_deferpool = end + n;
    frame->n_spares = 0;
  }
  while (frame->n_spares > 0)
    freedefer(mp, frame->spares[--frame->n_spares]);
}

/* Somebody records, or could as well. */
static ALWAYS_INLINE bool tells_each_turn(const struct m *mp)
{
  return tr_on(mp, TRACE_FAMILY_ALL) || !KEEPS_SPARES;
}

static __attribute__((noinline)) void defer_pooled_traced(struct m *mp, struct rt_frame *frame,
                                                          void (*fn)(void *), void *arg)
{
  struct g *gp = defering_g(mp);
  tr_stamp(mp);
  struct rt_defer *d = newdefer(mp);
  *d = (struct rt_defer){ .fn = fn, .arg = arg, .frame = frame, .pooled = true };
  push(mp, gp, d);
  checkpreempt(gp);
}

/* The first turn of a loop, or one without spares; while events are recorded every turn. */
void rt_defer_pooled(struct rt_frame *frame, void (*fn)(void *), void *arg)
{
  struct m *mp = getm();
  struct g *gp = mp ? atomic_load_explicit(&mp->curg, memory_order_relaxed) : NULL;
  if (unlikely(!gp || tells_each_turn(mp))) {
    defer_pooled_traced(mp, frame, fn, arg);
    return;
  }
  need_running(gp);
  struct rt_defer *d = newdefer(mp);
  *d = (struct rt_defer){ gp->_defer, fn, arg, frame, true };
  gp->_defer = d;
  leave_spares(mp->p, gp, frame);
  checkpreempt(gp); /* here, since it is not in the turns that are inline */
}

void rt_defer_in_frame(struct rt_frame *frame, void (*fn)(void *), void *arg)
{
  if (unlikely(frame->n_records == RT_FRAME_RECORDS)) {
    rt_defer_in_loop_(frame, fn, arg); /* the frame may have spares */
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
  if (unlikely(d->frame->n_spares > 0)) /* the frame may be left for ever: I4 */
    take_back_spares(mp, d->frame);
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

void drop_deferred(struct g *gp)
{
  struct rt_defer *next;
  lock2(&sched.deferlock);
  for (struct rt_defer *d = gp->_defer; d; d = next) {
    next = d->link;
    while (d->frame->n_spares > 0)
      give_back(d->frame->spares[--d->frame->n_spares]);
    if (d->pooled)
      give_back(d);
  }
  unlock2(&sched.deferlock);
}

static void run_first_traced(struct g *gp)
{
  void *call_fp;
  struct rt_defer d = popdefer(gp);
  rundefer(gp, &d, TRACE_CAUSE_RETURN, &call_fp);
}

/* The chain and the pool as a loop over deferred calls has them in registers: if it had to read them again after each
 * call it would wait, a turn, for two stores to come back as loads (10 of 20 cycles). */
struct defer_view {
  struct p *pp;
  uint32_t n_pool;
  struct rt_defer *next;
};

/* A call, which may do anything, left all as it was. The compiler must not learn that what is in memory equals what is
 * in the registers, or it goes on with the former: so it is not shown what is compared. */
static ALWAYS_INLINE bool is_unchanged(const struct defer_view *v, const struct g *gp)
{
  if (unlikely(gp->m->p != v->pp))
    return false; /* the pool is another M's now, and not to be looked at */
  struct rt_defer *first = gp->_defer;
  uint32_t n_pool = v->pp->n_deferpool;
  __asm__("" : "+r"(first), "+r"(n_pool));
  return likely(first == v->next && n_pool == v->n_pool);
}

/* Runs the frame's deferred calls, without events, and straight: a function that was not called by calldefer cannot
 * recover, and on this way it should not. True: start over, something changed. */
static ALWAYS_INLINE bool run_untraced(struct m *mp, struct g *gp, struct rt_frame *frame)
{
  struct defer_view v = { mp->p, ((struct p *)mp->p)->n_deferpool, gp->_defer };
  for (struct rt_defer *d; (d = v.next) && d->frame == frame;) {
    void (*fn)(void *) = d->fn;
    void *arg = d->arg;
    gp->_defer = v.next = d->link;
    if (d->pooled) {
      if (unlikely(v.n_pool == DEFER_POOL)) {
        spill(getm(), v.pp);
        v.n_pool = v.pp->n_deferpool;
      }
      v.pp->deferpool[v.n_pool++] = d;
      v.pp->n_deferpool = v.n_pool;
    }
    fn(arg);
    if (!is_unchanged(&v, gp))
      return true;
  }
  return false;
}

/* deferreturn: what the frame deferred and nobody ran yet. */
void rt_frame_exit(struct rt_frame *frame)
{
  NO_EXCEPTION_PASSES;
  struct m *mp = getm();
  struct g *gp = mp ? mp->curg : NULL;
  if (!gp || !gp->_defer || (gp->_defer->frame != frame && frame->n_spares == 0)) {
    if (unlikely(!gp && frame->n_records > 0)) /* of the G that forked */
      not_in_a_child();
    return; /* it has deferred nothing, or all has run; off any G, too */
  }
  need_running(gp);
  if (frame->n_spares > 0)
    take_back_spares(mp, frame);
  if (likely(!tells_each_turn(mp))) {
    while (run_untraced(mp, gp, frame))
      mp = getm();
  } else {
    while (gp->_defer && gp->_defer->frame == frame)
      run_first_traced(gp);
  }
  checkpreempt(gp);
}

void rt_frame_recovered(struct rt_frame *frame)
{
  MUTANT(19, (void)0, rt_frame_exit(frame));
  preemption_point();
}

void rt_frame_fell_through(void)
{
  fatal("RT_FRAME's block must return");
}

/* ---- blocks of C++ ----
 *
 * A deferring call that stands in a catch block is left by leaving that block, which ends its exception. So what is caught
 * and on its way belongs to the place that a recovery goes to. */

void rt_scope_begin(struct rt_scope *scope, struct rt_frame *frame)
{
  scope->frame = frame;
  scope->of_cxx = frame->of_cxx;
  scope->caught = frame->caught;
  scope->uncaught = frame->uncaught;
  memcpy(scope->resume, frame->resume, sizeof scope->resume);
  rt_frame_of_cxx(frame);
}

void rt_scope_end(struct rt_scope *scope)
{
  struct rt_frame *frame = scope->frame;
  frame->of_cxx = scope->of_cxx;
  frame->caught = scope->caught;
  frame->uncaught = scope->uncaught;
  memcpy(frame->resume, scope->resume, sizeof frame->resume);
}
