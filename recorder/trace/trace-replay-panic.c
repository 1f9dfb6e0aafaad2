/* SPDX-License-Identifier: MIT */
/* trace-replay-panic.c - each G's panics: how they begin, walk, and end.
 *
 * panics has those in progress, newest last (a Goexit is one); calls has the deferred calls that run. Control is
 * either in the newest panic itself (trace_in_panic), which walks outwards, pops the next deferred call and runs it; or
 * in a call that it runs, which may do what any function may. A panic ends in one of three ways only:
 *
 *   a call that it ran called recover, and ended: panic_recovered at once, to the frame of that call;
 *                                                 panic_aborted for each older one that began at or below that frame
 *   no deferred call is left:                     panic_fatal, and the program ends with code 2
 *   a newer one that began in one of its calls is recovered, or a Goexit there ends: panic_aborted
 *
 * What must come next is kept in the G (run_due, recovery_due, ...), and checked where the G speaks next.
 */
#include "trace-replay-state.h"

static uint32_t newest_depth(const struct rep_g *g)
{
  return g->panics.n ? trace_newest_panic(g)->depth : 0;
}

static bool judges(const struct trace_replay *r)
{
  return trace_judges(r, TRACE_FAMILY_DEFER | TRACE_FAMILY_PANIC);
}

/* A panic begins in running code, which is deeper than what has deferred calls, and than the call that runs. */
static void check_beginning(struct trace_replay *r, struct rep_g *g,
                            const struct trace_panic *panic)
{
  const struct trace_defer *defer = trace_newest_defer(g);
  const struct trace_call *call = trace_innermost_call(g);
  const char *wrong = trace_in_panic(g)                      ? "its last one goes on walking"
                      : defer && panic->frame < defer->frame ? "a deeper frame has deferred calls"
                      : call && panic->frame <= call->frame  ? "a deeper deferred call runs"
                                                             : NULL;
  if (wrong)
    trace_broken(r, TRACE_RULE_PANIC_ORDER, "G%u begins to panic in frame %u, but %s", g->pub.goid,
                 panic->frame, wrong);
  g->nested_due = g->panics.n && !panic->is_goexit;
}

static void begin_panic(struct trace_replay *r, struct rep_m *m, struct trace_panic panic)
{
  struct rep_g *g = trace_defering_g(r, TRACE_RULE_PANIC_DEPTH);
  if (!g)
    return;
  m->walk_due = judges(r);
  if (judges(r))
    check_beginning(r, g, &panic);
  if (panic.depth != newest_depth(g) + 1 && !r->adopting)
    trace_broken(r, TRACE_RULE_PANIC_DEPTH, "G%u begins panic %u, but %u are in progress",
                 g->pub.goid, panic.depth, newest_depth(g));
  struct trace_panic *slot = trace_stack_add(r, &g->panics, sizeof *slot);
  panic.walked_to = panic.frame;
  if (slot)
    *slot = panic;
  trace_publish_stacks(g);
}

void trace_on_panic_begin(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  struct trace_args_panic_begin a = trace_args_panic_begin(e);
  begin_panic(r, m, (struct trace_panic){ .depth = a.depth, .value = a.value, .frame = a.frame });
}

void trace_on_goexit_begin(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  struct trace_args_goexit_begin a = trace_args_goexit_begin(e);
  begin_panic(r, m, (struct trace_panic){ .depth = a.depth, .frame = a.frame, .is_goexit = true });
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
  *g = trace_defering_g(r, TRACE_RULE_PANIC_DEPTH);
  if (!*g)
    return NULL;
  if (depth != newest_depth(*g) && !r->adopting)
    trace_broken(r, TRACE_RULE_PANIC_DEPTH, "G%u speaks of panic %u, but its newest is %u",
                 (*g)->pub.goid, depth, newest_depth(*g));
  struct trace_panic *panic = find_panic(*g, depth);
  return panic ? panic : trace_newest_panic(*g);
}

static void drop_panic(struct rep_g *g, const struct trace_panic *panic)
{
  struct trace_panic *panics = g->panics.items;
  uint32_t i = (uint32_t)(panic - panics);
  memmove(&panics[i], &panics[i + 1], (--g->panics.n - i) * sizeof *panics);
  trace_publish_stacks(g);
}

/* NULL, or why the walk cannot look there. From where it began, or ran a call, it may tell each frame without deferred
 * calls (the first is that one), then the frame of the next deferred call, unless it is there already; at last it
 * tells that it runs it. How many frames without deferred calls there are only the stack knows. */
