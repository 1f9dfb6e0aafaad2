/* SPDX-License-Identifier: MIT */
/* trace-replay-m.c - what the events of an M do, and whether a record's P and G are those of its M.
 *
 * An M that is woken to spin is spinning from its first moment (wake_spins), and says so as soon as it has its P.
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

/* A P is told acquired before its M has it, and released while its M still does. */
static bool p_agrees(const struct rep_m *m, const struct trace_event *e)
{
  return e->p == m->pub.p;
}

/* A G whose M found it another P after a system call starts as itself: it never left the M. What is adopted may be on
 * g0 with a G of its own. */
static bool g_agrees(const struct trace_replay *r, const struct rep_m *m,
                     const struct trace_event *e)
{
  bool never_left = e->kind == TRACE_GO_START && m->last_kind == TRACE_GO_SYSCALL_END_BLOCKED;
  if (e->g == 0 && !trace_judges(r, TRACE_FAMILY_SCHED))
    return true;
  return e->g == (never_left ? m->prev_g : m->pub.g);
}

static bool in_syscall(const struct trace_replay *r, const struct rep_m *m)
{
  const struct rep_g *g = m->pub.g ? trace_store_find(&r->gs, m->pub.g) : NULL;
  return g && g->pub.status == TRACE_GSTATUS_SYSCALL;
}

/* Who sleeps says nothing until it wakes; but who finds that all sleep, and ends the program, has said that it parks. */
static void check_awake(struct trace_replay *r, const struct rep_m *m, const struct trace_event *e)
{
  bool is_parked = m->pub.status == TRACE_MSTATUS_PARKED && e->kind != TRACE_M_UNPARK &&
                   trace_specs[e->kind].family != TRACE_FAMILY_STW;
  bool is_polling = m->pub.status == TRACE_MSTATUS_POLLING && e->kind != TRACE_NETPOLL_READY &&
                    e->kind != TRACE_M_POLL_END;
  if ((is_parked || is_polling) && trace_specs[e->kind].family != TRACE_FAMILY_PREEMPT &&
      trace_judges(r, TRACE_FAMILY_SCHED))
    trace_broken(r, is_parked ? TRACE_RULE_M_PARK : TRACE_RULE_M_POLL,
                 "M%u goes on (%s), but it is asleep", m->pub.id, trace_specs[e->kind].name);
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
    return; /* it may fall into the middle of a transition, of which not all has been told */
  check_awake(r, m, e);
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
  if (!g_agrees(r, m, e)) {
    trace_broken(r, TRACE_RULE_M_RECORD, "M%u writes as if it ran G%u, but it runs G%u", m->pub.id,
                 e->g, m->pub.g);
    struct rep_g *g = trace_store_find(&r->gs, e->g);
    if (g && g->pub.status == TRACE_GSTATUS_RUNNING)
      trace_bind_g(r, m, g);
  }
}

/* ---- life ---- */

/* The first M is made by nobody; every other one is woken by the M that makes its thread. */
static void check_creation(struct trace_replay *r, const struct rep_m *m,
                           const struct trace_args_m_create *a)
{
  if (!trace_judges(r, TRACE_FAMILY_SCHED))
    return;
  bool by_nobody = a->creator_m == TRACE_NO_M;
  if (a->tid == 0)
    trace_broken(r, TRACE_RULE_M_CREATE, "M%u is created as no thread", m->pub.id);
  else if (by_nobody == r->has_ms)
    trace_broken(r, TRACE_RULE_M_CREATE, "M%u is made by %s M", m->pub.id,
                 by_nobody ? "no" : "another one, but it is the first");
  else if (!by_nobody && !m->is_woken)
    trace_broken(r, TRACE_RULE_M_WAKE, "M%u is created, but no M woke it", m->pub.id);
}

void trace_on_m_create(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  struct trace_args_m_create a = trace_args_m_create(e);
  char phrase[TRACE_PHRASE];
  if (m->created && m->pub.status != TRACE_MSTATUS_DEAD)
    trace_broken(r, TRACE_RULE_M_CREATE, "M%u is created, but it was created before", m->pub.id);
  else if (m->spoke)
    trace_broken(r, TRACE_RULE_M_CREATE, "M%u is created, but it has written events before",
                 m->pub.id);
  if (m->woken_by != TRACE_NO_M && m->woken_by != a.creator_m &&
      trace_judges(r, TRACE_FAMILY_SCHED))
    trace_broken(r, TRACE_RULE_M_WAKE, "M%u is said to be made by M%d, but M%d woke it", m->pub.id,
                 (int)a.creator_m, (int)m->woken_by);
  check_creation(r, m, &a);
  if (e->p != TRACE_NO_P || e->g)
    trace_broken(r, TRACE_RULE_M_RECORD, "M%u is created, but writes as if it held %s and ran G%u",
                 m->pub.id, trace_p_name(e->p, phrase), e->g);
  r->has_ms = true;
  m->created = true;
  m->wild = m->is_woken = false;
  m->pub.tid = a.tid;
  m->search_since = e->ts;
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
  else if (m->pub.p == TRACE_NO_P && trace_judges(r, TRACE_FAMILY_SCHED))
    trace_broken(r, TRACE_RULE_M_SPIN, "M%u begins to spin, but it has no P", m->pub.id);
  m->wake_spins = false;
  trace_set_m(r, m, TRACE_MSTATUS_SPINNING);
}

