/* SPDX-License-Identifier: MIT */
/* trace-replay-stw.c - stopping the world, and what is done while it stands.
 *
 * One M stops it, keeps its P and its G, and starts it again. While it stands no other M has a P, so what is told of Gs
 * then must agree with their states to the letter; one exception is in is_seen_as.
 */
#include "trace-replay-state.h"

void trace_check_may_leave(struct trace_replay *r, const struct rep_m *m)
{
  if (r->world.stopped && r->world.stopper == m->pub.id && r->world.stop_why != TRACE_STWWHY_EXIT &&
      trace_judges(r, TRACE_FAMILY_SCHED | TRACE_FAMILY_STW))
    trace_broken(r, TRACE_RULE_STW,
                 "M%u goes on (%s), but it stopped the world and did not start it", m->pub.id,
                 trace_specs[r->event->kind].name);
}

static void check_stopper(struct trace_replay *r, const struct rep_m *m)
{
  if (r->world.stopper != m->pub.id && trace_judges(r, TRACE_FAMILY_SCHED | TRACE_FAMILY_STW))
    trace_broken(r, TRACE_RULE_STW, "M%u speaks for the world, but M%u stops it", m->pub.id,
                 r->world.stopper);
}

void trace_on_stw_begin(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  struct trace_args_stw_begin a = trace_args_stw_begin(e);
  if (r->world.stopping || r->world.stopped)
    trace_broken(r, TRACE_RULE_STW, "M%u begins to stop the world, but it is stopp%s already",
                 m->pub.id, r->world.stopped ? "ed" : "ing");
  r->world.stopping = true;
  r->world.stopped = false;
  r->world.stopper = m->pub.id;
  r->world.stop_why = a.why;
  r->world.stop_reason = a.reason;
  r->n_stops++;
  r->n_scanned = 0;
}

void trace_on_stw_stopped(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  (void)e;
  char phrase[TRACE_PHRASE];
  check_stopper(r, m);
  if (!r->world.stopping && !r->adopting)
    trace_broken(r, TRACE_RULE_STW, "the world is stopped, but nobody began to stop it");
  for (uint32_t i = 0; i < r->ps.n_slots; i++) {
    const struct rep_p *p = trace_store_at(&r->ps, i);
    if (p && !p->wild && p->pub.status != TRACE_PSTATUS_GCSTOP &&
        p->pub.status != TRACE_PSTATUS_DEAD)
      trace_broken(r, TRACE_RULE_STW, "the world is said to be stopped, but P%u is %s", p->pub.id,
                   trace_p_phrase(p, phrase));
  }
  r->world.stopping = false;
  r->world.stopped = true;
}

void trace_on_stw_end(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  (void)e;
  check_stopper(r, m);
  if (r->world.stopped && r->world.stop_why == TRACE_STWWHY_GC && r->n_scanned != r->world.n_gs &&
      trace_judges(r, TRACE_FAMILY_SCHED | TRACE_FAMILY_STW))
    trace_broken(r, TRACE_RULE_STW, "the stacks of %u Gs were visited, but there are %u",
                 r->n_scanned, r->world.n_gs);
  if (!r->world.stopped && !r->adopting)
    trace_broken(r, TRACE_RULE_STW, "the world is started, but it was not stopped");
  for (uint32_t i = 0; i < r->ps.n_slots; i++) {
    const struct rep_p *p = trace_store_at(&r->ps, i);
    if (p && p->pub.status == TRACE_PSTATUS_GCSTOP && !r->adopting)
      trace_broken(r, TRACE_RULE_STW, "the world is started, but P%u is still stopped", p->pub.id);
  }
  r->world.stopping = r->world.stopped = false;
  r->world.stopper = TRACE_NO_M;
  r->world.stop_why = r->world.stop_reason = 0;
}

/* Only an M without a P can be in the middle of a change: of a G that comes back from a system call (it is running
 * before it says that it came back, and after, until it is queued), or of one that netpoll found, told before it is
 * done. */
static bool is_seen_as(const struct rep_g *g, uint32_t status)
{
  if (status == g->pub.status)
    return true;
  if (g->pub.status == TRACE_GSTATUS_SYSCALL)
    return status == TRACE_GSTATUS_RUNNING;
  if (g->pub.status != TRACE_GSTATUS_RUNNABLE || !g->without_p)
    return false; /* the stamp comes after the look, so it may even have been in its call still */
  return status == g->before ||
         (status == TRACE_GSTATUS_SYSCALL && g->before == TRACE_GSTATUS_RUNNING);
}

void trace_on_stack_scan(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  struct trace_args_stack_scan a = trace_args_stack_scan(e);
  char phrase[TRACE_PHRASE];
  struct rep_g *g = trace_need_g(r, a.subject_g, TRACE_RULE_STW);
  if (!g || !trace_judges(r, TRACE_FAMILY_SCHED | TRACE_FAMILY_STW))
    return;
  check_stopper(r, m);
  const struct rep_p *p = m->pub.p == TRACE_NO_P ? NULL : trace_store_find(&r->ps, m->pub.p);
  if (!r->world.stopped || !p || p->pub.status != TRACE_PSTATUS_GCSTOP)
    trace_broken(r, TRACE_RULE_STW, "the stack of G%u is visited, but the world is not stopped",
                 a.subject_g);
  else if (r->world.stop_why != TRACE_STWWHY_GC && r->world.stop_why != TRACE_STWWHY_USER)
    trace_broken(r, TRACE_RULE_STW,
                 "the stack of G%u is visited, but the world stopped for another reason",
                 a.subject_g);
  else if (g->scan_no == r->n_stops && r->world.stop_why == TRACE_STWWHY_GC)
    trace_broken(r, TRACE_RULE_STW, "the stack of G%u is visited twice", a.subject_g);
  else if (!is_seen_as(g, a.status))
    trace_broken(r, TRACE_RULE_STW, "the stack of G%u is visited as that of one %s, but it is %s",
                 a.subject_g, trace_word_text(TRACE_ARG_GSTATUS, a.status),
                 trace_g_phrase(g, phrase));
  g->scan_no = r->n_stops;
  r->n_scanned++;
}
