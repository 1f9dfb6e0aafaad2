/* SPDX-License-Identifier: MIT */
/* trace-replay-defer.c - each G's chain of deferred calls, the calls that run, and its panics.
 *
 * Three stacks a G: defers (pushed, not yet popped), calls (deferred calls that run now) and panics (in
 * progress; a Goexit is one).  frame counts bytes from the top of the stack, so an outer frame is smaller.
 *
 *   return:   pop, begin, end                                  for each of the frame's deferred calls
 *   panic:    panic_begin, walk..., (pop, begin, end)..., then panic_recovered or panic_fatal
 *   nested:   a deferred call panics: panic_begin (depth + 1), panic_nested; recovering the newer at or above
 *             the frame of the older drops the older: panic_aborted.  The call that panicked never ends.
 */
#include "trace-replay-state.h"

#define MAX_DEPTH                                                                                  \
  (1u << 16) /* of any of the three stacks: a hostile trace must not take all memory */

/* What g's deferred calls and panics make it do next. Each of these is told with one look at the clock, or by code of
 * the runtime that nothing can interrupt. */
static const char *undone(const struct rep_g *g, uint16_t kind)
{
  if (g->run_due && kind != TRACE_DEFER_POP)
    return "the deferred call that its walk came to is not popped";
  if (g->recovery_due && kind != TRACE_PANIC_RECOVERED)
    return "the deferred call that recovered has ended, and control does not go back";
  if (g->nested_due && kind != TRACE_PANIC_NESTED)
    return "its panic began within another one, which is not told";
  if (g->aborts_due && kind != TRACE_PANIC_ABORTED)
    return "an older panic was dropped by the recovery, which is not told";
  return g->is_fatal ? "its panic was fatal" : NULL;
}

static void check_undone(struct trace_replay *r, const struct rep_g *g, uint16_t kind)
{
  const char *what = undone(g, kind);
  if (what && trace_judges(r, TRACE_FAMILY_DEFER | TRACE_FAMILY_PANIC))
    trace_broken(r, TRACE_RULE_PANIC_ORDER, "G%u goes on, but %s", g->pub.goid, what);
}

void trace_check_panic_rest(struct trace_replay *r, const struct rep_g *g)
{
  check_undone(r, g, TRACE_KIND_NONE);
}

struct rep_g *trace_defering_g(struct trace_replay *r, enum trace_rule rule)
{
  uint16_t kind = r->event->kind;
  if (r->event->g == 0) {
    trace_broken(r, rule, "only a running G defers and panics, but M%u is on g0", r->event->m);
    return NULL;
  }
  struct rep_g *g = trace_need_g(r, r->event->g, rule);
  if (g && g->has_popped && kind != TRACE_DEFER_BEGIN && trace_judges(r, TRACE_FAMILY_DEFER))
    trace_broken(r, TRACE_RULE_DEFER_CALL, "G%u popped a deferred call, but did not begin it",
                 g->pub.goid);
  if (g)
    check_undone(r, g, kind);
  return g;
}

static uint32_t newest_depth(const struct rep_g *g)
{
  return g->panics.n ? trace_newest_panic(g)->depth : 0;
}

void trace_publish_stacks(struct rep_g *g)
{
  g->pub.defers = g->defers.items;
  g->pub.calls = g->calls.items;
  g->pub.panics = g->panics.items;
  g->pub.n_defers = g->defers.n;
  g->pub.n_calls = g->calls.n;
  g->pub.n_panics = g->panics.n;
}

void *trace_stack_add(struct trace_replay *r, struct trace_array *a, size_t size)
{
  void *item = a->n < MAX_DEPTH ? trace_array_add(a, size) : NULL;
  if (!item)
    trace_broken(r, TRACE_RULE_RECORD, "a G has too many deferred calls or panics to replay");
  return item;
}

/* ---- the pools of records ---- */

static struct rep_p *pool_p(const struct trace_replay *r, const struct rep_m *m)
{
  return m->pub.p == TRACE_NO_P ? NULL : trace_store_find(&r->ps, m->pub.p);
}