static const char *wrong_step(const struct rep_g *g, const struct trace_panic *panic,
                              const struct trace_args_panic_walk *a)
{
  const struct trace_defer *next = trace_newest_defer(g);
  bool goes_on = panic->walked == TRACE_WALK_SKIPPED + 1; /* else the first step since */
  if (!trace_in_panic(g))
    return "a deferred call that it runs has not ended";
  if (a->step == TRACE_WALK_RUN && (!next || a->frame != next->frame))
    return "that has no deferred call";
  if (a->step == TRACE_WALK_RUN)
    return a->frame == panic->walked_to && !goes_on ? NULL : "it did not come to it";
  if (goes_on && a->frame >= panic->walked_to)
    return "it looked at that before";
  if (a->step == TRACE_WALK_FRAME) {
    if (!goes_on)
      return "it was there already";
    return next && a->frame == next->frame ? NULL : "that has no deferred call";
  }
  if (panic->walked == TRACE_WALK_FRAME + 1)
    return "the last one has a deferred call";
  if (!goes_on && a->frame != panic->walked_to)
    return "it was at another one";
  return next && a->frame <= next->frame ? "there is a deferred call before" : NULL;
}

void trace_on_panic_walk(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  struct trace_args_panic_walk a = trace_args_panic_walk(e);
  struct rep_g *g;
  struct trace_panic *panic = this_panic(r, &g, a.depth);
  if (!panic)
    return;
  const char *wrong = judges(r) ? wrong_step(g, panic, &a) : NULL;
  if (wrong)
    trace_broken(r, TRACE_RULE_PANIC_WALK, "panic %u of G%u looks at frame %u (%s), but %s",
                 a.depth, g->pub.goid, a.frame, trace_word_text(TRACE_ARG_WALK, a.step), wrong);
  if (a.frame > panic->walked_to)
    trace_broken(r, TRACE_RULE_PANIC_WALK,
                 "panic %u of G%u looks at frame %u, which is deeper than frame %u", a.depth,
                 g->pub.goid, a.frame, panic->walked_to);
  panic->walked_to = a.frame;
  panic->walked = (uint8_t)(a.step + 1);
  g->run_due = a.step == TRACE_WALK_RUN && judges(r);
  m->walk_due = a.step != TRACE_WALK_RUN && judges(r);
  g->run_frame = a.frame;
}

