/* SPDX-License-Identifier: MIT */
/* trace-replay-g.c - what the events of a G do to it and to the M that runs it.
 *
 *            go_create                    go_start
 *   (none) ------------> runnable in hand ---------> running ---> (none)   go_destroy
 *                          ^    ^   ^  ^ go_stop      |  |  ^
 *               go_unblock |    |   |  +--------------+  |  | go_syscall_end
 *                       waiting |   |     go_block    |  |  |
 *                          ^----|---|-----------------+  v  |
 *                               |   +----------------- in a system call
 *                       (run queues)   go_syscall_end_blocked
 *
 * A runnable G is in an M's hand or on a queue; the events of trace-replay-runq.c move it between them.
 */
#include "trace-replay-state.h"

struct rep_g *trace_subject(struct trace_replay *r, struct rep_m *m)
{
  char phrase[TRACE_PHRASE];
  uint32_t goid = r->event->g;
  struct rep_g *g = trace_need_g(r, goid, TRACE_RULE_G_RUNNING);
  if (!g)
    return NULL;
  if (g->wild) {
    trace_bind_g(r, m, g);
    trace_set_g(r, g, TRACE_GSTATUS_RUNNING);
  } else if (g->pub.status != TRACE_GSTATUS_RUNNING || m->pub.g != goid) {
    trace_broken(r, TRACE_RULE_G_RUNNING, "G%u speaks as the running G of M%u, but it is %s", goid,
                 m->pub.id, trace_g_phrase(g, phrase));
  }
  return g;
}

static void into_hand(struct trace_replay *r, struct rep_m *m, struct rep_g *g)
{
  trace_set_g(r, g, TRACE_GSTATUS_RUNNABLE);
  trace_set_place(r, g, TRACE_PLACE_HAND, m->pub.id, 0);
}

/* The M lets its G go. */
static void let_go(struct trace_replay *r, struct rep_m *m, struct rep_g *g)
{
  trace_set_place(r, g, TRACE_PLACE_NOWHERE, 0, 0);
  trace_bind_g(r, m, NULL);
}

/* A running G makes another; or a timer's function does, on g0; or the G is the first. */
static void check_maker(struct trace_replay *r, const struct rep_m *m, const struct trace_event *e)
{
  const struct rep_timer *t = m->function ? trace_store_find(&r->timers, m->function) : NULL;
  bool by_timer = t && t->pub.what == TRACE_TIMERKIND_AFTER_FUNC;
  if (trace_args_go_create(e).fn == 0 && trace_judges(r, TRACE_FAMILY_SCHED))
    trace_broken(r, TRACE_RULE_G_CREATE, "G%u is made, but runs no function",
                 trace_args_go_create(e).new_g);
  else if (e->g == 0 && !by_timer && r->has_gs && trace_judges(r, TRACE_FAMILY_TIMER))
    trace_broken(r, TRACE_RULE_G_CREATE, "G%u is made on g0 of M%u, but by no timer",
                 trace_args_go_create(e).new_g, m->pub.id);
}

void trace_on_go_create(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  struct trace_args_go_create a = trace_args_go_create(e);
  char phrase[TRACE_PHRASE];
  if (a.new_g == 0) {
    trace_broken(r, TRACE_RULE_G_CREATE, "a G is made, but its id is 0");
    return;
  }
  struct rep_g *g = trace_store_find(&r->gs, a.new_g);
  if (g) {
    trace_broken(r, TRACE_RULE_G_CREATE, "G%u is made, but there is one already: it is %s", a.new_g,
                 trace_g_phrase(g, phrase));
    trace_drop_g(r, g);
  }
  g = trace_new_g(r, a.new_g, TRACE_GSTATUS_RUNNABLE);
  if (!g)
    return;
  g->pub.parent = e->g;
  g->pub.fn = a.fn;
  g->seq_known = true;
  check_maker(r, m, e);
  into_hand(r, m, g);
  r->has_gs = true;
  trace_hand_due(r, m, a.new_g, HAND_READY);
}

/* NULL, or why g cannot start on m. */
static const char *start_obstacle(const struct trace_replay *r, const struct rep_m *m,
                                  const struct rep_g *g)
{
  if (!g->wild && g->pub.status != TRACE_GSTATUS_RUNNABLE)
    return "it is not runnable";
  if (g->pub.locked_m != TRACE_NO_M && g->pub.locked_m != m->pub.id)
    return "it is locked to another M";
  bool in_hand = g->pub.place == TRACE_PLACE_HAND &&
                 (g->pub.place_id == m->pub.id || g->pub.locked_m == m->pub.id);
  if (!in_hand && !trace_place_open(g) && trace_trusts(r, TRACE_FAMILY_RUNQ))
    return "it is not in this M's hand";
  if (m->pub.p == TRACE_NO_P)
    return "the M has no P";
  if (m->pub.g != 0)
    return "the M has a G already";
  if (m->pub.status != TRACE_MSTATUS_RUNNING)
    return "the M is not free to run one";
  return NULL;
}

