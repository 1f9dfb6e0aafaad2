/* SPDX-License-Identifier: MIT */
/* trace-replay-state.c - things, their states and places, and how a broken rule is noted.
 *
 * Every count of trace_world is kept here, in the setters, and nowhere else. */
#include "trace-replay-state.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- arrays ---- */

void *trace_array_add(struct trace_array *a, size_t size)
{
  if (a->n == a->capacity) {
    uint32_t capacity = a->capacity ? a->capacity * 2 : 4;
    void *bigger = realloc(a->items, capacity * size);
    if (!bigger)
      return NULL;
    a->items = bigger;
    a->capacity = capacity;
  }
  return memset((char *)a->items + size * a->n++, 0, size);
}

bool trace_array_copy(struct trace_array *to, const struct trace_array *from, size_t size)
{
  *to = (struct trace_array){ 0 };
  if (from->n == 0)
    return true;
  to->items = malloc(from->n * size);
  if (!to->items)
    return false;
  memcpy(to->items, from->items, from->n * size);
  to->n = to->capacity = from->n;
  return true;
}

/* ---- saying what is wrong ---- */

static const struct {
  const char *name, *text;
} rules[] = {
#define X(NAME, name, text) [TRACE_RULE_##NAME] = { name, text },
  TRACE_RULES(X)
#undef X
};

const char *trace_rule_name(enum trace_rule rule)
{
  return rule > TRACE_RULE_NONE && rule < TRACE_RULE_LIMIT ? rules[rule].name : NULL;
}

const char *trace_rule_text(enum trace_rule rule)
{
  return rule > TRACE_RULE_NONE && rule < TRACE_RULE_LIMIT ? rules[rule].text : NULL;
}

/* The family whose events must be whole for a rule to be checked. */
static uint32_t family_of(enum trace_rule rule)
{
  if (rule == TRACE_RULE_RECORD || rule == TRACE_RULE_TIME || rule == TRACE_RULE_LOST)
    return TRACE_FAMILY_ALL; /* of one record alone: always */
  if (rule <= TRACE_RULE_P_STOPPED)
    return TRACE_FAMILY_SCHED;
  if (rule <= TRACE_RULE_RUNQ_ONCE)
    return TRACE_FAMILY_RUNQ;
  if (rule <= TRACE_RULE_TIMER_CHECK)
    return TRACE_FAMILY_TIMER;
  if (rule <= TRACE_RULE_DEFER_CALL)
    return TRACE_FAMILY_DEFER;
  if (rule <= TRACE_RULE_RECOVERED)
    return TRACE_FAMILY_PANIC;
  switch (rule) {
  case TRACE_RULE_STW:
    return TRACE_FAMILY_STW;
  case TRACE_RULE_NETPOLL:
    return TRACE_FAMILY_NETPOLL;
  case TRACE_RULE_PREEMPT:
    return TRACE_FAMILY_PREEMPT;
  case TRACE_RULE_RETAKE:
    return TRACE_FAMILY_SYSMON;
  case TRACE_RULE_TASK:
    return TRACE_FAMILY_USER;
  default:
    return TRACE_FAMILY_META;
  }
}

void trace_broken(struct trace_replay *r, enum trace_rule rule, const char *format, ...)
{
  if (!trace_trusts(r, family_of(rule)))
    return;
  r->breaches++;
  if (r->broke)
    return; /* the first of an event is told */
  r->broke = true;
  r->breach.by_fault = false;
  r->breach.rule = rule;
  r->breach.event_no = r->world.n_events;
  if (r->event)
    r->breach.event = *r->event;
  va_list args;
  va_start(args, format);
  vsnprintf(r->breach.sentence, sizeof r->breach.sentence, format, args);
  va_end(args);
}

const char *trace_p_name(uint32_t p, char out[TRACE_PHRASE])
{
  if (p == TRACE_NO_P)
    snprintf(out, TRACE_PHRASE, "no P");
  else
    snprintf(out, TRACE_PHRASE, "P%u", p);
  return out;
}

