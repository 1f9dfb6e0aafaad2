/* SPDX-License-Identifier: MIT */
/* trace-sentence-sched.c - sentences about Gs, Ms, Ps and run queues. */
#include "trace-sentence.h"

/* ---- G ---- */

TRACE_SAY(go_create)
{
  trace_say(s, "%s made G%u to run %s.", trace_name_running(s), a.new_g, trace_name_fn(s, a.fn));
}

static void say_waited(struct trace_saying *s, uint32_t goid)
{
  const struct trace_g *g = trace_replay_g(s->before, goid);
  if (g && g->status == TRACE_GSTATUS_RUNNABLE)
    trace_say(s, ", after it was runnable for %s", trace_name_time(s, s->e->ts - g->since));
}

TRACE_SAY(go_start)
{
  trace_say(s, "%s began to run %s", trace_name_me(s), trace_name_g(s, a.run_g));
  say_waited(s, a.run_g);
  trace_say(s, "%s.", a.inherit ? ", in what is left of its predecessor's time slice" : "");
}

static const char *ran_for(struct trace_saying *s)
{
  const struct trace_g *g = trace_replay_g(s->before, s->e->g);
  return g && g->status == TRACE_GSTATUS_RUNNING ? trace_name_time(s, s->e->ts - g->since)
                                                 : "some time";
}

TRACE_SAY(go_stop)
{
  const char *why = a.why == TRACE_STOP_GOSCHED     ? "gave up its turn (Gosched)"
                    : a.why == TRACE_STOP_PREEMPTED ? "was preempted"
                                                    : "stopped";
  trace_say(s, "%s %s after running for %s; it stays runnable.", trace_name_running(s), why,
            ran_for(s));
}

TRACE_SAY(go_block)
{
  trace_say(s, "%s parked after running for %s: %s", trace_name_running(s), ran_for(s),
            a.why ? trace_name_word(TRACE_ARG_WAIT, a.why) : "no reason given");
  if (a.obj && a.why == TRACE_WAIT_SLEEP)
    trace_say(s, " until timer %lu fires", (unsigned long)a.obj);
  else if (a.obj)
    trace_say(s, " on %s", trace_name_object(s, a.obj));
  trace_say(s, ". M%u is free to run another G.", s->e->m);
}

TRACE_SAY(go_unblock)
{
  const struct trace_g *g = trace_replay_g(s->before, a.woken_g);
  trace_say(s, "%s made %s ready", trace_name_running(s), trace_name_g(s, a.woken_g));
  if (g && g->status == TRACE_GSTATUS_WAITING)
    trace_say(s, ", which had waited %s (%s)", trace_name_time(s, s->e->ts - g->since),
              trace_name_word(TRACE_ARG_WAIT, g->why));
  trace_say(s, ".");
}

TRACE_SAY(go_destroy)
{
  const struct trace_g *g = trace_replay_g(s->before, s->e->g);
  trace_say(s, "%s ended", trace_name_running(s));
  if (g)
    trace_say(s, ", %s after it was made", trace_name_time(s, s->e->ts - g->created));
  trace_say(s, ".");
}

TRACE_SAY(go_syscall_begin)
{
  trace_say(s, "%s entered a system call; %s stays wired to M%u until somebody takes it.",
            trace_name_running(s), trace_name_p(s, s->e->p), s->e->m);
}

static void say_syscall_time(struct trace_saying *s)
{
  const struct trace_g *g = trace_replay_g(s->before, s->e->g);
  if (g && g->status == TRACE_GSTATUS_SYSCALL)
    trace_say(s, " after %s", trace_name_time(s, s->e->ts - g->since));
}

TRACE_SAY(go_syscall_end)
{
  trace_say(s, "%s came back from its system call", trace_name_running(s));
  say_syscall_time(s);
  trace_say(s, " and still had its P, so it simply goes on.");
}

TRACE_SAY(go_syscall_end_blocked)
{
  trace_say(s, "%s came back from its system call", trace_name_running(s));
  say_syscall_time(s);
  trace_say(s, ", but its P had been taken: it must wait for one.");
}

TRACE_SAY(go_status)
{
  trace_say(s, "When recording began, %s was %s", trace_name_g(s, a.subject_g),
            trace_name_word(TRACE_ARG_GSTATUS, a.status));
  bool on_m = a.status == TRACE_GSTATUS_RUNNING || a.status == TRACE_GSTATUS_SYSCALL;
  if (on_m && a.on_m != TRACE_NO_M)
    trace_say(s, " on M%u", a.on_m);
  trace_say(s, ".");
}

TRACE_SAY(go_status_wait)
{
  trace_say(s, "When recording began, %s waited: %s", trace_name_g(s, a.subject_g),
            trace_name_word(TRACE_ARG_WAIT, a.why));
  if (a.obj)
    trace_say(s, " on %s", trace_name_object(s, a.obj));
  trace_say(s, ".");
}