/* The P's pool has `now` records by what the event says, and should have `was` and `more`. */
static void set_pool(struct trace_replay *r, const struct rep_m *m, uint32_t now, int64_t more)
{
  struct rep_p *p = pool_p(r, m);
  if (!p)
    return;
  if (p->pool_known && (int64_t)now != p->pub.pool_len + more &&
      trace_judges(r, TRACE_FAMILY_DEFER))
    trace_broken(r, TRACE_RULE_DEFER_POOL,
                 "P%u's pool is said to have %u defer records, but it had %u, and %ld %s",
                 p->pub.id, now, p->pub.pool_len, (long)(more < 0 ? -more : more),
                 more < 0 ? "went" : "came");
  p->pub.pool_len = now;
}

/* A deferred call took a record from the pool, or the one that was made for it. */
static void take_from_pool(struct trace_replay *r, const struct rep_m *m, bool pooled)
{
  struct rep_p *p = pool_p(r, m);
  if (!p || !p->pool_known || !trace_judges(r, TRACE_FAMILY_DEFER))
    return;
  if (pooled && !m->alloc_done && p->pub.pool_len == 0)
    trace_broken(r, TRACE_RULE_DEFER_POOL, "a defer record comes from P%u's pool, which is empty",
                 p->pub.id);
  else if (!pooled && m->alloc_done)
    trace_broken(r, TRACE_RULE_DEFER_POOL, "a defer record was made, but not used");
  else if (pooled && !m->alloc_done)
    p->pub.pool_len--;
}

static void check_pool_empty(struct trace_replay *r, const struct rep_m *m, const char *why)
{
  const struct rep_p *p = pool_p(r, m);
  if (p && p->pool_known && p->pub.pool_len && trace_judges(r, TRACE_FAMILY_DEFER))
    trace_broken(r, TRACE_RULE_DEFER_POOL, "%s, but P%u's pool has %u defer records", why,
                 p->pub.id, p->pub.pool_len);
}

void trace_on_defer_alloc(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  (void)e;
  check_pool_empty(r, m, "a record is made");
  m->alloc_due = trace_judges(r, TRACE_FAMILY_DEFER);
}

void trace_on_defer_recycle(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  if (!m->recycle_done && trace_judges(r, TRACE_FAMILY_DEFER))
    trace_broken(r, TRACE_RULE_DEFER_POOL, "M%u recycles a defer record, but popped none",
                 m->pub.id);
  set_pool(r, m, trace_args_defer_recycle(e).pool_len, 1);
}

void trace_on_defer_refill(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  struct trace_args_defer_refill a = trace_args_defer_refill(e);
  check_pool_empty(r, m, "records come from the central pool");
  set_pool(r, m, a.pool_len, a.n);
}

void trace_on_defer_spill(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  struct trace_args_defer_spill a = trace_args_defer_spill(e);
  set_pool(r, m, a.pool_len, -(int64_t)a.n);
}

/* ---- defer ---- */

static void push_defer(struct trace_replay *r, struct rep_g *g, struct trace_defer d)
{
  struct trace_defer *slot = trace_stack_add(r, &g->defers, sizeof *slot);
  if (slot)
    *slot = d;
  trace_publish_stacks(g);
}

void trace_on_defer_push(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  struct trace_args_defer_push a = trace_args_defer_push(e);
  struct rep_g *g = trace_defering_g(r, TRACE_RULE_DEFER_CHAIN);
  take_from_pool(r, m, a.record == TRACE_DEFERKIND_POOL);
  const struct trace_defer *newest = g ? trace_newest_defer(g) : NULL;
  if (newest && newest->frame > a.frame && trace_judges(r, TRACE_FAMILY_DEFER))
    trace_broken(r, TRACE_RULE_DEFER_CHAIN,
                 "G%u defers in frame %u, but frame %u, which is deeper, has deferred calls left",
                 g->pub.goid, a.frame, newest->frame);
  const struct trace_call *call = g ? trace_innermost_call(g) : NULL;
  if (call && call->frame >= a.frame && trace_judges(r, TRACE_FAMILY_DEFER | TRACE_FAMILY_PANIC))
    trace_broken(r, TRACE_RULE_DEFER_CHAIN,
                 "G%u defers in frame %u, but a deferred call of frame %u, which is deeper, runs",
                 g->pub.goid, a.frame, call->frame);
  if (g)
    push_defer(r, g, (struct trace_defer){ .fn = a.fn, .frame = a.frame, .record = a.record });
}

