/* SPDX-License-Identifier: MIT */
/* trace-replay-query.c - looking at a replay: all of it borrowed, none of it changed. */
#include "trace-replay-state.h"

#include <stdlib.h>

const struct trace_breach *trace_replay_breach(const struct trace_replay *r)
{
  return &r->breach;
}

uint64_t trace_replay_breaches(const struct trace_replay *r)
{
  return r->breaches;
}

uint64_t trace_replay_losses(const struct trace_replay *r)
{
  return r->losses;
}

const struct trace_world *trace_replay_world(const struct trace_replay *r)
{
  return &r->world;
}

const struct trace_g *trace_replay_g(const struct trace_replay *r, uint32_t goid)
{
  const struct rep_g *g = trace_store_find(&r->gs, goid);
  return g ? &g->pub : NULL;
}

const struct trace_m *trace_replay_m(const struct trace_replay *r, uint32_t id)
{
  const struct rep_m *m = trace_store_find(&r->ms, id);
  return m ? &m->pub : NULL;
}

const struct trace_p *trace_replay_p(const struct trace_replay *r, uint32_t id)
{
  const struct rep_p *p = trace_store_find(&r->ps, id);
  return p ? &p->pub : NULL;
}

const struct trace_timer *trace_replay_timer(const struct trace_replay *r, uint32_t id)
{
  const struct rep_timer *t = trace_store_find(&r->timers, id);
  return t ? &t->pub : NULL;
}

const char *trace_m_does(const struct trace_m *m, bool is_sysmon)
{
  if (!m->tid && m->next_seq == 0 && !m->g)
    return "starting: its thread has not begun yet";
  if (is_sysmon)
    return "sysmon: watches, needs no P";
  if (m->status == TRACE_MSTATUS_SPINNING)
    return "spinning: looking for work";
  if (m->status == TRACE_MSTATUS_POLLING)
    return "asleep in netpoll";
  if (m->status == TRACE_MSTATUS_RUNNING && !m->g)
    return m->p == TRACE_NO_P ? "awake, holds no P" : "scheduling";
  const char *word = trace_word_text(TRACE_ARG_MSTATUS, m->status);
  return word ? word : "unknown";
}

/* ---- lists ---- */

static bool any_thing(const void *thing)
{
  (void)thing;
  return true;
}

static bool is_live_m(const void *thing)
{
  return ((const struct rep_m *)thing)->pub.status != TRACE_MSTATUS_DEAD;
}

static bool is_live_p(const void *thing)
{
  return ((const struct rep_p *)thing)->pub.status != TRACE_PSTATUS_DEAD;
}

size_t trace_replay_gs(const struct trace_replay *r, uint32_t from, uint32_t *ids, size_t n)
{
  return trace_store_ids(&r->gs, from, ids, n, any_thing);
}

size_t trace_replay_ms(const struct trace_replay *r, uint32_t from, uint32_t *ids, size_t n)
{
  return trace_store_ids(&r->ms, from, ids, n, is_live_m);
}

size_t trace_replay_ps(const struct trace_replay *r, uint32_t from, uint32_t *ids, size_t n)
{
  return trace_store_ids(&r->ps, from, ids, n, is_live_p);
}

/* ---- queues and heaps ---- */

size_t trace_replay_ring(const struct trace_replay *r, uint32_t p_id, uint32_t *goids, size_t n)
{
  const struct rep_p *p = trace_store_find(&r->ps, p_id);
  size_t count = 0;
  for (uint32_t i = p ? p->low : 0; p && i != p->tail && count < n; i++) {
    uint32_t goid = p->ring[i & (p->ring_capacity - 1)];
    if (goid)
      goids[count++] = goid;
  }
  return count;
}

size_t trace_replay_global(const struct trace_replay *r, uint32_t *goids, size_t n)
{
  size_t count = 0;
  for (uint64_t i = r->global_head; i != r->global_tail && count < n; i++) {
    uint32_t goid = r->global[i & (r->global_capacity - 1)];
    if (goid)
      goids[count++] = goid;
  }
  return count;
}

size_t trace_replay_heap(const struct trace_replay *r, uint32_t p_id, struct trace_heap_entry *out,
                         size_t n)
{
  const struct rep_p *p = trace_store_find(&r->ps, p_id);
  size_t count = 0;
  for (; p && count < p->heap.n && count < n; count++) {
    const struct rep_entry *entry = (const struct rep_entry *)p->heap.items + count;
    out[count] = (struct trace_heap_entry){ .key = entry->key,
                                            .timer = entry->timer->pub.id,
                                            .modified = entry->timer->modified,
                                            .zombie = entry->timer->zombie,
                                            .when = entry->timer->pub.when };
  }
  return count;
}

const char *trace_zombie_why(const struct trace_heap_entry *zombie)
{
  return zombie->when == 0 ? "stopped" : "nobody waits on its channel";
}

struct idle {
  uint64_t no;
  uint32_t id;
};

static int latest_first(const void *a, const void *b)
{
  uint64_t x = ((const struct idle *)a)->no, y = ((const struct idle *)b)->no;
  return (x < y) - (x > y);
}

/* The idle ones of a store, latest first; look() fills one in and says whether it is idle. */
static size_t list_idle(const struct trace_store *s, uint32_t *ids, size_t n,
                        bool (*look)(const void *thing, struct idle *idle))
{
  struct idle *all = s->n_slots ? malloc(s->n_slots * sizeof *all) : NULL;
  size_t count = 0, i;
  for (uint32_t slot = 0; all && slot < s->n_slots; slot++) {
    const void *thing = trace_store_at(s, slot);
    if (thing && look(thing, &all[count]))
      count++;
  }
  if (count > 0)
    qsort(all, count, sizeof *all, latest_first);
  for (i = 0; i < count && i < n; i++)
    ids[i] = all[i].id;
  free(all);
  return i;
}

static bool look_at_p(const void *thing, struct idle *idle)
{
  const struct rep_p *p = thing;
  *idle = (struct idle){ p->idle_no, p->pub.id };
  return p->idle_listed;
}

static bool look_at_m(const void *thing, struct idle *idle)
{
  const struct rep_m *m = thing;
  *idle = (struct idle){ m->idle_no, m->pub.id };
  return m->pub.status == TRACE_MSTATUS_PARKED;
}

size_t trace_replay_idle_ps(const struct trace_replay *r, uint32_t *ids, size_t n)
{
  return list_idle(&r->ps, ids, n, look_at_p);
}

size_t trace_replay_idle_ms(const struct trace_replay *r, uint32_t *ids, size_t n)
{
  return list_idle(&r->ms, ids, n, look_at_m);
}

/* ---- texts ---- */

const char *trace_replay_string(const struct trace_replay *r, uint32_t id, size_t *length)
{
  if (id == 0) {
    if (length)
      *length = 0;
    return "";
  }
  const struct rep_string *s = trace_store_find(&r->strings, id);
  return s && s->blob ? trace_blob_text(s->blob, length) : NULL;
}

bool trace_replay_object(const struct trace_replay *r, uint64_t obj, uint32_t *what, uint32_t *name,
                         uint32_t *ordinal)
{
  const struct rep_object *o = trace_store_find(&r->objects, obj);
  if (!o)
    return false;
  *what = o->what;
  *name = o->name;
  *ordinal = o->ordinal;
  return true;
}
