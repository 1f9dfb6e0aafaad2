/* SPDX-License-Identifier: MIT */
/* trace-replay-p.c - what the events of a P do, and stop-the-world.
 *
 *   idle (on the list) <--proc_idle-- handed over --proc_start--> running (also in a system call)
 *                      --proc_unidle->     ^  <--proc_stop, proc_steal--
 *                                          | proc_restart                 proc_gcstop from all of them
 *                                       stopped
 */
#include "trace-replay-state.h"

/* ---- acquiring and releasing ---- */

static bool is_free(const struct rep_p *p)
{
  return p->wild ||
         (p->pub.status == TRACE_PSTATUS_HANDED && p->pub.m == TRACE_NO_M && !p->steal_due);
}

/* A P is taken by the M in whose hand it is; an M that was woken takes first what it was handed. */
static void check_taker(struct trace_replay *r, struct rep_m *m, const struct rep_p *p)
{
  char phrase[TRACE_PHRASE];
  if (!trace_judges(r, TRACE_FAMILY_SCHED))
    return;
  if (p->hand_m != m->pub.id)
    trace_broken(r, TRACE_RULE_P_HAND, "M%u acquires P%u, but it is %s", m->pub.id, p->pub.id,
                 trace_p_phrase(p, phrase));
  else if (m->next_p != TRACE_NO_P && m->next_p != p->pub.id)
    trace_broken(r, TRACE_RULE_M_WAKE, "M%u acquires P%u, but it was woken with P%u", m->pub.id,
                 p->pub.id, m->next_p);
  else if (r->world.stopped && r->world.stopper != TRACE_NO_M && r->world.stopper != m->pub.id &&
           trace_trusts(r, TRACE_FAMILY_STW))
    trace_broken(r, TRACE_RULE_STW, "M%u acquires P%u while the world is stopped", m->pub.id,
                 p->pub.id);
}

void trace_on_proc_start(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  struct trace_args_proc_start a = trace_args_proc_start(e);
  char phrase[TRACE_PHRASE];
  struct rep_p *p = trace_need_p(r, a.proc, TRACE_RULE_P_START);
  if (!p)
    return;
  const struct rep_g *g = m->pub.g ? trace_store_find(&r->gs, m->pub.g) : NULL;
  bool in_syscall = g && g->pub.status == TRACE_GSTATUS_SYSCALL;
  if (m->pub.p != TRACE_NO_P && in_syscall)
    trace_p_gone(r, m);
  if (!is_free(p))
    trace_broken(r, TRACE_RULE_P_START, "M%u acquires P%u, but it is %s%s", m->pub.id, a.proc,
                 trace_p_phrase(p, phrase),
                 p->steal_due ? ", and nobody said that he stole it" : "");
  if (m->pub.p != TRACE_NO_P)
    trace_broken(r, TRACE_RULE_P_START, "M%u acquires P%u, but it holds P%u", m->pub.id, a.proc,
                 m->pub.p);
  check_taker(r, m, p);
  trace_check_p_seq(r, p, a.p_seq);
  p->steal_due = false;
  trace_bind_p(r, m, p);
  trace_set_p(r, p, TRACE_PSTATUS_RUNNING);
  m->next_p = m->runs_heap = TRACE_NO_P;
  m->reacquired = in_syscall;
  m->spin_due = m->wake_spins && trace_judges(r, TRACE_FAMILY_SCHED);
}