TRACE_SAY(go_origin)
{
  trace_say(s, "%s runs %s and was made by %s.", trace_name_g(s, a.subject_g),
            trace_name_fn(s, a.fn), trace_name_g(s, a.parent_g));
}

TRACE_SAY(go_name)
{
  trace_say(s, "G%u is called %s.", a.named_g, trace_name_string(s, a.name));
}

/* ---- M ---- */

TRACE_SAY(m_create)
{
  trace_say(s, "M%u came into being as thread %u", s->e->m, a.tid);
  if (a.creator_m != TRACE_NO_M && a.creator_m != s->e->m)
    trace_say(s, ", made by M%u", a.creator_m);
  trace_say(s, ".");
}

TRACE_SAY(m_destroy)
{
  trace_say(s, "M%u's thread ended.", s->e->m);
}

TRACE_SAY(m_spinning_begin)
{
  trace_say(s, "%s has no work and begins to look for some (spinning).", trace_name_me(s));
}

TRACE_SAY(m_spinning_end)
{
  trace_say(s, "%s stopped looking for work: it %s.", trace_name_me(s),
            a.found ? "found some" : "found none");
}

TRACE_SAY(m_park)
{
  trace_say(s, "M%u has nothing to do: its thread went to sleep.", s->e->m);
}

TRACE_SAY(m_unpark)
{
  const struct trace_m *m = trace_replay_m(s->before, s->e->m);
  trace_say(s, "M%u's thread woke up", s->e->m);
  if (m && m->status == TRACE_MSTATUS_PARKED)
    trace_say(s, " after sleeping %s", trace_name_time(s, s->e->ts - m->since));
  trace_say(s, ".");
}

TRACE_SAY(m_wake)
{
  trace_say(s, "%s woke M%u", trace_name_me(s), a.woken_m);
  if (a.next_p != TRACE_NO_P)
    trace_say(s, " and handed it %s", trace_name_p(s, a.next_p));
  trace_say(s, "%s.", a.to_spin ? ", to look for work" : "");
}

TRACE_SAY(m_lock)
{
  trace_say(s, "%s is locked to M%u now: no other M may run it, and M%u runs no other G.",
            trace_name_g(s, a.locked_g), s->e->m, s->e->m);
}

TRACE_SAY(m_unlock)
{
  trace_say(s, "%s is no longer locked to M%u.", trace_name_g(s, a.locked_g), s->e->m);
}

TRACE_SAY(m_status)
{
  trace_say(s, "When recording began, M%u (thread %u) was %s with %s.", a.subject_m, a.tid,
            trace_name_word(TRACE_ARG_MSTATUS, a.status), trace_name_p(s, a.its_p));
}

TRACE_SAY(m_poll_begin)
{
  trace_say(s, "M%u went to sleep in netpoll", s->e->m);
  if ((int64_t)a.delay >= 0)
    trace_say(s, " for at most %s", trace_name_time(s, (int64_t)a.delay));
  trace_say(s, "; it is the only one there.");
}

TRACE_SAY(m_poll_end)
{
  trace_say(s, "M%u came back from netpoll with %s.", s->e->m, trace_name_count(s, a.n, "ready G"));
}

/* ---- P ---- */

TRACE_SAY(proc_start)
{
  trace_say(s, "M%u acquired P%u.", s->e->m, a.proc);
}

TRACE_SAY(proc_stop)
{
  trace_say(s, "M%u released P%u.", s->e->m, a.proc);
}

TRACE_SAY(proc_steal)
{
  const struct trace_m *from = trace_replay_m(s->before, a.from_m);
  trace_say(s, "M%u took P%u from M%u", s->e->m, a.proc, a.from_m);
  if (from && from->g)
    trace_say(s, ", whose %s is in a system call", trace_name_g(s, from->g));
  trace_say(s, ".");
}

TRACE_SAY(proc_idle)
{
  trace_say(s, "P%u has no work: it was put on the idle list.", a.proc);
}

TRACE_SAY(proc_unidle)
{
  trace_say(s, "%s took P%u off the idle list.", trace_name_me(s), a.proc);
}

TRACE_SAY(proc_gcstop)
{
  trace_say(s, "P%u was stopped because the world stops.", a.proc);
}

TRACE_SAY(proc_restart)
{
  trace_say(s, "P%u may run again because the world starts.", a.proc);
}

TRACE_SAY(proc_status)
{
  trace_say(s, "P%u is %s", a.proc, trace_name_word(TRACE_ARG_PSTATUS, a.status));
  if (a.on_m != TRACE_NO_M && a.status == TRACE_PSTATUS_RUNNING)
    trace_say(s, " on M%u", a.on_m);
  trace_say(s, ".");
}

TRACE_SAY(procs_change)
{
  trace_say(s, "The number of Ps changed from %u to %u.", a.old_n, a.new_n);
}

/* ---- run queues ---- */