void trace_on_defer_status(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  (void)m;
  struct trace_args_defer_status a = trace_args_defer_status(e);
  struct rep_g *g = trace_need_g(r, a.subject_g, TRACE_RULE_DEFER_CHAIN);
  if (g)
    push_defer(r, g, (struct trace_defer){ .fn = a.fn, .frame = a.frame, .record = UINT32_MAX });
}

/* A panic says which frame's deferred call it runs, then pops it; a frame that returns pops its own. */
static void check_popper(struct trace_replay *r, struct rep_g *g, uint32_t frame)
{
  if (!trace_judges(r, TRACE_FAMILY_DEFER | TRACE_FAMILY_PANIC))
    return;
  if (trace_in_panic(g) && (!g->run_due || g->run_frame != frame))
    trace_broken(
        r, TRACE_RULE_PANIC_WALK,
        "panic %u of G%u pops a deferred call of frame %u, but its walk did not come to it",
        trace_newest_panic(g)->depth, g->pub.goid, frame);
  g->run_due = false;
}

void trace_on_defer_pop(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  struct trace_args_defer_pop a = trace_args_defer_pop(e);
  struct rep_g *g = trace_defering_g(r, TRACE_RULE_DEFER_CHAIN);
  if (!g)
    return;
  const struct trace_defer *newest = trace_newest_defer(g);
  if (!newest && !r->adopting)
    trace_broken(r, TRACE_RULE_DEFER_CHAIN, "G%u pops a deferred call, but its chain is empty",
                 g->pub.goid);
  else if (newest && (newest->fn != a.fn || newest->frame != a.frame ||
                      (newest->record != a.record && newest->record != UINT32_MAX)))
    trace_broken(r, TRACE_RULE_DEFER_CHAIN,
                 "G%u pops 0x%lx of frame %u, but the newest deferred call is 0x%lx of frame %u",
                 g->pub.goid, (unsigned long)a.fn, a.frame, (unsigned long)newest->fn,
                 newest->frame);
  check_popper(r, g, a.frame);
  if (newest)
    g->defers.n--;
  m->recycle_due = a.record == TRACE_DEFERKIND_POOL && trace_judges(r, TRACE_FAMILY_DEFER);
  g->popped = (struct trace_defer){ .fn = a.fn, .frame = a.frame, .record = a.record };
  g->has_popped = true;
  m->begin_due = trace_judges(r, TRACE_FAMILY_DEFER);
  trace_publish_stacks(g);
}

/* A panic, and Goexit, runs the calls while control is in it; a call that it runs, and who does not panic, returns. */
static void check_because(struct trace_replay *r, const struct rep_g *g, uint32_t because)
{
  const struct trace_panic *panic = trace_newest_panic(g);
  uint32_t must = !trace_in_panic(g) ? TRACE_CAUSE_RETURN
                  : panic->is_goexit ? TRACE_CAUSE_GOEXIT
                                     : TRACE_CAUSE_PANIC;
  if (because != must)
    trace_broken(r, TRACE_RULE_DEFER_CALL,
                 "a deferred call of G%u runs because of %s, but it must be because of %s",
                 g->pub.goid, trace_word_text(TRACE_ARG_CAUSE, because),
                 trace_word_text(TRACE_ARG_CAUSE, must));
}

void trace_on_defer_begin(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  (void)m;
  struct trace_args_defer_begin a = trace_args_defer_begin(e);
  struct rep_g *g = trace_defering_g(r, TRACE_RULE_DEFER_CALL);
  if (!g)
    return;
  if (!g->has_popped && !r->adopting)
    trace_broken(r, TRACE_RULE_DEFER_CALL, "a deferred call of G%u begins, but none was popped",
                 g->pub.goid);
  else if (g->has_popped && (g->popped.fn != a.fn || g->popped.frame != a.frame))
    trace_broken(r, TRACE_RULE_DEFER_CALL,
                 "the deferred call of G%u that begins is not the one that was popped",
                 g->pub.goid);
  if (trace_trusts(r, TRACE_FAMILY_PANIC) && !r->adopting)
    check_because(r, g, a.because);
  const struct trace_call *running = trace_innermost_call(g);
  if (running && running->frame >= a.frame && running->panic_depth == newest_depth(g) &&
      trace_trusts(r, TRACE_FAMILY_PANIC))
    trace_broken(r, TRACE_RULE_DEFER_CALL,
                 "a deferred call of G%u's frame %u begins, but that of frame %u has not ended",
                 g->pub.goid, a.frame, running->frame);
  g->has_popped = false;
  struct trace_call *call = trace_stack_add(r, &g->calls, sizeof *call);
  if (call)
    *call = (struct trace_call){ a.fn, a.frame, a.because, newest_depth(g) };
  trace_publish_stacks(g);
}