/* A slice is inherited from whom put the G into this P's runnext, or from itself: it never really stopped, because it
 * could not park, or its P went away under it while it stopped the world. Who is locked to an M, and was found by
 * another one, which hands him over, gets a new one. */
static void check_inherit(struct trace_replay *r, const struct rep_m *m, const struct rep_g *g,
                          bool inherit)
{
  bool by_itself = r->world.stopped && m->prev_g == g->pub.goid;
  bool in_hand = g->pub.place == TRACE_PLACE_HAND && g->pub.place_id == m->pub.id;
  if (inherit == ((g->keeps_slice && in_hand) || by_itself) ||
      !trace_judges(r, TRACE_FAMILY_RUNQ | TRACE_FAMILY_STW))
    return;
  trace_broken(r, TRACE_RULE_G_START,
               inherit ? "G%u inherits the rest of a time slice on M%u, but it was in no runnext"
                       : "G%u gets a new time slice on M%u, but it was in the runnext of its P",
               g->pub.goid, m->pub.id);
}

void trace_on_go_start(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  struct trace_args_go_start a = trace_args_go_start(e);
  char g_is[TRACE_PHRASE], m_is[TRACE_PHRASE];
  struct rep_g *g = trace_need_g(r, a.run_g, TRACE_RULE_G_START);
  if (!g)
    return;
  const char *obstacle = start_obstacle(r, m, g);
  if (obstacle)
    trace_broken(r, TRACE_RULE_G_START, "G%u starts on M%u, but %s: G%u is %s, M%u is %s", a.run_g,
                 m->pub.id, obstacle, a.run_g, trace_g_phrase(g, g_is), m->pub.id,
                 trace_m_phrase(m, m_is));
  trace_check_g_seq(r, g, a.g_seq);
  if (m->n_ps && !r->world.stopped && trace_judges(r, TRACE_FAMILY_SCHED))
    trace_broken(r, TRACE_RULE_P_HAND, "G%u starts on M%u, which has another P in its hand",
                 g->pub.goid, m->pub.id);
  check_inherit(r, m, g, a.inherit);
  trace_bind_g(r, m, g);
  trace_set_g(r, g, TRACE_GSTATUS_RUNNING);
  g->without_p = false;
  g->pub.why = 0;
  if (m->pub.status != TRACE_MSTATUS_RUNNING)
    trace_set_m(r, m, TRACE_MSTATUS_RUNNING);
}

/* Who stops is queued next, and where says why: who gives way to the one that it made ready is told as preempted, too,
 * but was asked by nobody. */
static void stopped(struct trace_replay *r, struct rep_m *m, const struct rep_g *g)
{
  bool is_asked = m->has_obeyed || !trace_judges(r, TRACE_FAMILY_PREEMPT);
  if (g->pub.why == TRACE_STOP_GOSCHED)
    trace_hand_due(r, m, g->pub.goid, HAND_YIELDED);
  else if (g->pub.why == TRACE_STOP_PREEMPTED)
    trace_hand_due(r, m, g->pub.goid, is_asked ? HAND_OBEYED : HAND_GAVE_WAY);
  if (m->has_obeyed && g->pub.why != TRACE_STOP_PREEMPTED)
    trace_broken(r, TRACE_RULE_PREEMPT, "G%u obeyed a request to stop, but is said to have yielded",
                 g->pub.goid);
}

void trace_on_go_stop(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  struct trace_args_go_stop a = trace_args_go_stop(e);
  struct rep_g *g = trace_subject(r, m);
  if (!g)
    return;
  trace_check_panic_rest(r, g);
  let_go(r, m, g);
  into_hand(r, m, g);
  g->pub.why = a.why;
  stopped(r, m, g);
}

/* A G that waits for nothing waits for no object, and every channel and descriptor was told when it was made. Where
 * something else stands that was a channel, that channel is gone. */
