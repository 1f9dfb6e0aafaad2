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

static struct rep_g *running_g(struct trace_replay *r, enum trace_rule rule)
{
  if (r->event->g == 0) {
    trace_broken(r, rule, "only a running G defers and panics, but M%u is on g0", r->event->m);
    return NULL;
  }
  return trace_need_g(r, r->event->g, rule);
}

static struct trace_defer *newest_defer(const struct rep_g *g)
{
  return g->defers.n ? (struct trace_defer *)g->defers.items + g->defers.n - 1 : NULL;
}

static struct trace_call *innermost_call(const struct rep_g *g)
{
  return g->calls.n ? (struct trace_call *)g->calls.items + g->calls.n - 1 : NULL;
}

static struct trace_panic *newest_panic(const struct rep_g *g)
{
  return g->panics.n ? (struct trace_panic *)g->panics.items + g->panics.n - 1 : NULL;
}

static uint32_t newest_depth(const struct rep_g *g)
{
  return g->panics.n ? newest_panic(g)->depth : 0;
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

static void *add(struct trace_replay *r, struct trace_array *a, size_t size)
{
  void *item = a->n < MAX_DEPTH ? trace_array_add(a, size) : NULL;
  if (!item)
    trace_broken(r, TRACE_RULE_RECORD, "a G has too many deferred calls or panics to replay");
  return item;
}

/* ---- defer ---- */

static void push_defer(struct trace_replay *r, struct rep_g *g, struct trace_defer d)
{
  struct trace_defer *slot = add(r, &g->defers, sizeof *slot);
  if (slot)
    *slot = d;
  trace_publish_stacks(g);
}

void trace_on_defer_push(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  (void)m;
  struct trace_args_defer_push a = trace_args_defer_push(e);
  struct rep_g *g = running_g(r, TRACE_RULE_DEFER_CHAIN);
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

void trace_on_defer_pop(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  (void)m;
  struct trace_args_defer_pop a = trace_args_defer_pop(e);
  struct rep_g *g = running_g(r, TRACE_RULE_DEFER_CHAIN);
  if (!g)
    return;
  const struct trace_defer *newest = newest_defer(g);
  if (!newest && !r->adopting)
    trace_broken(r, TRACE_RULE_DEFER_CHAIN, "G%u pops a deferred call, but its chain is empty",
                 g->pub.goid);
  else if (newest && (newest->fn != a.fn || newest->frame != a.frame ||
                      (newest->record != a.record && newest->record != UINT32_MAX)))
    trace_broken(r, TRACE_RULE_DEFER_CHAIN,
                 "G%u pops 0x%lx of frame %u, but the newest deferred call is 0x%lx of frame %u",
                 g->pub.goid, (unsigned long)a.fn, a.frame, (unsigned long)newest->fn,
                 newest->frame);
  if (newest)
    g->defers.n--;
  g->popped = (struct trace_defer){ .fn = a.fn, .frame = a.frame, .record = a.record };
  g->has_popped = true;
  trace_publish_stacks(g);
}

void trace_on_defer_begin(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  (void)m;
  struct trace_args_defer_begin a = trace_args_defer_begin(e);
  struct rep_g *g = running_g(r, TRACE_RULE_DEFER_CALL);
  if (!g)
    return;
  if (!g->has_popped && !r->adopting)
    trace_broken(r, TRACE_RULE_DEFER_CALL, "a deferred call of G%u begins, but none was popped",
                 g->pub.goid);
  else if (g->has_popped && (g->popped.fn != a.fn || g->popped.frame != a.frame))
    trace_broken(r, TRACE_RULE_DEFER_CALL,
                 "the deferred call of G%u that begins is not the one that was popped",
                 g->pub.goid);
  const struct trace_panic *panic = newest_panic(g);
  bool because_ok = a.because == TRACE_CAUSE_RETURN ||
                    (panic && panic->is_goexit == (a.because == TRACE_CAUSE_GOEXIT));
  if (!because_ok && trace_trusts(r, TRACE_FAMILY_PANIC) && !r->adopting)
    trace_broken(r, TRACE_RULE_DEFER_CALL,
                 "a deferred call of G%u runs because of %s, but there is none", g->pub.goid,
                 trace_word_text(TRACE_ARG_CAUSE, a.because));
  const struct trace_call *running = innermost_call(g);
  if (running && running->frame >= a.frame && running->panic_depth == newest_depth(g))
    trace_broken(r, TRACE_RULE_DEFER_CALL,
                 "a deferred call of G%u's frame %u begins, but that of frame %u has not ended",
                 g->pub.goid, a.frame, running->frame);
  g->has_popped = false;
  struct trace_call *call = add(r, &g->calls, sizeof *call);
  if (call)
    *call = (struct trace_call){ a.fn, a.frame, a.because, newest_depth(g) };
  trace_publish_stacks(g);
}

void trace_on_defer_end(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  (void)m;
  struct trace_args_defer_end a = trace_args_defer_end(e);
  struct rep_g *g = running_g(r, TRACE_RULE_DEFER_CALL);
  if (!g)
    return;
  const struct trace_call *call = innermost_call(g);
  if (!call && !r->adopting)
    trace_broken(r, TRACE_RULE_DEFER_CALL, "a deferred call of G%u ends, but none runs",
                 g->pub.goid);
  else if (call && (call->frame != a.frame || call->because != a.because))
    trace_broken(r, TRACE_RULE_DEFER_CALL,
                 "a deferred call of G%u's frame %u ends, but that of frame %u runs", g->pub.goid,
                 a.frame, call->frame);
  if (call)
    g->calls.n--;
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

static void set_pool(struct trace_replay *r, const struct rep_m *m, uint32_t pool_len)
{
  struct rep_p *p = m->pub.p == TRACE_NO_P ? NULL : trace_store_find(&r->ps, m->pub.p);
  if (p)
    p->pub.pool_len = pool_len;
}

void trace_on_defer_recycle(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  set_pool(r, m, trace_args_defer_recycle(e).pool_len);
}

void trace_on_defer_refill(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  set_pool(r, m, trace_args_defer_refill(e).pool_len);
}

void trace_on_defer_spill(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  set_pool(r, m, trace_args_defer_spill(e).pool_len);
}

/* ---- panic ---- */

static void begin_panic(struct trace_replay *r, struct trace_panic panic)
{
  struct rep_g *g = running_g(r, TRACE_RULE_PANIC_DEPTH);
  if (!g)
    return;
  if (panic.depth != newest_depth(g) + 1 && !r->adopting)
    trace_broken(r, TRACE_RULE_PANIC_DEPTH, "G%u begins panic %u, but %u are in progress",
                 g->pub.goid, panic.depth, newest_depth(g));
  struct trace_panic *slot = add(r, &g->panics, sizeof *slot);
  panic.walked_to = panic.frame;
  if (slot)
    *slot = panic;
  trace_publish_stacks(g);
}

void trace_on_panic_begin(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  (void)m;
  struct trace_args_panic_begin a = trace_args_panic_begin(e);
  begin_panic(r, (struct trace_panic){ .depth = a.depth, .value = a.value, .frame = a.frame });
}

void trace_on_goexit_begin(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  (void)m;
  struct trace_args_goexit_begin a = trace_args_goexit_begin(e);
  begin_panic(r, (struct trace_panic){ .depth = a.depth, .frame = a.frame, .is_goexit = true });
}

static struct trace_panic *find_panic(const struct rep_g *g, uint32_t depth)
{
  struct trace_panic *panics = g->panics.items;
  for (uint32_t i = g->panics.n; i-- > 0;) {
    if (panics[i].depth == depth)
      return &panics[i];
  }
  return NULL;
}

/* The newest panic of the running G, which must have this depth. NULL: there is none. */
static struct trace_panic *this_panic(struct trace_replay *r, struct rep_g **g, uint32_t depth)
{
  *g = running_g(r, TRACE_RULE_PANIC_DEPTH);
  if (!*g)
    return NULL;
  if (depth != newest_depth(*g) && !r->adopting)
    trace_broken(r, TRACE_RULE_PANIC_DEPTH, "G%u speaks of panic %u, but its newest is %u",
                 (*g)->pub.goid, depth, newest_depth(*g));
  struct trace_panic *panic = find_panic(*g, depth);
  return panic ? panic : newest_panic(*g);
}

static void drop_panic(struct rep_g *g, const struct trace_panic *panic)
{
  struct trace_panic *panics = g->panics.items;
  uint32_t i = (uint32_t)(panic - panics);
  memmove(&panics[i], &panics[i + 1], (--g->panics.n - i) * sizeof *panics);
  trace_publish_stacks(g);
}

void trace_on_panic_walk(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  (void)m;
  struct trace_args_panic_walk a = trace_args_panic_walk(e);
  struct rep_g *g;
  struct trace_panic *panic = this_panic(r, &g, a.depth);
  if (!panic)
    return;
  if (a.frame > panic->walked_to)
    trace_broken(r, TRACE_RULE_PANIC_WALK,
                 "panic %u of G%u looks at frame %u, which is deeper than frame %u", a.depth,
                 g->pub.goid, a.frame, panic->walked_to);
  panic->walked_to = a.frame;
}

/* NULL, or why this verdict cannot be. */
static const char *wrong_verdict(const struct rep_g *g, uint32_t verdict)
{
  const struct trace_panic *panic = newest_panic(g);
  const struct trace_call *call = innermost_call(g);
  switch (verdict) {
  case TRACE_VERDICT_VALID:
    if (!panic)
      return "there is no panic";
    if (panic->is_goexit)
      return "Goexit cannot be recovered";
    if (panic->recovered)
      return "it is recovered already";
    if (!call || call->because != TRACE_CAUSE_PANIC || call->panic_depth != panic->depth)
      return "no deferred call run by it is the innermost";
    return NULL;
  case TRACE_VERDICT_NO_PANIC:
    return panic ? "there is a panic" : NULL;
  case TRACE_VERDICT_ALREADY:
    return panic && panic->recovered ? NULL : "no panic is recovered";
  case TRACE_VERDICT_GOEXIT:
    return panic && panic->is_goexit ? NULL : "there is no Goexit";
  default:
    return NULL;
  }
}

void trace_on_panic_recover_call(struct trace_replay *r, struct rep_m *m,
                                 const struct trace_event *e)
{
  (void)m;
  struct trace_args_panic_recover_call a = trace_args_panic_recover_call(e);
  struct rep_g *g;
  struct trace_panic *panic = this_panic(r, &g, a.depth);
  if (!g)
    return;
  const char *wrong = wrong_verdict(g, a.verdict);
  if (wrong && !r->adopting)
    trace_broken(r, TRACE_RULE_RECOVER, "G%u calls recover, which is said to find \"%s\", but %s",
                 g->pub.goid, trace_word_text(TRACE_ARG_VERDICT, a.verdict), wrong);
  if (panic && a.verdict == TRACE_VERDICT_VALID)
    panic->recovered = true;
}

void trace_on_panic_recovered(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  (void)m;
  struct trace_args_panic_recovered a = trace_args_panic_recovered(e);
  struct rep_g *g;
  struct trace_panic *panic = this_panic(r, &g, a.depth);
  if (!g)
    return;
  if ((!panic || !panic->recovered) && !r->adopting)
    trace_broken(r, TRACE_RULE_RECOVERED,
                 "control of G%u returns to frame %u, but no recover counted", g->pub.goid,
                 a.frame);
  const struct trace_call *call = innermost_call(g);
  if (call && call->because == TRACE_CAUSE_PANIC && call->panic_depth == a.depth)
    trace_broken(
        r, TRACE_RULE_DEFER_CALL,
        "control of G%u returns to frame %u, but the deferred call that recovered has not ended",
        g->pub.goid, a.frame);
  /* Control is in `frame` again: deferred calls of it and of deeper frames are no more on the stack. */
  while (g->calls.n && innermost_call(g)->frame >= a.frame)
    g->calls.n--;
  if (panic)
    drop_panic(g, panic);
  trace_publish_stacks(g);
}

void trace_on_panic_nested(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  (void)m;
  struct trace_args_panic_nested a = trace_args_panic_nested(e);
  struct rep_g *g;
  struct trace_panic *panic = this_panic(r, &g, a.depth);
  if (!panic)
    return;
  if ((a.supersedes >= a.depth || !find_panic(g, a.supersedes)) && !r->adopting)
    trace_broken(r, TRACE_RULE_PANIC_DEPTH,
                 "panic %u of G%u supersedes panic %u, which is not in progress", a.depth,
                 g->pub.goid, a.supersedes);
  panic->supersedes = a.supersedes;
}

void trace_on_panic_aborted(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  (void)m;
  struct trace_args_panic_aborted a = trace_args_panic_aborted(e);
  struct rep_g *g = running_g(r, TRACE_RULE_PANIC_DEPTH);
  if (!g)
    return;
  const struct trace_panic *panic = find_panic(g, a.depth);
  if ((!panic || a.by_depth <= a.depth) && !r->adopting)
    trace_broken(r, TRACE_RULE_PANIC_DEPTH,
                 "panic %u of G%u is dropped by panic %u, but it is not older and "
                 "in progress",
                 a.depth, g->pub.goid, a.by_depth);
  if (panic)
    drop_panic(g, panic);
}

void trace_on_panic_fatal(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  (void)m;
  struct rep_g *g;
  this_panic(r, &g, trace_args_panic_fatal(e).depth);
}

void trace_on_goexit_end(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  (void)m;
  struct trace_args_goexit_end a = trace_args_goexit_end(e);
  struct rep_g *g;
  struct trace_panic *panic = this_panic(r, &g, a.depth);
  if (!panic)
    return;
  if (!panic->is_goexit)
    trace_broken(r, TRACE_RULE_PANIC_DEPTH, "Goexit of G%u ends, but its newest is a panic",
                 g->pub.goid);
  g->calls.n = 0; /* whatever called Goexit never returns */
  drop_panic(g, panic);
}