/* Where panics are not told, calls that they cut off are seen where a call of an outer frame ends. */
static void drop_calls_above(struct rep_g *g, uint32_t frame)
{
  while (g->calls.n && trace_innermost_call(g)->frame > frame)
    g->calls.n--;
}

/* A frame that returns runs all its deferred calls without doing anything else in between, and so does a panic. */
static void goes_on_at_once(struct trace_replay *r, struct rep_m *m, const struct rep_g *g,
                            const struct trace_args_defer_end *a)
{
  const struct trace_defer *newest = trace_newest_defer(g);
  bool returns = a->because == TRACE_CAUSE_RETURN;
  if (!trace_judges(r, TRACE_FAMILY_DEFER | TRACE_FAMILY_PANIC))
    return;
  m->pop_due = returns && newest && newest->frame == a->frame;
  m->walk_due = !returns;
}

void trace_on_defer_end(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  struct trace_args_defer_end a = trace_args_defer_end(e);
  struct rep_g *g = trace_defering_g(r, TRACE_RULE_DEFER_CALL);
  if (!g)
    return;
  if (!trace_trusts(r, TRACE_FAMILY_PANIC))
    drop_calls_above(g, a.frame);
  const struct trace_call *call = trace_innermost_call(g);
  if (!call && !r->adopting)
    trace_broken(r, TRACE_RULE_DEFER_CALL, "a deferred call of G%u ends, but none runs",
                 g->pub.goid);
  else if (call && (call->frame != a.frame || call->because != a.because))
    trace_broken(r, TRACE_RULE_DEFER_CALL,
                 "a deferred call of G%u's frame %u ends, but that of frame %u runs", g->pub.goid,
                 a.frame, call->frame);
  else if (call && call->panic_depth != newest_depth(g) &&
           trace_judges(r, TRACE_FAMILY_DEFER | TRACE_FAMILY_PANIC))
    trace_broken(r, TRACE_RULE_DEFER_CALL,
                 "a deferred call of G%u ends, but a panic that began in it is in progress",
                 g->pub.goid);
  if (call)
    g->calls.n--;
  const struct trace_panic *panic = trace_newest_panic(g);
  if (call && panic && panic->recovered && panic->depth == call->panic_depth &&
      call->because == TRACE_CAUSE_PANIC) {
    g->recovery_due = true;
    g->recovery_frame = a.frame;
  }
  goes_on_at_once(r, m, g, &a);
  trace_publish_stacks(g);
}

/* A demonstrated fault strikes: what it breaks is told as its doing, and the chain is as it left it. */
void trace_on_fault(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  (void)m;
  struct trace_args_fault a = trace_args_fault(e);
  if (a.lost_defers == 0)
    return;
  struct rep_g *g = trace_need_g(r, a.struck_g, TRACE_RULE_DEFER_CHAIN);
  bool broke_before = r->broke;
  if (!g)
    return;
  if (a.lost_defers > g->defers.n && !r->adopting && trace_trusts(r, TRACE_FAMILY_DEFER)) {
    trace_broken(r, TRACE_RULE_DEFER_CHAIN, "G%u loses %u deferred calls, but its chain has %u",
                 g->pub.goid, a.lost_defers, g->defers.n);
  } else {
    trace_broken(r, TRACE_RULE_DEFER_CHAIN, "G%u loses its %u newest deferred call%s", g->pub.goid,
                 a.lost_defers, a.lost_defers == 1 ? "" : "s");
    r->breach.by_fault = !broke_before && r->broke;
  }
  g->defers.n -= a.lost_defers < g->defers.n ? a.lost_defers : g->defers.n;
  trace_publish_stacks(g);
}
