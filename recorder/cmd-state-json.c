/* SPDX-License-Identifier: MIT */
/* cmd-state-json.c - a state for programs: the same facts, by name; times in ns; null is none or unknown. */
#include "cmd-state.h"

#include <stdlib.h>

static void json_id(struct out_json *j, const char *key, uint32_t id, uint32_t none)
{
  if (id == none)
    out_null(j, key);
  else
    out_uint(j, key, id);
}

static void json_text(struct out_json *j, const char *key, const char *text)
{
  out_string(j, key, text[0] ? text : NULL);
}

static bool json_order(const struct state *s, struct out_json *j, const char *key, state_queue list)
{
  size_t n;
  uint32_t *ids = state_order(s->replay, list, &n);
  out_array(j, key);
  for (size_t i = 0; ids && i < n; i++)
    out_uint(j, NULL, ids[i]);
  out_end(j);
  free(ids);
  return ids != NULL;
}

static void json_stop(const struct state *s, const struct trace_world *w, struct out_json *j)
{
  char reason[STATE_NAME];
  json_id(j, "stopper_m", w->stopper, TRACE_NO_M);
  out_string(j, "stop_why",
             w->stopping || w->stopped ? trace_word_text(TRACE_ARG_STWWHY, w->stop_why) : NULL);
  out_string(j, "stop_reason", w->stop_reason ? state_string(s, w->stop_reason, reason) : NULL);
}

static void json_world(const struct state *s, struct out_json *j)
{
  const struct trace_world *w = trace_replay_world(s->replay);
  out_string(j, "file", s->path);
  out_int(j, "at", s->at);
  out_uint(j, "event", w->n_events);
  out_uint(j, "n_procs", w->n_procs);
  out_uint(j, "n_spinning", w->n_spinning);
  json_id(j, "polling_m", w->polling_m, TRACE_NO_M);
  out_bool(j, "stopping", w->stopping);
  out_bool(j, "stopped", w->stopped);
  json_stop(s, w, j);
}

static void json_heap(const struct state *s, struct out_json *j,
                      const struct trace_heap_entry *heap, size_t n)
{
  out_array(j, "timers");
  for (size_t i = 0; i < n; i++) {
    const struct trace_timer *timer = trace_replay_timer(s->replay, heap[i].timer);
    out_object(j, NULL);
    out_uint(j, "timer", heap[i].timer);
    out_string(j, "what", timer ? trace_word_text(TRACE_ARG_TIMERKIND, timer->what) : NULL);
    json_id(j, "owner_g", timer ? timer->owner : 0, 0);
    out_int(j, "key", heap[i].key);
    out_int(j, "when", heap[i].when);
    out_bool(j, "modified", heap[i].modified);
    out_bool(j, "zombie", heap[i].zombie);
    out_end(j);
  }
  out_end(j);
}

static bool json_p(const struct state *s, struct out_json *j, const struct trace_p *p)
{
  size_t n_ring, n_heap;
  uint32_t *ring = state_ring(s->replay, p->id, &n_ring);
  struct trace_heap_entry *heap = state_heap(s->replay, p->id, &n_heap);
  bool has_memory = ring && heap;
  out_object(j, NULL);
  out_uint(j, "p", p->id);
  out_string(j, "status", trace_word_text(TRACE_ARG_PSTATUS, p->status));
  out_int(j, "since", p->since);
  json_id(j, "m", p->m, TRACE_NO_M);
  json_id(j, "runnext", p->runnext, 0);
  out_array(j, "queue");
  for (size_t i = 0; ring && i < n_ring; i++)
    out_uint(j, NULL, ring[i]);
  out_end(j);
  json_heap(s, j, heap, heap ? n_heap : 0);
  out_end(j);
  free(ring);
  free(heap);
  return has_memory;
}

static void json_m(const struct state *s, struct out_json *j, const struct trace_m *m)
{
  out_object(j, NULL);
  out_uint(j, "m", m->id);
  out_uint(j, "tid", m->tid);
  out_string(j, "status", trace_word_text(TRACE_ARG_MSTATUS, state_m_status(s, m)));
  out_int(j, "since", m->since);
  json_id(j, "g", m->g, 0);
  json_id(j, "p", m->p, TRACE_NO_P);
  json_id(j, "locked_g", m->locked_g, 0);
  out_end(j);
}

static void json_chain(const struct state *s, struct out_json *j, const struct trace_g *g)
{
  char name[STATE_NAME];
  out_array(j, "defers");
  for (uint32_t i = g->n_defers; i-- > 0;) {
    out_object(j, NULL);
    json_text(j, "function", state_fn_name(s, g->defers[i].fn, name));
    out_uint(j, "fn", g->defers[i].fn);
    out_uint(j, "frame", g->defers[i].frame);
    out_string(j, "record", trace_word_text(TRACE_ARG_DEFERKIND, g->defers[i].record));
    out_end(j);
  }
  out_end(j);
  out_array(j, "deferred_calls");
  for (uint32_t i = g->n_calls; i-- > 0;) {
    out_object(j, NULL);
    json_text(j, "function", state_fn_name(s, g->calls[i].fn, name));
    out_uint(j, "frame", g->calls[i].frame);
    out_string(j, "because", trace_word_text(TRACE_ARG_CAUSE, g->calls[i].because));
    out_end(j);
  }
  out_end(j);
}