static void place_phrase(const struct rep_g *g, char out[TRACE_PHRASE])
{
  uint32_t id = g->pub.place_id;
  switch (g->pub.place) {
  case TRACE_PLACE_NOWHERE:
    snprintf(out, TRACE_PHRASE, "runnable on no queue");
    break;
  case TRACE_PLACE_HAND:
    snprintf(out, TRACE_PHRASE, "runnable in M%u's hand", id);
    break;
  case TRACE_PLACE_RING:
    snprintf(out, TRACE_PHRASE, "runnable in P%u's ring at index %u", id, (uint32_t)g->place_index);
    break;
  case TRACE_PLACE_NEXT:
    snprintf(out, TRACE_PHRASE, "runnable in P%u's runnext", id);
    break;
  case TRACE_PLACE_GLOBAL:
    snprintf(out, TRACE_PHRASE, "runnable on the global queue");
    break;
  }
}

const char *trace_g_phrase(const struct rep_g *g, char out[TRACE_PHRASE])
{
  switch (g->pub.status) {
  case TRACE_GSTATUS_RUNNABLE:
    place_phrase(g, out);
    break;
  case TRACE_GSTATUS_RUNNING:
    snprintf(out, TRACE_PHRASE, "running on M%u", g->pub.m);
    break;
  case TRACE_GSTATUS_SYSCALL:
    snprintf(out, TRACE_PHRASE, "in a system call on M%u", g->pub.m);
    break;
  case TRACE_GSTATUS_WAITING:
    snprintf(out, TRACE_PHRASE, "waiting (%s)", trace_word_text(TRACE_ARG_WAIT, g->pub.why));
    break;
  default:
    snprintf(out, TRACE_PHRASE, "%s", trace_word_text(TRACE_ARG_GSTATUS, g->pub.status));
  }
  return out;
}

const char *trace_p_phrase(const struct rep_p *p, char out[TRACE_PHRASE])
{
  if (p->pub.m != TRACE_NO_M)
    snprintf(out, TRACE_PHRASE, "held by M%u", p->pub.m);
  else
    snprintf(out, TRACE_PHRASE, "%s", trace_word_text(TRACE_ARG_PSTATUS, p->pub.status));
  return out;
}

const char *trace_m_phrase(const struct rep_m *m, char out[TRACE_PHRASE])
{
  snprintf(out, TRACE_PHRASE, "%s", trace_word_text(TRACE_ARG_MSTATUS, m->pub.status));
  return out;
}

/* ---- things ---- */

static void no_memory(struct trace_replay *r)
{
  trace_broken(r, TRACE_RULE_RECORD, "no memory is left to replay this event");
}

struct rep_g *trace_new_g(struct trace_replay *r, uint32_t goid, uint32_t status)
{
  struct rep_g *g = trace_store_add(&r->gs, goid);
  if (!g) {
    no_memory(r);
    return NULL;
  }
  g->pub.goid = goid;
  g->pub.status = status;
  g->pub.m = g->pub.locked_m = TRACE_NO_M;
  g->pub.p = TRACE_NO_P;
  g->pub.since = g->pub.created = r->world.ts;
  r->world.n_by_status[status]++;
  r->world.n_gs++;
  return g;
}

struct rep_g *trace_need_g(struct trace_replay *r, uint32_t goid, enum trace_rule rule)
{
  if (goid == 0) {
    trace_broken(r, rule, "a G is needed here, but none is named");
    return NULL;
  }
  struct rep_g *g = trace_store_find(&r->gs, goid);
  if (g)
    return g;
  if (!r->adopting)
    trace_broken(r, rule, "G%u is named, but it was never made, or has ended", goid);
  g = trace_new_g(r, goid, TRACE_GSTATUS_IDLE);
  if (g)
    g->wild = true;
  return g;
}

void trace_drop_g(struct trace_replay *r, struct rep_g *g)
{
  trace_set_place(r, g, TRACE_PLACE_NOWHERE, 0, 0);
  r->world.n_by_status[g->pub.status]--;
  r->world.n_gs--;
  free(g->defers.items);
  free(g->panics.items);
  free(g->calls.items);
  trace_store_remove(&r->gs, g->pub.goid);
}