static void check_reason(struct trace_replay *r, const struct rep_g *g)
{
  bool on_chan = g->pub.why == TRACE_WAIT_RECV || g->pub.why == TRACE_WAIT_SEND;
  bool on_fd = g->pub.why == TRACE_WAIT_IO;
  bool on_none = g->pub.why == TRACE_WAIT_RECV_NIL || g->pub.why == TRACE_WAIT_SEND_NIL ||
                 g->pub.why == TRACE_WAIT_SELECT_NONE || g->pub.why == TRACE_WAIT_STOPPING_WORLD;
  struct rep_object *o = g->pub.obj ? trace_store_find(&r->objects, g->pub.obj) : NULL;
  uint32_t what = o ? o->what : TRACE_OBJKIND_OTHER;
  uint32_t must = on_chan ? TRACE_OBJKIND_CHAN : TRACE_OBJKIND_FD;
  if (!trace_judges(r, TRACE_FAMILY_SCHED | TRACE_FAMILY_USER))
    return;
  if (on_none && g->pub.obj)
    trace_broken(r, TRACE_RULE_G_RUNNING, "G%u parks (%s), but for an object", g->pub.goid,
                 trace_word_text(TRACE_ARG_WAIT, g->pub.why));
  else if ((on_chan || on_fd) && what != must)
    trace_broken(r, TRACE_RULE_G_RUNNING, "G%u parks (%s), but not for a %s", g->pub.goid,
                 trace_word_text(TRACE_ARG_WAIT, g->pub.why), on_chan ? "channel" : "descriptor");
  else if (o && o->what == TRACE_OBJKIND_CHAN && !on_chan && g->pub.why != TRACE_WAIT_SELECT)
    o->what = TRACE_OBJKIND_OTHER;
}

void trace_on_go_block(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  struct trace_args_go_block a = trace_args_go_block(e);
  struct rep_g *g = trace_subject(r, m);
  if (!g)
    return;
  trace_check_panic_rest(r, g);
  let_go(r, m, g);
  trace_set_g(r, g, TRACE_GSTATUS_WAITING);
  g->pub.why = a.why;
  g->pub.obj = a.obj;
  check_reason(r, g);
  trace_check_may_leave(r, m);
}

/* NULL, or why m cannot be who makes g ready. */
static const char *wrong_waker(const struct trace_replay *r, const struct rep_m *m,
                               const struct rep_g *g, const struct trace_event *e)
{
  const struct rep_timer *t = m->function ? trace_store_find(&r->timers, m->function) : NULL;
  switch (g->pub.why) {
  case TRACE_WAIT_RECV_NIL:
  case TRACE_WAIT_SEND_NIL:
  case TRACE_WAIT_SELECT_NONE:
    return "nothing can end that";
  case TRACE_WAIT_SLEEP:
    if (trace_judges(r, TRACE_FAMILY_TIMER) && (!t || t->pub.owner != g->pub.goid))
      return "no timer of its own fired";
    return NULL;
  case TRACE_WAIT_IO: /* else by a deadline, by another G, that closes or had the turn, or it did not park at all */
    if (e->g == 0 && !t && m->last_kind != TRACE_GO_BLOCK && g->found_by != m->pub.id + 1 &&
        trace_judges(r, TRACE_FAMILY_TIMER | TRACE_FAMILY_NETPOLL))
      return "no netpoll found it";
    return NULL;
  default:
    return NULL;
  }
}

/* A descriptor, as an object, says its number as its capacity. */
static void check_found(struct trace_replay *r, const struct rep_g *g)
{
  const struct rep_object *o = g->pub.obj ? trace_store_find(&r->objects, g->pub.obj) : NULL;
  bool waits = g->pub.status == TRACE_GSTATUS_WAITING && g->pub.why == TRACE_WAIT_IO;
  if (waits && o && o->capacity == g->found_fd)
    return;
  if (trace_judges(r, TRACE_FAMILY_SCHED | TRACE_FAMILY_NETPOLL | TRACE_FAMILY_USER))
    trace_broken(r, TRACE_RULE_NETPOLL, "G%u was found by descriptor %u, but does not wait for it",
                 g->pub.goid, g->found_fd);
}

static void check_waker(struct trace_replay *r, const struct rep_m *m, const struct rep_g *g,
                        const struct trace_event *e)
{
  const char *wrong =
      trace_judges(r, TRACE_FAMILY_SCHED) && !g->wild ? wrong_waker(r, m, g, e) : NULL;
  if (wrong)
    trace_broken(r, TRACE_RULE_G_UNBLOCK, "G%u is made ready by M%u from \"%s\", but %s",
                 g->pub.goid, m->pub.id, trace_word_text(TRACE_ARG_WAIT, g->pub.why), wrong);
}

