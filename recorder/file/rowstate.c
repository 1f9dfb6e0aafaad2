/* SPDX-License-Identifier: MIT */
/* rowstate.c - intervals of state, and wakes, from the replay that also checks traces and draws pictures: the
 * tables cannot say anything else than those.
 *
 * After each event the things that it names (its M, P and G, and its arguments of these types) are looked at; if
 * one is not as it was, its interval ends there and a new one begins.  So rows come in the order of their ends, and
 * those still open at the end of the trace come last, with t_end NULL.
 *
 * A P whose G is in a system call is shown as "in syscall", as Go's own tracer does; in the replay, as in
 * today's Go, it is still running.
 * Cost: a replay step and two to five look-ups an event.
 */
#include "rowstate.h"

#include "trace-grow.h"
#include "trace-map.h"
#include "trace-replay.h"

#include <stdlib.h>
#include <string.h>

#define QUEUE_MAX 16 /* rows one event can end: its M, P, G and four arguments */

/* What a thing is doing; a change of any but p (of what is no longer running) ends the interval. */
struct doing {
  const char *state, *why; /* static */
  int64_t m, p, g, obj;    /* ROW_NULL: none */
};

struct interval {
  uint32_t id;
  bool open;
  int64_t since;
  struct doing doing;
  struct table_row wake; /* of a G made ready and not yet run */
  bool wake_is_open;
};

struct row_states {
  enum table_id table;
  struct trace_replay *replay;
  struct trace_map by_id;
  struct interval *intervals;
  uint32_t n_intervals;
  size_t capacity;
  struct table_row queue[QUEUE_MAX];
  int queue_at, queue_n;
  uint32_t next_open; /* at the end */
  bool ended, out_of_memory;
};

struct row_states *row_states_new(enum table_id table)
{
  struct row_states *s = calloc(1, sizeof *s);
  if (!s)
    return NULL;
  s->table = table;
  s->replay = trace_replay_new();
  if (s->replay)
    return s;
  free(s);
  return NULL;
}

void row_states_free(struct row_states *s)
{
  if (!s)
    return;
  trace_replay_free(s->replay);
  trace_map_clear(&s->by_id);
  free(s->intervals);
  free(s);
}

/* NULL: out of memory. */
static struct interval *interval_of(struct row_states *s, uint32_t id)
{
  uint32_t i = trace_map_get(&s->by_id, id);
  if (i != TRACE_MAP_NONE)
    return &s->intervals[i];
  if (!trace_grow(&s->intervals, &s->capacity, s->n_intervals, sizeof *s->intervals))
    return NULL;
  if (!trace_map_put(&s->by_id, id, s->n_intervals))
    return NULL;
  struct interval *it = &s->intervals[s->n_intervals++];
  memset(it, 0, sizeof *it);
  it->id = id;
  return it;
}

/* ---- what things are doing, according to the replay ---- */

static int64_t none_or(uint32_t id, uint32_t none)
{
  return id == none ? ROW_NULL : id;
}

static int64_t p_or_null(uint32_t p)
{
  return p >= TRACE_NO_P ? ROW_NULL : p;
}

static bool g_is_doing(const struct row_states *s, uint32_t id, struct doing *out)
{
  const struct trace_g *g = trace_replay_g(s->replay, id);
  if (!g)
    return false;
  *out = (struct doing){ .state = trace_word_text(TRACE_ARG_GSTATUS, g->status),
                         .m = ROW_NULL,
                         .p = ROW_NULL,
                         .g = ROW_NULL,
                         .obj = ROW_NULL };
  if (g->status == TRACE_GSTATUS_RUNNING || g->status == TRACE_GSTATUS_SYSCALL) {
    out->m = none_or(g->m, TRACE_NO_M);
    out->p = p_or_null(g->p);
  } else if (g->status == TRACE_GSTATUS_WAITING) {
    out->why = trace_word_text(TRACE_ARG_WAIT, g->why);
    out->obj = g->obj ? (int64_t)g->obj : ROW_NULL;
  } else if (g->place == TRACE_PLACE_RING || g->place == TRACE_PLACE_NEXT) {
    out->p = g->place_id;
  }
  return true;
}

static bool m_is_doing(const struct row_states *s, uint32_t id, struct doing *out)
{
  const struct trace_m *m = trace_replay_m(s->replay, id);
  if (!m)
    return false;
  *out = (struct doing){ .state = trace_word_text(TRACE_ARG_MSTATUS, m->status),
                         .m = ROW_NULL,
                         .p = p_or_null(m->p),
                         .g = none_or(m->g, 0),
                         .obj = ROW_NULL };
  return true;
}

static bool p_is_doing(const struct row_states *s, uint32_t id, struct doing *out)
{
  const struct trace_p *p = trace_replay_p(s->replay, id);
  if (!p)
    return false;
  const struct trace_m *m = p->m == TRACE_NO_M ? NULL : trace_replay_m(s->replay, p->m);
  const struct trace_g *g = m && m->g ? trace_replay_g(s->replay, m->g) : NULL;
  bool in_syscall = g && g->status == TRACE_GSTATUS_SYSCALL;
  *out = (struct doing){ .state = in_syscall ? "in syscall"
                                             : trace_word_text(TRACE_ARG_PSTATUS, p->status),
                         .m = none_or(p->m, TRACE_NO_M),
                         .p = ROW_NULL,
                         .g = g ? (int64_t)g->goid : ROW_NULL,
                         .obj = ROW_NULL };
  return true;
}

/* ---- rows ---- */

static void push(struct row_states *s, const struct table_row *row)
{
  if (s->queue_n < QUEUE_MAX)
    s->queue[s->queue_n++] = *row;
}