void trace_on_proc_stop(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  struct trace_args_proc_stop a = trace_args_proc_stop(e);
  char phrase[TRACE_PHRASE];
  struct rep_p *p = trace_need_p(r, a.proc, TRACE_RULE_P_STOP);
  if (!p)
    return;
  const struct rep_g *g = m->pub.g ? trace_store_find(&r->gs, m->pub.g) : NULL;
  if (!p->wild && p->pub.m != m->pub.id)
    trace_broken(r, TRACE_RULE_P_STOP, "M%u releases P%u, but it is %s", m->pub.id, a.proc,
                 trace_p_phrase(p, phrase));
  else if (g && g->pub.status == TRACE_GSTATUS_RUNNING)
    trace_broken(r, TRACE_RULE_P_STOP, "M%u releases P%u while it runs G%u", m->pub.id, a.proc,
                 m->pub.g);
  trace_check_p_seq(r, p, a.p_seq);
  trace_bind_p(r, m, NULL);
  trace_set_p(r, p, TRACE_PSTATUS_HANDED);
  trace_hand_p(r, p, m->pub.id);
  m->reacquired = false;
}

static bool may_be_stolen(const struct trace_replay *r, const struct rep_p *p, uint32_t from_m)
{
  if (p->wild)
    return true;
  if (p->steal_due)
    return p->lost_by == from_m;
  const struct rep_m *loser = trace_store_find(&r->ms, from_m);
  const struct rep_g *g = loser && loser->pub.g ? trace_store_find(&r->gs, loser->pub.g) : NULL;
  return loser && p->pub.m == from_m && g && g->pub.status == TRACE_GSTATUS_SYSCALL;
}

/* sysmon says which P it takes, and why, before it does. */
static void check_retake(struct trace_replay *r, struct rep_m *m, uint32_t proc)
{
  if (m->retake_due != TRACE_NO_P ? m->retake_due != proc
                                  : m->is_sysmon && trace_judges(r, TRACE_FAMILY_SYSMON))
    trace_broken(r, TRACE_RULE_RETAKE, "sysmon takes P%u, but did not say so", proc);
  m->retake_due = TRACE_NO_P;
}

void trace_on_proc_steal(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  struct trace_args_proc_steal a = trace_args_proc_steal(e);
  char phrase[TRACE_PHRASE];
  struct rep_p *p = trace_need_p(r, a.proc, TRACE_RULE_P_STEAL);
  if (!p)
    return;
  if (!may_be_stolen(r, p, a.from_m))
    trace_broken(r, TRACE_RULE_P_STEAL,
                 "M%u steals P%u from M%u, but it is %s and that M's G is not in a "
                 "system call with it",
                 m->pub.id, a.proc, a.from_m, trace_p_phrase(p, phrase));
  check_retake(r, m, a.proc);
  trace_check_p_seq(r, p, a.p_seq);
  struct rep_m *holder = p->pub.m == TRACE_NO_M ? NULL : trace_store_find(&r->ms, p->pub.m);
  if (holder)
    trace_bind_p(r, holder, NULL);
  p->steal_due = false;
  trace_set_p(r, p, TRACE_PSTATUS_HANDED);
  trace_hand_p(r, p, m->pub.id);
}

/* ---- the idle list ---- */

/* What is left in the queue of a P that its M saw empty was taken by thieves who have not said so yet (W1). */
static void owe_queue_to_thieves(struct trace_replay *r, struct rep_p *p)
{
  if (p->pub.n_ring) {
    p->owed_until = p->tail;
    p->owed_since = r->world.ts;
    p->owed_noticed_by = r->event->m;
    p->owed_rule = TRACE_RULE_P_IDLE;
  }
  struct rep_g *next = p->pub.runnext ? trace_store_find(&r->gs, p->pub.runnext) : NULL;
  if (next) {
    next->theft_due = true;
    next->due_since = r->world.ts;
    next->due_noticed_by = r->event->m;
    p->pub.runnext = 0;
  }
}

/* p is in m's hand, or m takes it back from an M whose thread could not be made. */
static bool in_hand_of(const struct rep_p *p, const struct rep_m *m)
{
  return p->hand_m == m->pub.id || p->handed_by == m->pub.id;
}