void trace_on_go_unblock(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  struct trace_args_go_unblock a = trace_args_go_unblock(e);
  char phrase[TRACE_PHRASE];
  struct rep_g *g = trace_need_g(r, a.woken_g, TRACE_RULE_G_UNBLOCK);
  if (!g)
    return;
  if (!g->wild && g->pub.status != TRACE_GSTATUS_WAITING)
    trace_broken(r, TRACE_RULE_G_UNBLOCK, "G%u is made ready by M%u, but it is %s", a.woken_g,
                 m->pub.id, trace_g_phrase(g, phrase));
  else if (g->pub.why != TRACE_WAIT_SELECT && a.obj != g->pub.obj &&
           trace_judges(r, TRACE_FAMILY_SCHED))
    trace_broken(r, TRACE_RULE_G_UNBLOCK, "G%u is made ready from 0x%lx, but it waits for 0x%lx",
                 a.woken_g, (unsigned long)a.obj, (unsigned long)g->pub.obj);
  check_waker(r, m, g, e);
  if (g->found_by == m->pub.id + 1) {
    check_found(r, g);
    g->found_by = 0;
    m->n_found--;
  }
  trace_check_g_seq(r, g, a.g_seq);
  into_hand(r, m, g);
  g->without_p = m->pub.p == TRACE_NO_P;
  g->before = TRACE_GSTATUS_WAITING;
  g->keeps_slice = m->last_kind == TRACE_GO_BLOCK && m->prev_g == a.woken_g;
  g->pub.why = 0;
  g->pub.obj = 0;
  trace_hand_due(r, m, a.woken_g, HAND_READY);
  g->pub.waker = e->g;
  g->pub.wake_no = r->world.n_events;
}

void trace_on_go_destroy(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  (void)e;
  struct rep_g *g = trace_subject(r, m);
  if (!g)
    return;
  trace_check_panic_rest(r, g);
  bool told = trace_trusts(r, TRACE_FAMILY_DEFER) && trace_trusts(r, TRACE_FAMILY_PANIC);
  if (told && (g->defers.n || g->panics.n))
    trace_broken(r, TRACE_RULE_G_END, "G%u ends with %u deferred calls and %u panics left",
                 g->pub.goid, g->defers.n, g->panics.n);
  else if (told && g->calls.n)
    trace_broken(r, TRACE_RULE_DEFER_CALL, "G%u ends, but %u of its deferred calls have not ended",
                 g->pub.goid, g->calls.n);
  if (g->pub.locked_m != TRACE_NO_M && trace_judges(r, TRACE_FAMILY_SCHED))
    trace_broken(r, TRACE_RULE_G_END, "G%u ends, but it is still locked to M%u", g->pub.goid,
                 g->pub.locked_m);
  if (g->pub.locked_m == m->pub.id)
    m->pub.locked_g = 0;
  let_go(r, m, g);
  trace_drop_g(r, g);
}

/* ---- system calls ---- */

void trace_on_go_syscall_begin(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  struct trace_args_go_syscall_begin a = trace_args_go_syscall_begin(e);
  struct rep_g *g = trace_subject(r, m);
  if (!g)
    return;
  struct rep_p *p = m->pub.p == TRACE_NO_P ? NULL : trace_store_find(&r->ps, m->pub.p);
  if (!p)
    trace_broken(r, TRACE_RULE_G_SYSCALL, "G%u enters a system call on M%u, which has no P",
                 g->pub.goid, m->pub.id);
  else if (p->seq_known && p->pub.seq != a.p_seq)
    trace_broken(r, TRACE_RULE_P_SEQ, "a system call begins with P%u at %u, but its number is %u",
                 p->pub.id, a.p_seq, p->pub.seq);
  trace_set_g(r, g, TRACE_GSTATUS_SYSCALL);
  m->reacquired = false;
}

/* The G of this record comes back from a system call. */
static struct rep_g *syscall_subject(struct trace_replay *r, struct rep_m *m)
{
  char phrase[TRACE_PHRASE];
  struct rep_g *g = trace_need_g(r, r->event->g, TRACE_RULE_G_SYSCALL);
  if (!g)
    return NULL;
  if (!g->wild && (g->pub.status != TRACE_GSTATUS_SYSCALL || m->pub.g != g->pub.goid))
    trace_broken(r, TRACE_RULE_G_SYSCALL, "G%u leaves a system call on M%u, but it is %s",
                 g->pub.goid, m->pub.id, trace_g_phrase(g, phrase));
  return g;
}