static void json_panics(const struct state *s, struct out_json *j, const struct trace_g *g)
{
  char text[STATE_NAME];
  out_array(j, "panics");
  for (uint32_t i = g->n_panics; i-- > 0;) {
    const struct trace_panic *panic = &g->panics[i];
    out_object(j, NULL);
    out_uint(j, "depth", panic->depth);
    out_bool(j, "is_goexit", panic->is_goexit);
    json_text(j, "value", panic->is_goexit ? "" : state_string(s, panic->value, text));
    out_uint(j, "frame", panic->frame);
    out_uint(j, "walked_to", panic->walked_to);
    json_id(j, "supersedes", panic->supersedes, 0);
    out_bool(j, "recovered", panic->recovered);
    out_end(j);
  }
  out_end(j);
}

static void json_place(struct out_json *j, const struct trace_g *g)
{
  static const char *const names[] = {
    [TRACE_PLACE_NOWHERE] = NULL,   [TRACE_PLACE_HAND] = "hand",     [TRACE_PLACE_RING] = "queue",
    [TRACE_PLACE_NEXT] = "runnext", [TRACE_PLACE_GLOBAL] = "global",
  };
  bool is_of_m = g->place == TRACE_PLACE_HAND;
  bool is_of_p = g->place == TRACE_PLACE_RING || g->place == TRACE_PLACE_NEXT;
  out_string(j, "place", names[g->place]);
  json_id(j, "place_m", is_of_m ? g->place_id : TRACE_NO_M, TRACE_NO_M);
  json_id(j, "place_p", is_of_p ? g->place_id : TRACE_NO_P, TRACE_NO_P);
}

static void json_g(const struct state *s, struct out_json *j, const struct trace_g *g)
{
  char text[STATE_DOING];
  bool is_on = g->status == TRACE_GSTATUS_RUNNING || g->status == TRACE_GSTATUS_SYSCALL;
  bool waits = g->status == TRACE_GSTATUS_WAITING;
  out_object(j, NULL);
  out_uint(j, "g", g->goid);
  json_text(j, "name", state_g_name(s, g, text));
  out_string(j, "status", trace_word_text(TRACE_ARG_GSTATUS, g->status));
  out_string(j, "why", waits ? trace_word_text(TRACE_ARG_WAIT, g->why) : NULL);
  json_text(j, "object", waits ? state_object_name(s, g->obj, text) : "");
  out_string(j, "doing", state_g_doing(s, g, text));
  out_int(j, "since", g->since);
  json_id(j, "m", is_on ? g->m : TRACE_NO_M, TRACE_NO_M);
  json_id(j, "p", is_on ? g->p : TRACE_NO_P, TRACE_NO_P);
  json_id(j, "parent_g", g->parent, 0);
  json_id(j, "locked_m", g->locked_m, TRACE_NO_M);
  json_place(j, g);
  json_chain(s, j, g);
  json_panics(s, j, g);
  out_end(j);
}

static bool json_things(const struct state *s, struct out_json *j, char kind)
{
  state_lister list = kind == 'p'   ? trace_replay_ps
                      : kind == 'm' ? trace_replay_ms
                                    : trace_replay_gs;
  size_t n;
  uint32_t *ids = state_list(s->replay, list, &n);
  bool has_memory = ids != NULL;
  out_array(j, kind == 'p' ? "ps" : kind == 'm' ? "ms" : "gs");
  for (size_t i = 0; ids && i < n; i++) {
    const struct trace_p *p = kind == 'p' ? trace_replay_p(s->replay, ids[i]) : NULL;
    const struct trace_m *m = kind == 'm' ? trace_replay_m(s->replay, ids[i]) : NULL;
    const struct trace_g *g = kind == 'g' ? trace_replay_g(s->replay, ids[i]) : NULL;
    if (p && !json_p(s, j, p))
      has_memory = false;
    if (m)
      json_m(s, j, m);
    if (g)
      json_g(s, j, g);
  }
  out_end(j);
  free(ids);
  return has_memory;
}

bool state_print_json(const struct state *s, FILE *to)
{
  struct out_json j;
  out_json_begin(&j, to);
  out_object(&j, NULL);
  json_world(s, &j);
  bool has_memory = json_things(s, &j, 'p') &&
                    json_order(s, &j, "global_queue", trace_replay_global) &&
                    json_order(s, &j, "idle_ps", trace_replay_idle_ps) && json_things(s, &j, 'm') &&
                    json_order(s, &j, "idle_ms", trace_replay_idle_ms) && json_things(s, &j, 'g');
  out_end(&j);
  return has_memory;
}