void trace_on_proc_idle(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  char phrase[TRACE_PHRASE];
  struct rep_p *p = trace_need_p(r, trace_args_proc_idle(e).proc, TRACE_RULE_P_IDLE);
  if (!p)
    return;
  if (!is_free(p))
    trace_broken(r, TRACE_RULE_P_IDLE, "P%u is put on the idle list, but it is %s", p->pub.id,
                 trace_p_phrase(p, phrase));
  else if (!in_hand_of(p, m) && trace_judges(r, TRACE_FAMILY_SCHED))
    trace_broken(r, TRACE_RULE_P_HAND, "M%u puts P%u on the idle list, but it is %s", m->pub.id,
                 p->pub.id, trace_p_phrase(p, phrase));
  owe_queue_to_thieves(r, p);
  trace_set_p(r, p, TRACE_PSTATUS_IDLE);
}

void trace_on_proc_unidle(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  char phrase[TRACE_PHRASE];
  struct rep_p *p = trace_need_p(r, trace_args_proc_unidle(e).proc, TRACE_RULE_P_IDLE);
  if (!p)
    return;
  if (!p->wild && !p->idle_listed)
    trace_broken(r, TRACE_RULE_P_IDLE, "P%u is taken off the idle list, but it is %s", p->pub.id,
                 trace_p_phrase(p, phrase));
  trace_check_may_leave(r, m);
  trace_set_p(r, p, TRACE_PSTATUS_HANDED);
  trace_hand_p(r, p, m->pub.id);
}

/* ---- stop-the-world ---- */

static void check_world_stops(struct trace_replay *r, const struct rep_p *p, const char *what)
{
  if (!r->world.stopping && !r->world.stopped && trace_trusts(r, TRACE_FAMILY_STW) && !r->adopting)
    trace_broken(r, TRACE_RULE_P_STOPPED, "P%u is %s, but nobody stops the world", p->pub.id, what);
}

void trace_on_proc_gcstop(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  char phrase[TRACE_PHRASE];
  struct rep_p *p = trace_need_p(r, trace_args_proc_gcstop(e).proc, TRACE_RULE_P_STOPPED);
  if (!p)
    return;
  check_world_stops(r, p, "stopped");
  bool own = p->pub.m == m->pub.id; /* who stops the world keeps its P, stopped */
  bool again = own && p->pub.status == TRACE_PSTATUS_GCSTOP;
  if (again || (!is_free(p) && !own))
    trace_broken(r, TRACE_RULE_P_STOPPED, "P%u is stopped by M%u, but it is %s", p->pub.id,
                 m->pub.id, again ? "stopped already" : trace_p_phrase(p, phrase));
  trace_set_p(r, p, TRACE_PSTATUS_GCSTOP);
}

void trace_on_proc_restart(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  char phrase[TRACE_PHRASE];
  struct rep_p *p = trace_need_p(r, trace_args_proc_restart(e).proc, TRACE_RULE_P_STOPPED);
  if (!p)
    return;
  check_world_stops(r, p, "restarted");
  if (!p->wild && p->pub.status != TRACE_PSTATUS_GCSTOP)
    trace_broken(r, TRACE_RULE_P_STOPPED, "P%u is restarted, but it is %s", p->pub.id,
                 trace_p_phrase(p, phrase));
  trace_set_p(r, p, p->pub.m == TRACE_NO_M ? TRACE_PSTATUS_HANDED : TRACE_PSTATUS_RUNNING);
  if (p->pub.m == TRACE_NO_M)
    trace_hand_p(r, p, m->pub.id);
}

/* ---- how many there are ---- */

static bool is_live(const struct trace_replay *r, uint32_t id)
{
  const struct rep_p *p = trace_store_find(&r->ps, id);
  return p && p->pub.status != TRACE_PSTATUS_DEAD;
}

