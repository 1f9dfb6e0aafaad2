/* SPDX-License-Identifier: MIT */
/* trace-replay-preempt.c - what sysmon, netpoll and preemption say.
 *
 * A request may come late: its G may have stopped, or ended, by itself, and is then asked for nothing. But who obeys
 * was asked before: each time that a G finds that it was asked, one request more was told than it obeyed so far. (Not
 * done: to forget the requests where the G starts. The request is told before the G's flag is set, so it may be told
 * before the G starts and be seen after it.) Likewise a signal that lands was sent before, each once: the next one is
 * sent only after it landed, and what others send is not taken for ours.
 */
#include "trace-replay-state.h"

/* ---- preemption ---- */

static void check_m(struct trace_replay *r, uint32_t id, const char *what)
{
  if (!trace_store_find(&r->ms, id) && trace_judges(r, TRACE_FAMILY_SCHED))
    trace_broken(r, TRACE_RULE_PREEMPT, "%s M%u, which there is not", what, id);
}

/* sysmon asks whose time slice is used up; who stops the world asks everybody until it stands. */
static void check_asker(struct trace_replay *r, const struct rep_m *m, uint32_t why)
{
  uint32_t must =
      r->world.stop_why == TRACE_STWWHY_GC ? TRACE_PREEMPTWHY_SCAN : TRACE_PREEMPTWHY_STW;
  if (!trace_judges(r, TRACE_FAMILY_STW))
    return;
  if (why == TRACE_PREEMPTWHY_SLICE
          ? m->pub.p != TRACE_NO_P
          : !r->world.stopping || m->pub.id != r->world.stopper || why != must)
    trace_broken(r, TRACE_RULE_PREEMPT, "M%u asks a G to stop (%s), but that is not its business",
                 m->pub.id, trace_word_text(TRACE_ARG_PREEMPTWHY, why));
}

void trace_on_preempt_request(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  struct trace_args_preempt_request a = trace_args_preempt_request(e);
  struct rep_g *g = a.target_g ? trace_store_find(&r->gs, a.target_g) : NULL;
  if (a.target_g == 0)
    trace_broken(r, TRACE_RULE_PREEMPT, "M%u asks a G to stop, but names none", m->pub.id);
  check_m(r, a.target_m, "a G is asked to stop on");
  check_asker(r, m, a.why);
  if (m->asked_slice)
    trace_broken(r, TRACE_RULE_RETAKE, "M%u asks again, but did not say whose P it preempts",
                 m->pub.id);
  if (g)
    g->n_asked++;
  m->asked_slice = a.why == TRACE_PREEMPTWHY_SLICE &&
                   trace_judges(r, TRACE_FAMILY_PREEMPT | TRACE_FAMILY_SYSMON);
}

void trace_on_preempt_send(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  (void)m;
  struct rep_m *target = trace_store_find(&r->ms, trace_args_preempt_send(e).target_m);
  check_m(r, trace_args_preempt_send(e).target_m, "a signal is sent to");
  if (target)
    target->n_sent++;
}

void trace_on_preempt_land(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  if (!trace_judges(r, TRACE_FAMILY_PREEMPT))
    return;
  if (m->n_sent == 0)
    trace_broken(r, TRACE_RULE_PREEMPT, "a signal landed on M%u, but none was sent", m->pub.id);
  m->n_sent -= m->n_sent > 0;
  m->has_landed |= trace_args_preempt_land(e).refusal == TRACE_REFUSAL_NONE;
}

void trace_on_preempt_taken(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  struct rep_g *g = e->g ? trace_store_find(&r->gs, e->g) : NULL;
  if (!g || !trace_judges(r, TRACE_FAMILY_PREEMPT))
    return;
  if (g->n_asked == 0)
    trace_broken(r, TRACE_RULE_PREEMPT, "G%u obeys a request to stop, but was not asked",
                 g->pub.goid);
  else if (trace_args_preempt_taken(e).by_signal != m->has_landed)
    trace_broken(r, TRACE_RULE_PREEMPT, "G%u is said to stop at %s, but %s", g->pub.goid,
                 m->has_landed ? "a call" : "a signal",
                 m->has_landed ? "a signal stopped it" : "no signal stopped it");
  else if (m->stop_due)
    trace_broken(r, TRACE_RULE_PREEMPT, "G%u obeys twice, but stops once", g->pub.goid);
  g->n_asked -= g->n_asked > 0;
  m->has_landed = false;
  m->stop_due = true;
}

/* ---- sysmon: on an M of its own, which never has a P ---- */

static void by_sysmon(struct trace_replay *r, struct rep_m *m)
{
  if (m->pub.p != TRACE_NO_P || m->pub.g)
    trace_broken(r, TRACE_RULE_RETAKE, "M%u speaks as sysmon, but it has a P", m->pub.id);
  m->is_sysmon = true;
}

void trace_on_sysmon_retake(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  struct trace_args_sysmon_retake a = trace_args_sysmon_retake(e);
  bool is_slice = a.why == TRACE_RETAKE_SLICE;
  by_sysmon(r, m);
  trace_need_p(r, a.proc, TRACE_RULE_RETAKE);
  if (is_slice != m->asked_slice && trace_judges(r, TRACE_FAMILY_PREEMPT | TRACE_FAMILY_SYSMON))
    trace_broken(r, TRACE_RULE_RETAKE, "P%u is preempted (%s), but its G was %s", a.proc,
                 trace_word_text(TRACE_ARG_RETAKE, a.why),
                 is_slice ? "not asked" : "asked for another reason");
  m->asked_slice = false;
  if (!is_slice && trace_judges(r, TRACE_FAMILY_SYSMON))
    m->retake_due = a.proc;
}

void trace_on_sysmon_sleep(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  (void)e;
  by_sysmon(r, m);
}

void trace_on_sysmon_netpoll(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  uint32_t n = trace_args_sysmon_netpoll(e).n;
  by_sysmon(r, m);
  if (n != m->n_found && trace_judges(r, TRACE_FAMILY_NETPOLL))
    trace_broken(r, TRACE_RULE_NETPOLL, "sysmon says that its netpoll found %u Gs, but it found %u",
                 n, m->n_found);
}

/* ---- netpoll ---- */

void trace_on_netpoll_ready(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  struct rep_g *g = trace_need_g(r, trace_args_netpoll_ready(e).ready_g, TRACE_RULE_NETPOLL);
  if (!g)
    return;
  if (g->found_by == m->pub.id + 1 && trace_judges(r, TRACE_FAMILY_NETPOLL))
    trace_broken(r, TRACE_RULE_NETPOLL, "M%u finds G%u, but it found it before", m->pub.id,
                 g->pub.goid);
  m->n_found += g->found_by != m->pub.id + 1;
  g->found_by = m->pub.id + 1;
  g->found_fd = trace_args_netpoll_ready(e)
                    .fd; /* the G may be about to park: looked at when it is made ready */
}