void trace_on_go_syscall_end(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  (void)e;
  struct rep_g *g = syscall_subject(r, m);
  if (!g)
    return;
  if (m->pub.p == TRACE_NO_P)
    trace_broken(r, TRACE_RULE_G_SYSCALL, "G%u leaves a system call with its P, but M%u has none",
                 g->pub.goid, m->pub.id);
  trace_bind_g(r, m, g);
  trace_set_g(r, g, TRACE_GSTATUS_RUNNING);
}

void trace_on_go_syscall_end_blocked(struct trace_replay *r, struct rep_m *m,
                                     const struct trace_event *e)
{
  struct trace_args_go_syscall_end_blocked a = trace_args_go_syscall_end_blocked(e);
  struct rep_g *g = syscall_subject(r, m);
  if (!g)
    return;
  if (m->pub.p != TRACE_NO_P && !m->reacquired)
    trace_broken(r, TRACE_RULE_G_SYSCALL,
                 "G%u leaves a system call without its P, but M%u still has P%u", g->pub.goid,
                 m->pub.id, m->pub.p);
  trace_check_g_seq(r, g, a.g_seq);
  let_go(r, m, g);
  into_hand(r, m, g);
  g->without_p = m->pub.p == TRACE_NO_P;
  g->before = TRACE_GSTATUS_RUNNING;
}

/* ---- what existed when recording began ---- */

void trace_on_go_status(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  (void)m;
  struct trace_args_go_status a = trace_args_go_status(e);
  char phrase[TRACE_PHRASE];
  struct rep_g *g = trace_store_find(&r->gs, a.subject_g);
  if (g && !g->wild && !r->adopting && g->pub.status != a.status)
    trace_broken(r, TRACE_RULE_G_CREATE, "G%u is said to be %s, but it is %s", a.subject_g,
                 trace_word_text(TRACE_ARG_GSTATUS, a.status), trace_g_phrase(g, phrase));
  if (a.subject_g == 0)
    trace_broken(r, TRACE_RULE_G_CREATE, "the state of a G is told, but its id is 0");
  else if (!g)
    g = trace_new_g(r, a.subject_g, a.status);
  if (!g)
    return;
  trace_set_g(r, g, a.status);
  g->pub.seq = a.g_seq;
  g->seq_known = true;
  g->place_unknown = a.status == TRACE_GSTATUS_RUNNABLE && g->pub.place == TRACE_PLACE_NOWHERE;
  bool has_m = a.status == TRACE_GSTATUS_RUNNING || a.status == TRACE_GSTATUS_SYSCALL;
  struct rep_m *on_m = has_m && a.on_m != TRACE_NO_M ? trace_need_m(r, a.on_m) : NULL;
  if (on_m)
    trace_bind_g(r, on_m, g);
}

void trace_on_go_status_wait(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  (void)m;
  struct trace_args_go_status_wait a = trace_args_go_status_wait(e);
  char phrase[TRACE_PHRASE];
  struct rep_g *g = trace_need_g(r, a.subject_g, TRACE_RULE_G_CREATE);
  if (!g)
    return;
  if (!g->wild && g->pub.status != TRACE_GSTATUS_WAITING)
    trace_broken(r, TRACE_RULE_G_CREATE, "it is told what G%u waits for, but it is %s", a.subject_g,
                 trace_g_phrase(g, phrase));
  trace_set_g(r, g, TRACE_GSTATUS_WAITING);
  g->pub.why = a.why;
  g->pub.obj = a.obj;
}

void trace_on_go_origin(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  (void)m;
  struct trace_args_go_origin a = trace_args_go_origin(e);
  struct rep_g *g = trace_need_g(r, a.subject_g, TRACE_RULE_G_CREATE);
  if (!g)
    return;
  g->pub.parent = a.parent_g;
  g->pub.fn = a.fn;
}

void trace_on_go_name(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  struct trace_args_go_name a = trace_args_go_name(e);
  struct rep_g *g = trace_need_g(r, a.named_g, TRACE_RULE_G_CREATE);
  if (!g)
    return;
  if (a.named_g != (m->hand_due == HAND_READY ? m->hand_g : e->g) &&
      trace_judges(r, TRACE_FAMILY_SCHED | TRACE_FAMILY_RUNQ))
    trace_broken(r, TRACE_RULE_G_CREATE, "G%u is named on M%u, which neither runs it nor made it",
                 a.named_g, m->pub.id);
  g->pub.name = a.name;
}