/* NULL, or why this verdict cannot be. */
static const char *wrong_verdict(const struct rep_g *g, uint32_t verdict, bool calls_are_told)
{
  const struct trace_panic *panic = trace_newest_panic(g);
  const struct trace_call *call = trace_innermost_call(g);
  switch (verdict) {
  case TRACE_VERDICT_VALID:
    if (!panic)
      return "there is no panic";
    if (panic->is_goexit)
      return "Goexit cannot be recovered";
    if (panic->recovered)
      return "it is recovered already";
    if (!calls_are_told)
      return NULL;
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
    return panic && !panic->is_goexit && !panic->recovered ? NULL : "there is no such panic";
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
  const char *wrong = wrong_verdict(g, a.verdict, trace_trusts(r, TRACE_FAMILY_DEFER));
  if (wrong && !r->adopting)
    trace_broken(r, TRACE_RULE_RECOVER, "G%u calls recover, which is said to find \"%s\", but %s",
                 g->pub.goid, trace_word_text(TRACE_ARG_VERDICT, a.verdict), wrong);
  if (!panic || a.verdict != TRACE_VERDICT_VALID)
    return;
  const struct trace_call *call = trace_innermost_call(g);
  panic->recovered = true;
  panic->recovered_by = call ? call->fn : 0;
}

/* How many older panics a return to the frame drops: those that began in it, or deeper, up to a Goexit. */
static uint32_t count_dropped(const struct rep_g *g, uint32_t frame)
{
  const struct trace_panic *panics = g->panics.items;
  uint32_t n = 0;
  while (n < g->panics.n && !panics[g->panics.n - 1 - n].is_goexit &&
         frame <= panics[g->panics.n - 1 - n].frame)
    n++;
  return n;
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
  const struct trace_call *call = trace_innermost_call(g);
  if (call && call->because == TRACE_CAUSE_PANIC && call->panic_depth == a.depth)
    trace_broken(
        r, TRACE_RULE_DEFER_CALL,
        "control of G%u returns to frame %u, but the deferred call that recovered has not ended",
        g->pub.goid, a.frame);
  else if ((!g->recovery_due || g->recovery_frame != a.frame) && judges(r))
    trace_broken(r, TRACE_RULE_RECOVERED,
                 "control of G%u returns to frame %u, but no deferred call of it recovered",
                 g->pub.goid, a.frame);
  g->recovery_due = false;
  /* Control is in `frame` again: deferred calls of it and of deeper frames are no more on the stack. */
  while (g->calls.n && trace_innermost_call(g)->frame >= a.frame)
    g->calls.n--;
  if (panic)
    drop_panic(g, panic);
  if (judges(r)) {
    g->aborts_due = count_dropped(g, a.frame);
    g->aborted_by = a.depth;
  }
  trace_publish_stacks(g);
}

void trace_on_panic_nested(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  struct trace_args_panic_nested a = trace_args_panic_nested(e);
  struct rep_g *g;
  struct trace_panic *panic = this_panic(r, &g, a.depth);
  if (!panic)
    return;
  if ((a.supersedes >= a.depth || !find_panic(g, a.supersedes)) && !r->adopting)
    trace_broken(r, TRACE_RULE_PANIC_DEPTH,
                 "panic %u of G%u supersedes panic %u, which is not in progress", a.depth,
                 g->pub.goid, a.supersedes);
  else if ((!g->nested_due || a.supersedes != a.depth - 1) && judges(r))
    trace_broken(r, TRACE_RULE_PANIC_DEPTH,
                 "panic %u of G%u supersedes panic %u, but it did not just begin in that", a.depth,
                 g->pub.goid, a.supersedes);
  g->nested_due = false;
  m->walk_due = judges(r);
  panic->supersedes = a.supersedes;
}

static bool may_drop(const struct rep_g *g, const struct trace_args_panic_aborted *a)
{
  const struct trace_panic *newest = trace_newest_panic(g);
  if (g->aborts_due)
    return a->by_depth == g->aborted_by && a->depth == newest->depth;
  return newest->is_goexit && a->by_depth == newest->depth && trace_in_panic(g);
}

void trace_on_panic_aborted(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  (void)m;
  struct trace_args_panic_aborted a = trace_args_panic_aborted(e);
  struct rep_g *g = trace_defering_g(r, TRACE_RULE_PANIC_DEPTH);
  if (!g)
    return;
  const struct trace_panic *panic = find_panic(g, a.depth);
  if ((!panic || a.by_depth <= a.depth) && !r->adopting)
    trace_broken(r, TRACE_RULE_PANIC_DEPTH,
                 "panic %u of G%u is dropped by panic %u, but it is not older and "
                 "in progress",
                 a.depth, g->pub.goid, a.by_depth);
  else if (judges(r) && !may_drop(g, &a))
    trace_broken(
        r, TRACE_RULE_PANIC_DEPTH,
        "panic %u of G%u is dropped by panic %u, which neither was recovered above it nor is a "
        "Goexit at its end",
        a.depth, g->pub.goid, a.by_depth);
  g->aborts_due -= g->aborts_due > 0;
  if (panic)
    drop_panic(g, panic);
}

/* Behind its last deferred call a panic looks at least at the frame where it is. */
static bool walked_off(const struct trace_panic *panic)
{
  return panic->walked == TRACE_WALK_SKIPPED + 1;
}

void trace_on_panic_fatal(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  (void)m;
  struct trace_args_panic_fatal a = trace_args_panic_fatal(e);
  struct rep_g *g;
  const struct trace_panic *panic = this_panic(r, &g, a.depth);
  if (!panic || !judges(r))
    return;
  const char *wrong = !trace_in_panic(g)        ? "a deferred call that it runs has not ended"
                      : panic->is_goexit        ? "it is a Goexit"
                      : panic->recovered        ? "it was recovered"
                      : g->defers.n             ? "there are deferred calls left"
                      : panic->value != a.value ? "it began with another value"
                      : !walked_off(panic)      ? "it did not look at the frames that are left"
                                                : NULL;
  if (wrong)
    trace_broken(r, TRACE_RULE_PANIC_ORDER, "panic %u of G%u is fatal, but %s", a.depth,
                 g->pub.goid, wrong);
  g->is_fatal = true;
}

/* A deferred call may call exit; a panic between its calls ends the program in one way only. */
void trace_check_panic_end(struct trace_replay *r, const struct rep_m *m, uint32_t exit_code)
{
  const struct rep_g *g = m->pub.g ? trace_store_find(&r->gs, m->pub.g) : NULL;
  if (!g || !trace_in_panic(g) || !judges(r))
    return;
  if (!g->is_fatal)
    trace_broken(r, TRACE_RULE_PANIC_ORDER,
                 "the program ends with exit code %u in a panic of G%u that was not fatal",
                 exit_code, g->pub.goid);
  else if (exit_code != 2)
    trace_broken(r, TRACE_RULE_PANIC_ORDER,
                 "a panic of G%u is fatal, but the program ends with exit code %u", g->pub.goid,
                 exit_code);
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
  else if ((!trace_in_panic(g) || g->defers.n || g->panics.n != 1 || !walked_off(panic)) &&
           judges(r))
    trace_broken(r, TRACE_RULE_PANIC_ORDER,
                 "Goexit of G%u ends with %u deferred calls and %u older panics left", g->pub.goid,
                 g->defers.n, g->panics.n - 1);
  g->calls.n = 0; /* whatever called Goexit never returns */
  drop_panic(g, panic);
}
