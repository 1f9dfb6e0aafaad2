/* SPDX-License-Identifier: MIT */
/* trace-replay-next.c - what an M must do next.
 *
 * Many transitions of the runtime are several events of one M, between which it does nothing else that is told: who
 * kicks a G out of runnext puts it into the ring, who obeys a request stops. Each event of such a transition leaves in
 * the M what is due; the M's next event is held against it, and settles it.
 *
 * What may come in between at any time, and is not looked at: records of the trace itself, and what signals did (they
 * are told at the M's next look at its clock). Only one M is looked at, so no race between Ms can make this wrong; an
 * M that falls silent because the program ends owes nothing.
 *
 * Not done: what must come some time later (a G that is ready is run, a waiter is woken). That would be about progress,
 * which the end of a trace cuts off anywhere.
 */
#include "trace-replay-state.h"

void trace_hand_due(struct trace_replay *r, struct rep_m *m, uint32_t goid, enum hand_due due)
{
  if (!trace_judges(r, TRACE_FAMILY_SCHED | TRACE_FAMILY_RUNQ))
    return;
  m->hand_due = (uint8_t)due;
  m->hand_g = goid;
}

/* ---- a G in hand ---- */

static bool to_ring(uint16_t kind)
{
  return kind == TRACE_RUNQ_PUT || kind == TRACE_RUNQ_OVERFLOW;
}

/* Who was made ready may be one of several: each is queued or started before the M does anything else. Who found him
 * spinning says so first; who found one that is locked to another M releases its P for that one. */
static bool handles_ready(const struct trace_replay *r, const struct trace_event *e)
{
  uint16_t kind = e->kind;
  if (kind == TRACE_GO_UNBLOCK) /* several that netpoll found */
    return e->g == 0 || r->world.stopped;
  return to_ring(kind) || kind == TRACE_RUNQ_PUT_NEXT || kind == TRACE_RUNQ_PUT_GLOBAL ||
         kind == TRACE_GO_START || kind == TRACE_GO_NAME || kind == TRACE_M_SPINNING_END ||
         kind == TRACE_PROC_STOP;
}

/* Who spun says so first; who yielded took the next one from the global queue before it wakes another M. */
static bool handles_taken(const struct rep_m *m, const struct trace_event *e)
{
  if (m->pub.status == TRACE_MSTATUS_SPINNING)
    return e->kind == TRACE_M_SPINNING_END;
  return (e->kind == TRACE_GO_START && e->w[0] == m->hand_g) || e->kind == TRACE_PROC_STOP ||
         (m->last_kind == TRACE_RUNQ_BATCH && e->kind == TRACE_PROC_UNIDLE);
}

/* NULL, or what e should have done. All events that queue name the G first. */
static const char *missed(const struct trace_replay *r, const struct rep_m *m,
                          const struct trace_event *e)
{
  bool it = e->w[0] == m->hand_g;
  switch ((enum hand_due)m->hand_due) {
  case HAND_FREE:
    return NULL;
  case HAND_READY:
    return handles_ready(r, e) ? NULL : "is ready, but neither queued nor started";
  case HAND_TAKEN:
    return handles_taken(m, e) ? NULL : "was taken from a queue, but does not start";
  case HAND_KICKED:
    return it && to_ring(e->kind) ? NULL : "was kicked out of runnext, but not put into the ring";
  case HAND_YIELDED: /* for whom the P goes away under a G, it stops and starts again */
    return (it && e->kind == TRACE_RUNQ_PUT_GLOBAL) ||
                   (e->kind == TRACE_PROC_STOP && r->world.stopped)
               ? NULL
               : "yielded, but was not put on the global queue";
  case HAND_GAVE_WAY:
    return it && to_ring(e->kind) ? NULL : "gave way, but was not put into the ring";
  case HAND_OBEYED:
    return it && (e->kind == TRACE_RUNQ_PUT_GLOBAL || e->kind == TRACE_RUNQ_PUT_NEXT)
               ? NULL
               : "obeyed a request, but was not queued";
  }
  return NULL;
}