TRACE_SAY(runq_put)
{
  const struct trace_p *p = trace_replay_p(s->before, a.onto_p);
  trace_say(s, "%s put %s at the tail of P%u's queue", trace_name_me(s), trace_name_g(s, a.put_g),
            a.onto_p);
  if (p)
    trace_say(s, ", behind %s", trace_name_count(s, p->n_ring, "other"));
  trace_say(s, ".");
}

TRACE_SAY(runq_put_next)
{
  trace_say(s, "%s put %s into P%u's runnext: it runs next", trace_name_me(s),
            trace_name_g(s, a.put_g), a.onto_p);
  if (a.kicked_g)
    trace_say(s, ", and %s is kicked out to the tail", trace_name_g(s, a.kicked_g));
  trace_say(s, ".");
}

TRACE_SAY(runq_put_global)
{
  const struct trace_world *w = trace_replay_world(s->before);
  trace_say(s, "%s put %s at the %s of the global queue, which held %s.", trace_name_me(s),
            trace_name_g(s, a.put_g), a.at_head ? "head" : "tail",
            trace_name_count(s, w->n_global, "G"));
}

TRACE_SAY(runq_get)
{
  const struct trace_p *p = trace_replay_p(s->before, s->e->p);
  trace_say(s, "%s took %s from the head of its own queue", trace_name_me(s),
            trace_name_g(s, a.got_g));
  if (p && p->n_ring > 0)
    trace_say(s, "; %u are left", p->n_ring - 1);
  trace_say(s, ".");
}

TRACE_SAY(runq_get_next)
{
  trace_say(s, "%s took %s from its own runnext.", trace_name_me(s), trace_name_g(s, a.got_g));
}

/* "because its own queue was empty", as far as that is so. */
static void say_why_elsewhere(struct trace_saying *s, bool global_too)
{
  const struct trace_p *p = s->e->p == TRACE_NO_P ? NULL : trace_replay_p(s->before, s->e->p);
  bool own_empty = p && p->n_ring == 0 && p->runnext == 0;
  bool global_empty = trace_replay_world(s->before)->n_global == 0;
  if (own_empty && global_too && global_empty)
    trace_say(s, " because its own queue and the global one were empty");
  else if (own_empty)
    trace_say(s, " because its own queue was empty");
}

TRACE_SAY(runq_get_global)
{
  trace_say(s, "%s took %s from the head of the global queue", trace_name_me(s),
            trace_name_g(s, a.got_g));
  say_why_elsewhere(s, false);
  trace_say(s, ".");
}

TRACE_SAY(runq_batch)
{
  trace_say(s, "%s took %s from the global queue", trace_name_me(s), trace_name_count(s, a.n, "G"));
  say_why_elsewhere(s, false);
  trace_say(s, ": %s to run now", trace_name_g(s, a.got_g));
  if (a.n > 1)
    trace_say(s, ", the others into its own queue");
  trace_say(s, ".");
}

/* The G that a steal brings into the hand: the last of n from the victim's head. 0: not known. */
static uint32_t stolen_to_run(struct trace_saying *s, uint32_t victim, uint32_t n)
{
  uint32_t goids[256];
  size_t count = n >= 1 && n <= 256 ? trace_replay_ring(s->before, victim, goids, n) : 0;
  return count == n && count > 0 ? goids[n - 1] : 0;
}

TRACE_SAY(runq_steal)
{
  const struct trace_p *victim = trace_replay_p(s->before, a.victim_p);
  uint32_t goid = stolen_to_run(s, a.victim_p, a.n);
  trace_say(s, "%s took %s from P%u's queue: %u of %u stolen", trace_name_me(s),
            goid ? trace_name_g(s, goid) : trace_name_count(s, a.n, "G"), a.victim_p, a.n,
            victim && victim->n_ring >= a.n ? victim->n_ring : a.n);
  say_why_elsewhere(s, true);
  trace_say(s, ".");
}

TRACE_SAY(runq_steal_next)
{
  trace_say(s, "%s stole %s from P%u's runnext", trace_name_me(s), trace_name_g(s, a.got_g),
            a.victim_p);
  say_why_elsewhere(s, true);
  trace_say(s, ".");
}

TRACE_SAY(runq_overflow)
{
  trace_say(s, "P%u's queue was full: %s from its head, and %s, moved to the global queue.",
            s->e->p, trace_name_count(s, a.n, "G"), trace_name_g(s, a.put_g));
}

TRACE_SAY(runq_status)
{
  trace_say(s, "When recording began, %s was runnable in the %s queue",
            trace_name_g(s, a.subject_g), trace_name_word(TRACE_ARG_QUEUE, a.queue));
  if (a.queue != TRACE_QUEUE_GLOBAL)
    trace_say(s, " of P%u", a.of_p);
  trace_say(s, ".");
}

TRACE_SAY(runq_drain)
{
  trace_say(s, "P%u goes away: its %s moved to the head of the global queue.", a.of_p,
            trace_name_count(s, a.n, "G"));
}
