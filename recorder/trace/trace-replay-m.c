/* SPDX-License-Identifier: MIT */
/* trace-replay-m.c - what the events of an M do, and whether a record's P and G are those of its M.
 *
 * An M that is woken to spin is spinning from its first moment; whether it says so once more itself is its
 * own affair (wake_spins).
 */
#include "trace-replay-state.h"

/* ---- every record ---- */

static void adopt_record(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  m->wild = false;
  bool p_is_new = e->kind == TRACE_PROC_START;
  struct rep_p *p =
      e->p == TRACE_NO_P || p_is_new ? NULL : trace_need_p(r, e->p, TRACE_RULE_M_RECORD);
  if (p && p->wild) {
    trace_bind_p(r, m, p);
    trace_set_p(r, p, TRACE_PSTATUS_RUNNING);
  }
  bool in_syscall = e->kind == TRACE_GO_SYSCALL_END || e->kind == TRACE_GO_SYSCALL_END_BLOCKED;
  struct rep_g *g = e->g == 0 || e->kind == TRACE_GO_START ? NULL : trace_store_find(&r->gs, e->g);
  if (e->g && !g && e->kind != TRACE_GO_START && r->adopting) {
    g = trace_need_g(r, e->g, TRACE_RULE_M_RECORD);
    if (!g)
      return;
    trace_bind_g(r, m, g);
    trace_set_g(r, g, in_syscall ? TRACE_GSTATUS_SYSCALL : TRACE_GSTATUS_RUNNING);
  }
}

static bool p_agrees(const struct rep_m *m, const struct trace_event *e)
{
  if (e->p == m->pub.p)
    return true;
  if (e->kind == TRACE_PROC_START) /* before or after */
    return e->p == trace_args_proc_start(e).proc;
  return e->kind == TRACE_PROC_STOP && e->p == TRACE_NO_P;
}

static bool g_agrees(const struct rep_m *m, const struct trace_event *e)
{
  if (e->g == 0 || e->g == m->pub.g)
    return true;
  /* A G that switches to another without g0 between writes as the one or as the other. */
  return e->kind == TRACE_GO_START && (e->g == trace_args_go_start(e).run_g || e->g == m->prev_g);
}

static bool in_syscall(const struct trace_replay *r, const struct rep_m *m)
{
  const struct rep_g *g = m->pub.g ? trace_store_find(&r->gs, m->pub.g) : NULL;
  return g && g->pub.status == TRACE_GSTATUS_SYSCALL;
}

static void wrong_p(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  char says[TRACE_PHRASE], has[TRACE_PHRASE];
  trace_broken(r, TRACE_RULE_M_RECORD, "M%u writes as if it held %s, but it holds %s", m->pub.id,
               trace_p_name(e->p, says), trace_p_name(m->pub.p, has));
  struct rep_p *p = e->p == TRACE_NO_P ? NULL : trace_need_p(r, e->p, TRACE_RULE_M_RECORD);
  trace_bind_p(r, m, p);
  if (p)
    trace_set_p(r, p, TRACE_PSTATUS_RUNNING);
}

void trace_check_record(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  if (e->kind == TRACE_CHOICE)
    return; /* it may fall into the middle of a transition: it tells the place of the event before it */
  if (m->wild) {
    adopt_record(r, m, e);
    return;
  }
  if (!p_agrees(m, e)) {
    if (e->p == TRACE_NO_P && in_syscall(r, m))
      trace_p_gone(r, m);
    else
      wrong_p(r, m, e);
  }
  if (!g_agrees(m, e)) {
    trace_broken(r, TRACE_RULE_M_RECORD, "M%u writes as if it ran G%u, but it runs G%u", m->pub.id,
                 e->g, m->pub.g);
    struct rep_g *g = trace_store_find(&r->gs, e->g);
    if (g && g->pub.status == TRACE_GSTATUS_RUNNING)
      trace_bind_g(r, m, g);
  }
}

/* ---- life ---- */

void trace_on_m_create(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  struct trace_args_m_create a = trace_args_m_create(e);
  if (m->created && m->pub.status != TRACE_MSTATUS_DEAD)
    trace_broken(r, TRACE_RULE_M_CREATE, "M%u is created, but it was created before", m->pub.id);
  else if (m->spoke)
    trace_broken(r, TRACE_RULE_M_CREATE, "M%u is created, but it has written events before",
                 m->pub.id);
  m->created = true;
  m->wild = false;
  m->pub.tid = a.tid;
  trace_set_m(r, m, m->wake_spins ? TRACE_MSTATUS_SPINNING : TRACE_MSTATUS_RUNNING);
}

void trace_on_m_destroy(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  (void)e;
  trace_bind_g(r, m, NULL);
  trace_bind_p(r, m, NULL);
  trace_set_m(r, m, TRACE_MSTATUS_DEAD);
  m->spoke = false;
}