static void check_hand(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  const char *what = missed(r, m, e);
  if (what)
    trace_broken(r, TRACE_RULE_RUNQ_PUT, "M%u goes on (%s) although G%u %s", m->pub.id,
                 trace_specs[e->kind].name, m->hand_g, what);
  if (e->kind != TRACE_GO_NAME)
    m->hand_due = HAND_FREE;
}

/* ---- timers ---- */

/* What the function of a timer that fired does first; NULL: it may do anything, or nothing. */
static const char *function_missed(const struct trace_replay *r, const struct rep_m *m,
                                   const struct trace_event *e)
{
  const struct rep_timer *t = trace_store_find(&r->timers, m->fired);
  const struct rep_g *owner = t && t->pub.owner ? trace_store_find(&r->gs, t->pub.owner) : NULL;
  if (t && t->pub.what == TRACE_TIMERKIND_AFTER_FUNC && e->kind != TRACE_GO_CREATE)
    return "no G was made for its function";
  bool sleeps = owner && owner->pub.status == TRACE_GSTATUS_WAITING &&
                owner->pub.why == TRACE_WAIT_SLEEP && t->pub.what == TRACE_TIMERKIND_SLEEP;
  if (sleeps && (e->kind != TRACE_GO_UNBLOCK || e->w[0] != t->pub.owner))
    return "who sleeps by it was not made ready";
  return NULL;
}

/* What becomes of the entry of a timer that fired is told under the heap's lock. */
static bool mends_entry(const struct trace_event *e)
{
  return e->kind == TRACE_TIMER_REMOVE || e->kind == TRACE_TIMER_MODIFY ||
         e->kind == TRACE_TIMER_UPDATE || e->kind == TRACE_TIMER_CHECK;
}

/* A timer is made where it is set, or by who parks next to sleep by it; before it is added, stale entries may leave
 * the heap. */
static void check_made(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  if (!m->made || e->kind == TRACE_GO_BLOCK || e->kind == TRACE_TIMER_REMOVE ||
      e->kind == TRACE_TIMER_UPDATE || e->kind == TRACE_TIMER_CHECK)
    return;
  if (e->kind != TRACE_TIMER_ADD || e->w[0] != m->made)
    trace_broken(r, TRACE_RULE_TIMER_OWNER, "timer %u was made on M%u, but is not set", m->made,
                 m->pub.id);
  m->made = 0;
}

static void check_timers(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  check_made(r, m, e);
  if (m->heap_due && (!mends_entry(e) || e->kind == TRACE_TIMER_CHECK || e->w[0] != m->fired))
    trace_broken(r, TRACE_RULE_TIMER_FIRE,
                 "M%u goes on (%s) although timer %u fired and is still where it was", m->pub.id,
                 trace_specs[e->kind].name, m->fired);
  if (m->scan_due &&
      (trace_specs[e->kind].family != TRACE_FAMILY_TIMER || e->kind == TRACE_TIMER_RUN_OTHER))
    trace_broken(r, TRACE_RULE_TIMER_ORDER, "M%u goes on (%s) in the middle of a scan", m->pub.id,
                 trace_specs[e->kind].name);
  m->heap_due = m->scan_due = false;
  m->function = 0;
  if (!m->fired || mends_entry(e))
    return;
  const char *what =
      trace_judges(r, TRACE_FAMILY_SCHED | TRACE_FAMILY_TIMER) ? function_missed(r, m, e) : NULL;
  if (what)
    trace_broken(r, TRACE_RULE_TIMER_FIRE, "timer %u fired, but %s", m->fired, what);
  m->function = m->fired;
  m->fired = 0;
}

/* What timers' functions do, between the first and the last timer that an M runs on one visit of a heap. Before it
 * visits the same heap again it begins or ends spinning, says whose timers it runs, loses its P or runs a G: a search
 * that starts over has run timers of another P. */
static bool stays_in_session(const struct trace_event *e)
{
  switch (e->kind) {
  case TRACE_GO_UNBLOCK:
  case TRACE_GO_CREATE:
  case TRACE_RUNQ_PUT:
  case TRACE_RUNQ_PUT_NEXT:
  case TRACE_RUNQ_OVERFLOW:
  case TRACE_PROC_IDLE:
  case TRACE_PROC_UNIDLE:
  case TRACE_M_WAKE:
  case TRACE_NETPOLL_BREAK:
    return true;
  default:
    return trace_specs[e->kind].family == TRACE_FAMILY_TIMER && e->kind != TRACE_TIMER_RUN_OTHER;
  }
}