struct rep_m *trace_need_m(struct trace_replay *r, uint32_t id)
{
  struct rep_m *m = trace_store_find(&r->ms, id);
  if (m)
    return m;
  m = trace_store_add(&r->ms, id);
  if (!m) {
    no_memory(r);
    return NULL;
  }
  m->pub.id = id;
  m->pub.p = TRACE_NO_P;
  m->pub.since = r->world.ts;
  m->pub.last_ts = m->fired_now = INT64_MIN;
  m->next_p = m->runs_heap = m->retake_due = m->session = TRACE_NO_P;
  m->woken_by = TRACE_NO_M;
  m->wild = r->adopting;
  r->world.n_ms++;
  return m;
}

struct rep_p *trace_need_p(struct trace_replay *r, uint32_t id, enum trace_rule rule)
{
  if (id >= TRACE_NO_P) {
    trace_broken(r, rule, "a P is needed here, but none is named");
    return NULL;
  }
  struct rep_p *p = trace_store_find(&r->ps, id);
  if (p)
    return p;
  if (!r->adopting)
    trace_broken(r, rule, "P%u is named, but no proc_status made it", id);
  p = trace_store_add(&r->ps, id);
  if (!p) {
    no_memory(r);
    return NULL;
  }
  p->pub.id = id;
  p->pub.status = TRACE_PSTATUS_HANDED;
  p->pub.m = p->hand_m = p->handed_by = TRACE_NO_M;
  p->pub.since = r->world.ts;
  p->wild = true;
  r->world.n_ps++;
  return p;
}

struct rep_timer *trace_need_timer(struct trace_replay *r, uint32_t id)
{
  struct rep_timer *t = trace_store_find(&r->timers, id);
  if (t)
    return t;
  t = trace_store_add(&r->timers, id);
  if (!t) {
    no_memory(r);
    return NULL;
  }
  t->pub.id = id;
  t->pub.heap = TRACE_NO_P;
  return t;
}

/* ---- setters ---- */

void trace_set_g(struct trace_replay *r, struct rep_g *g, uint32_t status)
{
  r->world.n_by_status[g->pub.status]--;
  r->world.n_by_status[status]++;
  g->pub.status = status;
  g->pub.since = r->world.ts;
  g->wild = false;
}

void trace_set_m(struct trace_replay *r, struct rep_m *m, uint32_t status)
{
  r->world.n_spinning +=
      (status == TRACE_MSTATUS_SPINNING) - (m->pub.status == TRACE_MSTATUS_SPINNING);
  r->world.n_idle_ms += (status == TRACE_MSTATUS_PARKED) - (m->pub.status == TRACE_MSTATUS_PARKED);
  r->world.n_ms += (status != TRACE_MSTATUS_DEAD) - (m->pub.status != TRACE_MSTATUS_DEAD);
  if (status == TRACE_MSTATUS_PARKED)
    m->idle_no = ++r->n_parks;
  m->pub.status = status;
  m->pub.since = r->world.ts;
}

void trace_set_p(struct trace_replay *r, struct rep_p *p, uint32_t status)
{
  bool idle = status == TRACE_PSTATUS_IDLE;
  if (p->hand_m != TRACE_NO_M)
    trace_hand_p(r, p, TRACE_NO_M);
  r->world.n_idle_ps += idle - p->idle_listed;
  r->world.n_ps += (status != TRACE_PSTATUS_DEAD) - (p->pub.status != TRACE_PSTATUS_DEAD);
  if (idle)
    p->idle_no = ++r->n_idles;
  p->idle_listed = idle;
  p->pub.status = status;
  p->pub.since = r->world.ts;
  p->wild = false;
}

void trace_hand_p(struct trace_replay *r, struct rep_p *p, uint32_t m)
{
  struct rep_m *old = p->hand_m == TRACE_NO_M ? NULL : trace_store_find(&r->ms, p->hand_m);
  struct rep_m *new = m == TRACE_NO_M ? NULL : trace_store_find(&r->ms, m);
  if (old && old->n_ps > 0)
    old->n_ps--;
  if (new)
    new->n_ps++;
  p->hand_m = m;
  p->handed_by = TRACE_NO_M;
}