void trace_on_m_status(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  (void)m;
  struct trace_args_m_status a = trace_args_m_status(e);
  struct rep_m *subject = trace_need_m(r, a.subject_m);
  if (!subject)
    return;
  subject->created = true;
  subject->wild = false;
  subject->pub.tid = a.tid;
  trace_set_m(r, subject, a.status);
  if (a.status == TRACE_MSTATUS_POLLING)
    r->world.polling_m = a.subject_m;
  struct rep_p *p = a.its_p == TRACE_NO_P ? NULL : trace_need_p(r, a.its_p, TRACE_RULE_P_START);
  if (!p)
    return;
  trace_bind_p(r, subject, p);
  if (p->wild)
    trace_set_p(r, p, TRACE_PSTATUS_RUNNING);
}

/* ---- sleeping, spinning, polling ---- */

void trace_on_m_spinning_begin(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  (void)e;
  char phrase[TRACE_PHRASE];
  bool told_by_waker = m->pub.status == TRACE_MSTATUS_SPINNING && m->wake_spins;
  if (m->pub.status != TRACE_MSTATUS_RUNNING && !told_by_waker)
    trace_broken(r, TRACE_RULE_M_SPIN, "M%u begins to spin, but it is %s", m->pub.id,
                 trace_m_phrase(m, phrase));
  m->wake_spins = false;
  trace_set_m(r, m, TRACE_MSTATUS_SPINNING);
}

void trace_on_m_spinning_end(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  (void)e;
  char phrase[TRACE_PHRASE];
  if (m->pub.status != TRACE_MSTATUS_SPINNING)
    trace_broken(r, TRACE_RULE_M_SPIN, "M%u stops spinning, but it is %s", m->pub.id,
                 trace_m_phrase(m, phrase));
  m->wake_spins = false;
  trace_set_m(r, m, TRACE_MSTATUS_RUNNING);
}

void trace_on_m_park(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  (void)e;
  char phrase[TRACE_PHRASE];
  if (m->pub.status != TRACE_MSTATUS_RUNNING)
    trace_broken(r, TRACE_RULE_M_PARK, "M%u parks, but it is %s", m->pub.id,
                 trace_m_phrase(m, phrase));
  else if (m->pub.p != TRACE_NO_P || m->pub.g)
    trace_broken(r, TRACE_RULE_M_PARK, "M%u parks with %s and G%u", m->pub.id,
                 trace_p_name(m->pub.p, phrase), m->pub.g);
  else if (m->n_hand)
    trace_broken(r, TRACE_RULE_RUNQ_ONCE,
                 "M%u parks with %u runnable Gs in its hand, which nobody can run", m->pub.id,
                 m->n_hand);
  m->wake_spins = false;
  trace_set_m(r, m, TRACE_MSTATUS_PARKED);
}

void trace_on_m_unpark(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  (void)e;
  char phrase[TRACE_PHRASE];
  if (m->pub.status != TRACE_MSTATUS_PARKED)
    trace_broken(r, TRACE_RULE_M_PARK, "M%u wakes up, but it is %s", m->pub.id,
                 trace_m_phrase(m, phrase));
  trace_set_m(r, m, m->wake_spins ? TRACE_MSTATUS_SPINNING : TRACE_MSTATUS_RUNNING);
}

void trace_on_m_wake(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  (void)m;
  struct trace_args_m_wake a = trace_args_m_wake(e);
  struct rep_m *woken = trace_need_m(r, a.woken_m);
  if (woken)
    woken->wake_spins = a.to_spin;
}

void trace_on_m_poll_begin(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  (void)e;
  char phrase[TRACE_PHRASE];
  if (r->world.polling_m != TRACE_NO_M)
    trace_broken(r, TRACE_RULE_M_POLL, "M%u goes to sleep in netpoll, but M%u sleeps there",
                 m->pub.id, r->world.polling_m);
  else if (m->pub.p != TRACE_NO_P || m->pub.g)
    trace_broken(r, TRACE_RULE_M_POLL, "M%u goes to sleep in netpoll with %s and G%u", m->pub.id,
                 trace_p_name(m->pub.p, phrase), m->pub.g);
  r->world.polling_m = m->pub.id;
  trace_set_m(r, m, TRACE_MSTATUS_POLLING);
}

void trace_on_m_poll_end(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  (void)e;
  if (!r->adopting && r->world.polling_m != m->pub.id)
    trace_broken(r, TRACE_RULE_M_POLL, "M%u comes back from netpoll, but did not sleep there",
                 m->pub.id);
  r->world.polling_m = TRACE_NO_M;
  trace_set_m(r, m, TRACE_MSTATUS_RUNNING);
}

/* ---- an M and a G locked to each other ---- */

void trace_on_m_lock(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  struct rep_g *g = trace_need_g(r, trace_args_m_lock(e).locked_g, TRACE_RULE_G_RUNNING);
  if (!g)
    return;
  m->pub.locked_g = g->pub.goid;
  g->pub.locked_m = m->pub.id;
}

void trace_on_m_unlock(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  struct rep_g *g = trace_need_g(r, trace_args_m_unlock(e).locked_g, TRACE_RULE_G_RUNNING);
  m->pub.locked_g = 0;
  if (g)
    g->pub.locked_m = TRACE_NO_M;
}