/* ---- deferred calls ---- */

static void check_defers(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  if (m->pop_due && e->kind != TRACE_DEFER_POP)
    trace_broken(r, TRACE_RULE_DEFER_CALL,
                 "a frame on M%u returns, but does not run all that it deferred", m->pub.id);
  if (m->walk_due && trace_specs[e->kind].family != TRACE_FAMILY_PANIC)
    trace_broken(
        r, TRACE_RULE_PANIC_ORDER,
        "a panic on M%u began, looked at a frame or ran a deferred call, but does not go on",
        m->pub.id);
  bool recycles = e->kind == TRACE_DEFER_RECYCLE || e->kind == TRACE_DEFER_SPILL;
  if (m->begin_due && e->kind != TRACE_DEFER_BEGIN && !recycles)
    trace_broken(r, TRACE_RULE_DEFER_CALL, "a deferred call was popped on M%u, but did not begin",
                 m->pub.id);
  m->begin_due = m->begin_due && recycles;
  m->pop_due = m->walk_due = false;
}

/* ---- looking for work ---- */

static void check_search(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  if (m->spin_due && e->kind != TRACE_M_SPINNING_BEGIN)
    trace_broken(r, TRACE_RULE_M_SPIN, "M%u was woken to spin, but does not", m->pub.id);
  if (m->leave_due && e->kind != TRACE_PROC_STOP)
    trace_broken(r, TRACE_RULE_M_SPIN, "M%u stops spinning with its P, but keeps it", m->pub.id);
  m->spin_due = m->leave_due = false;
}

/* ---- all of it ---- */

static void check_pool(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  if (m->alloc_due && e->kind != TRACE_DEFER_PUSH)
    trace_broken(r, TRACE_RULE_DEFER_POOL,
                 "a defer record was made on M%u, but nothing was deferred with it", m->pub.id);
  if (m->recycle_due && e->kind != TRACE_DEFER_RECYCLE && e->kind != TRACE_DEFER_SPILL)
    trace_broken(r, TRACE_RULE_DEFER_POOL,
                 "a pooled record was popped on M%u, but did not go back to the pool", m->pub.id);
  m->alloc_done = m->alloc_due;
  m->recycle_done = m->recycle_due;
  m->alloc_due = false;
  m->recycle_due = m->recycle_due && e->kind == TRACE_DEFER_SPILL;
}

static void check_requests(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  if (m->stop_due && e->kind != TRACE_GO_STOP)
    trace_broken(r, TRACE_RULE_PREEMPT, "the G of M%u obeyed a request to stop, but did not stop",
                 m->pub.id);
  if (m->has_landed)
    trace_broken(r, TRACE_RULE_PREEMPT, "a signal stopped the G of M%u, but it goes on", m->pub.id);
  if (m->asked_slice && e->kind != TRACE_SYSMON_RETAKE)
    trace_broken(r, TRACE_RULE_RETAKE,
                 "M%u asked a G whose time slice is used up, but does not say whose P it preempts",
                 m->pub.id);
  if (m->retake_due != TRACE_NO_P && e->kind != TRACE_PROC_STEAL)
    trace_broken(r, TRACE_RULE_RETAKE, "M%u said that it takes P%u, but did not", m->pub.id,
                 m->retake_due);
  m->has_obeyed = m->stop_due;
  m->stop_due = m->has_landed = false;
  if (e->kind != TRACE_PROC_STEAL)
    m->retake_due = TRACE_NO_P;
}

void trace_check_next(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  enum trace_family family = trace_specs[e->kind].family;
  if (family == TRACE_FAMILY_META || family == TRACE_FAMILY_PREEMPT)
    return;
  check_requests(r, m, e);
  check_hand(r, m, e);
  check_timers(r, m, e);
  check_pool(r, m, e);
  check_defers(r, m, e);
  check_search(r, m, e);
  if (e->g || !stays_in_session(e))
    m->session = TRACE_NO_P;
}