static void push_interval(struct row_states *s, const struct interval *it, int64_t end)
{
  const struct doing *d = &it->doing;
  struct table_row row = { .s = { d->state, d->why } };
  row.v[0] = it->id;
  row.v[1] = it->since;
  row.v[2] = end;
  row.v[3] = end == ROW_NULL ? ROW_NULL : end - it->since;
  row.v[6] = d->obj;
  switch (s->table) {
  case TABLE_G_STATE:
    row.v[4] = d->m;
    row.v[5] = d->p;
    break;
  case TABLE_M_STATE:
    row.v[4] = d->g;
    row.v[5] = d->p;
    break;
  default:
    row.v[4] = d->m;
    row.v[5] = d->g;
  }
  push(s, &row);
}

static bool is_same(const struct doing *a, const struct doing *b, bool p_counts)
{
  return a->state == b->state && a->why == b->why && a->m == b->m && a->g == b->g &&
         a->obj == b->obj && (!p_counts || a->p == b->p);
}

/* Looks at one thing after an event at ts. */
static void look_at(struct row_states *s, uint32_t id, int64_t ts)
{
  struct doing now;
  bool exists = s->table == TABLE_M_STATE   ? m_is_doing(s, id, &now)
                : s->table == TABLE_P_STATE ? p_is_doing(s, id, &now)
                                            : g_is_doing(s, id, &now);
  struct interval *it = interval_of(s, id);
  if (!it) {
    s->out_of_memory = true;
    return;
  }
  bool p_counts = s->table == TABLE_M_STATE;
  if (it->open && exists && is_same(&it->doing, &now, p_counts)) {
    it->doing.p = now.p; /* where a runnable G is queued became known */
    return;
  }
  if (it->open && s->table != TABLE_WAKE)
    push_interval(s, it, ts);
  it->open = exists;
  it->since = ts;
  if (exists)
    it->doing = now;
}

/* ---- wakes ---- */

static void begin_wake(struct row_states *s, const struct trace_event *e)
{
  struct interval *it = interval_of(s, e->w[0]);
  if (!it) {
    s->out_of_memory = true;
    return;
  }
  if (it->wake_is_open)
    push(s, &it->wake);
  bool was_waiting = it->open && it->doing.why;
  it->wake_is_open = true;
  it->wake = (struct table_row){ .s = { was_waiting ? it->doing.why : NULL, NULL } };
  const int64_t v[] = { e->ts,
                        none_or(e->g, 0),
                        e->m,
                        p_or_null(e->p),
                        e->w[0],
                        e->d[1] ? (int64_t)e->d[1] : ROW_NULL,
                        was_waiting ? e->ts - it->since : ROW_NULL,
                        ROW_NULL,
                        ROW_NULL,
                        ROW_NULL };
  memcpy(it->wake.v, v, sizeof v);
}

static void end_wake(struct row_states *s, const struct trace_event *e)
{
  struct interval *it = interval_of(s, e->w[0]);
  if (!it || !it->wake_is_open)
    return;
  it->wake.v[7] = e->ts;
  it->wake.v[8] = e->m;
  it->wake.v[9] = p_or_null(e->p);
  it->wake_is_open = false;
  push(s, &it->wake);
}

/* ---- events ---- */

static enum trace_arg looked_for(const struct row_states *s)
{
  return s->table == TABLE_M_STATE   ? TRACE_ARG_M
         : s->table == TABLE_P_STATE ? TRACE_ARG_P
                                     : TRACE_ARG_G;
}

static bool is_id(enum trace_arg type, uint32_t id)
{
  if (type == TRACE_ARG_G)
    return id != 0;
  return type == TRACE_ARG_P ? id < TRACE_NO_P : id != UINT32_MAX;
}

static void look_around(struct row_states *s, const struct trace_event *e)
{
  enum trace_arg type = looked_for(s);
  uint32_t own = type == TRACE_ARG_M ? e->m : type == TRACE_ARG_P ? e->p : e->g;
  if (is_id(type, own))
    look_at(s, own, e->ts);
  const struct trace_spec *spec = trace_spec_get(e->kind);
  for (int word = 0; spec && word < 4; word++) {
    if (spec->args[word].type == type && is_id(type, e->w[word]) && e->w[word] != own)
      look_at(s, e->w[word], e->ts);
  }
}

static void take_event(struct row_states *s, const struct trace_event *e)
{
  trace_replay_apply(s->replay, e);
  if (s->table == TABLE_WAKE && e->kind == TRACE_GO_UNBLOCK)
    begin_wake(s, e);
  if (s->table == TABLE_WAKE && e->kind == TRACE_GO_START)
    end_wake(s, e);
  look_around(s, e);
}

/* What is still open when the trace ends. */
static void push_next_open(struct row_states *s)
{
  const struct interval *it = &s->intervals[s->next_open++];
  if (s->table == TABLE_WAKE && it->wake_is_open)
    push(s, &it->wake);
  else if (s->table != TABLE_WAKE && it->open)
    push_interval(s, it, ROW_NULL);
}

const struct table_row *row_states_next(struct row_states *s, struct tracefile_cursor *cursor)
{
  while (s->queue_at == s->queue_n) {
    s->queue_at = s->queue_n = 0;
    const struct trace_event *e =
        s->ended || s->out_of_memory ? NULL : tracefile_cursor_next(cursor);
    s->ended = !e;
    if (e)
      take_event(s, e);
    else if (s->next_open < s->n_intervals)
      push_next_open(s);
    else
      return NULL;
  }
  return &s->queue[s->queue_at++];
}