static bool has_taken(uint16_t kind)
{
  return kind == TRACE_RUNQ_GET || kind == TRACE_RUNQ_GET_NEXT || kind == TRACE_RUNQ_GET_GLOBAL ||
         kind == TRACE_RUNQ_BATCH || kind == TRACE_RUNQ_STEAL || kind == TRACE_RUNQ_STEAL_NEXT ||
         kind == TRACE_GO_UNBLOCK;
}

/* Who found a G says so before it does anything else. Who found none has just put its P on the idle list, or gives it
 * up because the world stops. */
static void check_find(struct trace_replay *r, struct rep_m *m, bool found)
{
  bool has_p = m->pub.p != TRACE_NO_P;
  if (found && (!has_p || !has_taken(m->last_kind)))
    trace_broken(r, TRACE_RULE_M_SPIN,
                 "M%u stops spinning as if it had found a G, but it has no %s", m->pub.id,
                 has_p ? "G" : "P");
  else if (!found && m->n_hand)
    trace_broken(r, TRACE_RULE_M_SPIN,
                 "M%u stops spinning as if it had found nothing, but it has a G in its hand",
                 m->pub.id);
  else if (!found && !has_p && m->last_kind != TRACE_PROC_IDLE)
    trace_broken(r, TRACE_RULE_M_SPIN,
                 "M%u stops spinning as if it had found nothing, but it did not just give up its P",
                 m->pub.id);
  m->leave_due = !found && has_p;
}

void trace_on_m_spinning_end(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  char phrase[TRACE_PHRASE];
  if (trace_judges(r, TRACE_FAMILY_SCHED | TRACE_FAMILY_RUNQ))
    check_find(r, m, trace_args_m_spinning_end(e).found);
  if (m->pub.status != TRACE_MSTATUS_SPINNING)
    trace_broken(r, TRACE_RULE_M_SPIN, "M%u stops spinning, but it is %s", m->pub.id,
                 trace_m_phrase(m, phrase));
  m->wake_spins = false;
  trace_set_m(r, m, TRACE_MSTATUS_RUNNING);
}

/* An M that sleeps can neither give a P away nor make a G ready. Who was woken just before it went to sleep (as an M
 * that waits for its locked G may be) has the P that it was handed. */
static void check_hands(struct trace_replay *r, const struct rep_m *m)
{
  uint32_t n_handed = m->is_woken && m->next_p != TRACE_NO_P;
  if (m->n_ps > n_handed && trace_judges(r, TRACE_FAMILY_SCHED))
    trace_broken(r, TRACE_RULE_P_HAND, "M%u goes to sleep with %u P%s in its hand", m->pub.id,
                 m->n_ps - n_handed, m->n_ps - n_handed == 1 ? "" : "s");
  if (m->n_found && trace_judges(r, TRACE_FAMILY_NETPOLL))
    trace_broken(r, TRACE_RULE_NETPOLL,
                 "M%u goes to sleep, but %u of the Gs that its netpoll found are not made ready",
                 m->pub.id, m->n_found);
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
  check_hands(r, m);
  m->wake_spins = false;
  trace_set_m(r, m, TRACE_MSTATUS_PARKED);
}

/* Nobody told: only the end of the run wakes everybody, while the world is stopped for good. */
static bool wakes_at_the_end(const struct trace_replay *r)
{
  return r->world.stopped || !trace_trusts(r, TRACE_FAMILY_STW);
}

void trace_on_m_unpark(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  char phrase[TRACE_PHRASE];
  if (m->pub.status != TRACE_MSTATUS_PARKED)
    trace_broken(r, TRACE_RULE_M_PARK, "M%u wakes up, but it is %s", m->pub.id,
                 trace_m_phrase(m, phrase));
  else if (!m->is_woken && !wakes_at_the_end(r) && trace_judges(r, TRACE_FAMILY_SCHED))
    trace_broken(r, TRACE_RULE_M_WAKE, "M%u wakes up, but no M woke it", m->pub.id);
  m->is_woken = false;
  m->search_since = e->ts;
  trace_set_m(r, m, m->wake_spins ? TRACE_MSTATUS_SPINNING : TRACE_MSTATUS_RUNNING);
}