/* A G whose lock to an M lets that M start it from anybody's hand is not counted. */
static bool counts_in_hand(const struct rep_g *g, uint32_t m)
{
  return g->pub.locked_m == TRACE_NO_M || g->pub.locked_m == m;
}

static void leave_place(struct trace_replay *r, struct rep_g *g)
{
  uint32_t id = g->pub.place_id;
  struct rep_p *p;
  struct rep_m *m;
  switch (g->pub.place) {
  case TRACE_PLACE_NOWHERE:
    break;
  case TRACE_PLACE_HAND:
    m = trace_store_find(&r->ms, id);
    if (m && counts_in_hand(g, id) && m->n_hand > 0)
      m->n_hand--;
    break;
  case TRACE_PLACE_RING:
    p = trace_store_find(&r->ps, id);
    p->ring[g->place_index & (p->ring_capacity - 1)] = 0;
    p->pub.n_ring--;
    break;
  case TRACE_PLACE_NEXT:
    p = trace_store_find(&r->ps, id);
    if (p->pub.runnext == g->pub.goid)
      p->pub.runnext = 0;
    g->theft_due = false;
    break;
  case TRACE_PLACE_GLOBAL:
    r->global[g->place_index & (r->global_capacity - 1)] = 0;
    r->world.n_global--;
    break;
  }
}

void trace_set_place(struct trace_replay *r, struct rep_g *g, enum trace_place place, uint32_t id,
                     uint64_t index)
{
  leave_place(r, g);
  g->pub.place = place;
  g->pub.place_id = id;
  g->place_index = index;
  g->place_unknown = g->keeps_slice = false;
  if (place == TRACE_PLACE_HAND && counts_in_hand(g, id)) {
    struct rep_m *m = trace_store_find(&r->ms, id);
    if (m)
      m->n_hand++;
  }
}

void trace_bind_g(struct trace_replay *r, struct rep_m *m, struct rep_g *g)
{
  if (m->pub.g && (!g || m->pub.g != g->pub.goid))
    m->prev_g = m->pub.g;
  m->pub.g = g ? g->pub.goid : 0;
  if (!g)
    return;
  trace_set_place(r, g, TRACE_PLACE_NOWHERE, 0, 0);
  g->pub.m = m->pub.id;
  g->pub.p = m->pub.p;
}

void trace_bind_p(struct trace_replay *r, struct rep_m *m, struct rep_p *p)
{
  if (m->pub.p != TRACE_NO_P && (!p || m->pub.p != p->pub.id)) {
    struct rep_p *old = trace_store_find(&r->ps, m->pub.p);
    if (old && old->pub.m == m->pub.id)
      old->pub.m = TRACE_NO_M;
  }
  m->pub.p = p ? p->pub.id : TRACE_NO_P;
  if (!p)
    return;
  if (p->pub.m != TRACE_NO_M && p->pub.m != m->pub.id) {
    struct rep_m *holder = trace_store_find(&r->ms, p->pub.m);
    if (holder)
      holder->pub.p = TRACE_NO_P;
  }
  p->pub.m = m->pub.id;
}

void trace_check_g_seq(struct trace_replay *r, struct rep_g *g, uint32_t seq)
{
  if (g->seq_known && seq != g->pub.seq + 1)
    trace_broken(r, TRACE_RULE_G_SEQ, "G%u's sequence number is %u, but the last one was %u",
                 g->pub.goid, seq, g->pub.seq);
  g->pub.seq = seq;
  g->seq_known = true;
}

void trace_check_p_seq(struct trace_replay *r, struct rep_p *p, uint32_t seq)
{
  if (p->seq_known && seq != p->pub.seq + 1)
    trace_broken(r, TRACE_RULE_P_SEQ, "P%u's sequence number is %u, but the last one was %u",
                 p->pub.id, seq, p->pub.seq);
  p->pub.seq = seq;
  p->seq_known = true;
}

void trace_p_gone(struct trace_replay *r, struct rep_m *m)
{
  struct rep_p *p = trace_store_find(&r->ps, m->pub.p);
  trace_bind_p(r, m, NULL);
  trace_set_p(r, p, TRACE_PSTATUS_HANDED);
  p->steal_due = true;
  p->lost_by = m->pub.id;
  p->due_since = r->world.ts;
}