/* In a trace from the start, a P is told of when it is made: then no M holds it, and it goes on counting. */
static void check_new_p(struct trace_replay *r, const struct rep_p *p,
                        const struct trace_args_proc_status *a)
{
  if (!trace_judges(r, TRACE_FAMILY_SCHED))
    return;
  uint32_t seq = p && p->seq_known ? p->pub.seq : 0;
  if (p && !p->wild && p->pub.status != TRACE_PSTATUS_DEAD)
    trace_broken(r, TRACE_RULE_P_START, "P%u is made, but there is one already", a->proc);
  else if (a->proc > 0 && !is_live(r, a->proc - 1))
    trace_broken(r, TRACE_RULE_P_START, "P%u is made, but there is no P%u yet", a->proc,
                 a->proc - 1);
  else if (a->on_m != TRACE_NO_M)
    trace_broken(r, TRACE_RULE_P_START, "P%u is made, but M%u is said to hold it", a->proc,
                 a->on_m);
  else if (a->p_seq != seq)
    trace_broken(r, TRACE_RULE_P_SEQ, "P%u is made with number %u, but its last one was %u",
                 a->proc, a->p_seq, seq);
}

void trace_on_proc_status(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  struct trace_args_proc_status a = trace_args_proc_status(e);
  char phrase[TRACE_PHRASE];
  bool was_adopting = r->adopting;
  struct rep_p *p = trace_store_find(&r->ps, a.proc);
  check_new_p(r, p, &a);
  if (p && !p->wild && !r->adopting && p->pub.status != TRACE_PSTATUS_DEAD &&
      p->pub.status != a.status)
    trace_broken(r, TRACE_RULE_P_START, "P%u is said to be %s, but it is %s", a.proc,
                 trace_word_text(TRACE_ARG_PSTATUS, a.status), trace_p_phrase(p, phrase));
  r->adopting = true; /* a status makes things exist */
  p = trace_need_p(r, a.proc, TRACE_RULE_P_START);
  r->adopting = was_adopting;
  if (!p)
    return;
  trace_set_p(r, p, a.status);
  if (a.status == TRACE_PSTATUS_HANDED)
    trace_hand_p(r, p, m->pub.id);
  p->pool_known = p->pool_known || trace_judges(r, TRACE_FAMILY_DEFER);
  p->tail_known = p->tail_known || trace_judges(r, TRACE_FAMILY_RUNQ);
  p->pub.seq = a.p_seq;
  p->seq_known = true;
  struct rep_m *on_m =
      a.on_m == TRACE_NO_M || a.status != TRACE_PSTATUS_RUNNING ? NULL : trace_need_m(r, a.on_m);
  if (on_m)
    trace_bind_p(r, on_m, p);
}

static void check_procs(struct trace_replay *r, uint32_t old_n, uint32_t new_n)
{
  uint32_t n_live = 0;
  for (uint32_t i = 0; i < r->ps.n_slots; i++) {
    const struct rep_p *p = trace_store_at(&r->ps, i);
    n_live += p && p->pub.id < new_n && p->pub.status != TRACE_PSTATUS_DEAD;
  }
  if (old_n != r->procs_told)
    trace_broken(r, TRACE_RULE_P_START, "there were %u Ps, it is said, but %u had been told", old_n,
                 r->procs_told);
  else if (new_n != n_live || (old_n == 0 && new_n != r->world.n_procs))
    trace_broken(r, TRACE_RULE_P_START, "there are %u Ps now, it is said, but %u were made", new_n,
                 n_live);
}

void trace_on_procs_change(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  struct trace_args_procs_change a = trace_args_procs_change(e);
  if (trace_judges(r, TRACE_FAMILY_SCHED))
    check_procs(r, a.old_n, a.new_n);
  if (m->pub.p != TRACE_NO_P && m->pub.p >= a.new_n)
    trace_broken(r, TRACE_RULE_P_START, "there are %u Ps now, it is said, but M%u holds P%u",
                 a.new_n, m->pub.id, m->pub.p);
  r->world.n_procs = r->procs_told = a.new_n;
  for (uint32_t i = 0; i < r->ps.n_slots; i++) {
    struct rep_p *p = trace_store_at(&r->ps, i);
    if (p && p->pub.id >= a.new_n && p->pub.status != TRACE_PSTATUS_DEAD)
      trace_set_p(r, p, TRACE_PSTATUS_DEAD);
  }
}