static void check_wake(struct trace_replay *r, const struct rep_m *m, const struct rep_m *woken,
                       const struct rep_p *p, bool to_spin)
{
  char phrase[TRACE_PHRASE];
  bool is_made = woken->created;
  if (woken == m || (is_made && woken->pub.status == TRACE_MSTATUS_DEAD))
    trace_broken(r, TRACE_RULE_M_WAKE, "M%u wakes M%u, which %s", m->pub.id, woken->pub.id,
                 woken == m ? "it is itself" : "has ended");
  /* A thread that could not be made is tried again, maybe by another M before the first one takes the P back; but
   * sysmon's, which needs none, only once. */
  else if (woken->is_woken && (is_made || woken->next_p == TRACE_NO_P))
    trace_broken(r, TRACE_RULE_M_WAKE, "M%u wakes M%u, but M%u woke it already", m->pub.id,
                 woken->pub.id, woken->woken_by);
  else if (!p && to_spin)
    trace_broken(r, TRACE_RULE_M_WAKE, "M%u wakes M%u to spin, but gives it no P", m->pub.id,
                 woken->pub.id);
  else if (p && p->hand_m != m->pub.id)
    trace_broken(r, TRACE_RULE_P_HAND, "M%u hands P%u to M%u, but it is %s", m->pub.id, p->pub.id,
                 woken->pub.id, trace_p_phrase(p, phrase));
}

void trace_on_m_wake(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  struct trace_args_m_wake a = trace_args_m_wake(e);
  struct rep_m *woken = trace_need_m(r, a.woken_m);
  struct rep_p *p = a.next_p == TRACE_NO_P ? NULL : trace_need_p(r, a.next_p, TRACE_RULE_P_HAND);
  if (!woken)
    return;
  if (trace_judges(r, TRACE_FAMILY_SCHED))
    check_wake(r, m, woken, p, a.to_spin);
  if (p) {
    trace_hand_p(r, p, a.woken_m);
    p->handed_by = m->pub.id;
  }
  woken->is_woken = true;
  woken->wake_spins = a.to_spin;
  woken->next_p = a.next_p;
  woken->woken_by = m->pub.id;
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
  else if (m->pub.status != TRACE_MSTATUS_RUNNING && trace_judges(r, TRACE_FAMILY_SCHED))
    trace_broken(r, TRACE_RULE_M_POLL, "M%u goes to sleep in netpoll, but it is %s", m->pub.id,
                 trace_m_phrase(m, phrase));
  check_hands(r, m);
  r->world.polling_m = m->pub.id;
  trace_set_m(r, m, TRACE_MSTATUS_POLLING);
}

void trace_on_m_poll_end(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  uint32_t n = trace_args_m_poll_end(e).n;
  if (!r->adopting && r->world.polling_m != m->pub.id)
    trace_broken(r, TRACE_RULE_M_POLL, "M%u comes back from netpoll, but did not sleep there",
                 m->pub.id);
  if (n != m->n_found && trace_judges(r, TRACE_FAMILY_NETPOLL))
    trace_broken(r, TRACE_RULE_NETPOLL, "M%u comes back from netpoll with %u Gs, but it found %u",
                 m->pub.id, n, m->n_found);
  m->search_since = e->ts;
  r->world.polling_m = TRACE_NO_M;
  trace_set_m(r, m, TRACE_MSTATUS_RUNNING);
}

/* ---- an M and a G locked to each other ---- */

void trace_on_m_lock(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  struct rep_g *g = trace_need_g(r, trace_args_m_lock(e).locked_g, TRACE_RULE_G_RUNNING);
  if (!g)
    return;
  if (g->pub.locked_m != TRACE_NO_M || m->pub.locked_g)
    trace_broken(r, TRACE_RULE_G_RUNNING, "G%u is locked to M%u, but one of them is locked already",
                 g->pub.goid, m->pub.id);
  m->pub.locked_g = g->pub.goid;
  g->pub.locked_m = m->pub.id;
}

void trace_on_m_unlock(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  struct rep_g *g = trace_need_g(r, trace_args_m_unlock(e).locked_g, TRACE_RULE_G_RUNNING);
  if (g && g->pub.locked_m != m->pub.id && trace_judges(r, TRACE_FAMILY_SCHED))
    trace_broken(r, TRACE_RULE_G_RUNNING, "G%u is unlocked from M%u, but it was not locked to it",
                 g->pub.goid, m->pub.id);
  m->pub.locked_g = 0;
  if (g)
    g->pub.locked_m = TRACE_NO_M;
}
