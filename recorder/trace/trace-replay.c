/* SPDX-License-Identifier: MIT */
/* trace-replay.c - applies one event after the other; life, copies and the end of a replay.
 *
 * The files beside this one hold what events do, by idea: -g, -m, -p, -runq, -timer, -defer, -panic, -stw, -preempt
 * (and sysmon and netpoll), -meta; -next has what an M must do next, -state the things and their setters, -query the
 * looking.  Here: what is checked of every record
 * whatever its kind, and the one switch over all kinds, made from the table: a kind that somebody forgot does
 * not link.
 */
#include "trace-replay-state.h"

#include <stdlib.h>

/* ---- life ---- */

/* Which words of each kind have a range that is narrower than the word. */
static uint8_t words_with_range(const struct trace_spec *spec)
{
  uint8_t bits = 0;
  for (int i = 0; i < 4; i++) {
    enum trace_arg type = spec->args[i].type;
    if (type == TRACE_ARG_BOOL || type == TRACE_ARG_P || type == TRACE_ARG_STR ||
        type == TRACE_ARG_STACK || trace_arg_is_word(type))
      bits |= (uint8_t)(1u << i);
  }
  return bits;
}

struct trace_replay *trace_replay_new(void)
{
  struct trace_replay *r = calloc(1, sizeof *r);
  if (!r)
    return NULL;
  r->gs.size = sizeof(struct rep_g);
  r->ms.size = sizeof(struct rep_m);
  r->ps.size = sizeof(struct rep_p);
  r->timers.size = sizeof(struct rep_timer);
  r->objects.size = sizeof(struct rep_object);
  r->strings.size = sizeof(struct rep_string);
  for (uint32_t kind = 0; kind < TRACE_KIND_LIMIT; kind++)
    r->word_checks[kind] = trace_specs[kind].name ? words_with_range(&trace_specs[kind]) : 0;
  r->word_checks[TRACE_STRING] = r->word_checks[TRACE_STACK_BEGIN] = 0; /* they make one */
  r->world.polling_m = r->world.stopper = TRACE_NO_M;
  r->world.categories = r->trusted = TRACE_FAMILY_ALL;
  r->world.ts = INT64_MIN;
  r->loss_from = INT64_MAX;
  r->adopting = true;
  return r;
}

static void free_things(struct trace_replay *r)
{
  for (uint32_t i = 0; i < r->gs.n_slots; i++) {
    struct rep_g *g = trace_store_at(&r->gs, i);
    if (!g)
      continue;
    free(g->defers.items);
    free(g->panics.items);
    free(g->calls.items);
  }
  for (uint32_t i = 0; i < r->ms.n_slots; i++) {
    struct rep_m *m = trace_store_at(&r->ms, i);
    free(m->bytes.items);
  }
  for (uint32_t i = 0; i < r->ps.n_slots; i++) {
    struct rep_p *p = trace_store_at(&r->ps, i);
    free(p->ring);
    free(p->heap.items);
  }
  for (uint32_t i = 0; i < r->strings.n_slots; i++) {
    struct rep_string *s = trace_store_at(&r->strings, i);
    trace_blob_unref(s->blob);
  }
}

void trace_replay_free(struct trace_replay *r)
{
  if (!r)
    return;
  free_things(r);
  trace_store_clear(&r->gs);
  trace_store_clear(&r->ms);
  trace_store_clear(&r->ps);
  trace_store_clear(&r->timers);
  trace_store_clear(&r->objects);
  trace_store_clear(&r->strings);
  trace_map_clear(&r->stacks);
  trace_map_clear(&r->tasks);
  free(r->global);
  free(r);
}

/* ---- copies ---- */

/* After the stores were copied byte by byte, things point at the original's memory: first give every thing
 * nothing of its own, so that a copy that fails half-way can be freed, then copy what is pointed at. */
static void disown(struct trace_replay *r)
{
  for (uint32_t i = 0; i < r->gs.n_slots; i++) {
    struct rep_g *g = trace_store_at(&r->gs, i);
    if (g)
      g->defers = g->panics = g->calls = (struct trace_array){ 0 };
  }
  for (uint32_t i = 0; i < r->ms.n_slots; i++)
    ((struct rep_m *)trace_store_at(&r->ms, i))->bytes = (struct trace_array){ 0 };
  for (uint32_t i = 0; i < r->ps.n_slots; i++) {
    struct rep_p *p = trace_store_at(&r->ps, i);
    p->ring = NULL;
    p->heap = (struct trace_array){ 0 };
  }
  for (uint32_t i = 0; i < r->strings.n_slots; i++) {
    struct rep_string *s = trace_store_at(&r->strings, i);
    if (s->blob)
      trace_blob_ref(s->blob);
  }
}

static bool copy_gs(struct trace_replay *to, const struct trace_replay *from)
{
  for (uint32_t i = 0; i < from->gs.n_slots; i++) {
    const struct rep_g *old = trace_store_at(&from->gs, i);
    struct rep_g *g = trace_store_at(&to->gs, i);
    if (old && (!trace_array_copy(&g->defers, &old->defers, sizeof(struct trace_defer)) ||
                !trace_array_copy(&g->panics, &old->panics, sizeof(struct trace_panic)) ||
                !trace_array_copy(&g->calls, &old->calls, sizeof(struct trace_call))))
      return false;
    if (old)
      trace_publish_stacks(g);
  }
  return true;
}

static bool copy_ms(struct trace_replay *to, const struct trace_replay *from)
{
  for (uint32_t i = 0; i < from->ms.n_slots; i++) {
    const struct rep_m *old = trace_store_at(&from->ms, i);
    struct rep_m *m = trace_store_at(&to->ms, i);
    if (!trace_array_copy(&m->bytes, &old->bytes, 16))
      return false;
  }
  return true;
}

static bool copy_ps(struct trace_replay *to, const struct trace_replay *from)
{
  for (uint32_t i = 0; i < from->ps.n_slots; i++) {
    const struct rep_p *old = trace_store_at(&from->ps, i);
    struct rep_p *p = trace_store_at(&to->ps, i);
    if (!trace_array_copy(&p->heap, &old->heap, sizeof(struct rep_entry)))
      return false;
    struct rep_entry *entries = p->heap.items;
    for (uint32_t k = 0; k < p->heap.n; k++)
      entries[k].timer = trace_store_find(&to->timers, entries[k].timer->pub.id);
    if (!old->ring)
      continue;
    p->ring = malloc(old->ring_capacity * sizeof *p->ring);
    if (!p->ring)
      return false;
    memcpy(p->ring, old->ring, old->ring_capacity * sizeof *p->ring);
  }
  return true;
}

static bool copy_global(struct trace_replay *to, const struct trace_replay *from)
{
  if (from->global_capacity == 0)
    return true;
  to->global = malloc(from->global_capacity * sizeof *to->global);
  if (!to->global)
    return false;
  memcpy(to->global, from->global, from->global_capacity * sizeof *to->global);
  return true;
}

static void clear_owned(struct trace_replay *r)
{
  struct trace_store *stores[] = { &r->gs, &r->ms, &r->ps, &r->timers, &r->objects, &r->strings };
  for (size_t i = 0; i < sizeof stores / sizeof stores[0]; i++)
    *stores[i] = (struct trace_store){ .size = stores[i]->size };
  r->stacks = r->tasks = (struct trace_map){ 0 };
  r->global = NULL;
  r->event = NULL;
}

struct trace_replay *trace_replay_clone(const struct trace_replay *from)
{
  struct trace_replay *r = malloc(sizeof *r);
  if (!r)
    return NULL;
  *r = *from;
  clear_owned(r);
  bool copied = trace_store_copy(&r->gs, &from->gs) && trace_store_copy(&r->ms, &from->ms) &&
                trace_store_copy(&r->ps, &from->ps) &&
                trace_store_copy(&r->timers, &from->timers) &&
                trace_store_copy(&r->objects, &from->objects) &&
                trace_store_copy(&r->strings, &from->strings);
  disown(r);
  if (!copied || !trace_map_copy(&r->stacks, &from->stacks) ||
      !trace_map_copy(&r->tasks, &from->tasks) || !copy_gs(r, from) || !copy_ms(r, from) ||
      !copy_ps(r, from) || !copy_global(r, from)) {
    trace_replay_free(r);
    return NULL;
  }
  return r;
}

size_t trace_replay_size(const struct trace_replay *r)
{
  size_t sum = sizeof *r + trace_store_bytes(&r->gs) + trace_store_bytes(&r->ms) +
               trace_store_bytes(&r->ps) + trace_store_bytes(&r->timers) +
               trace_store_bytes(&r->objects) + trace_store_bytes(&r->strings);
  sum += ((size_t)r->stacks.capacity + r->tasks.capacity) * sizeof(struct trace_map_entry);
  sum += r->global_capacity * sizeof *r->global;
  for (uint32_t i = 0; i < r->ps.n_slots; i++) {
    const struct rep_p *p = trace_store_at(&r->ps, i);
    sum += p->ring_capacity * sizeof *p->ring + p->heap.capacity * sizeof(struct rep_entry);
  }
  for (uint32_t i = 0; i < r->gs.n_slots; i++) {
    const struct rep_g *g = trace_store_at(&r->gs, i);
    if (g)
      sum += g->defers.capacity * sizeof(struct trace_defer) +
             g->panics.capacity * sizeof(struct trace_panic) +
             g->calls.capacity * sizeof(struct trace_call);
  }
  return sum;
}

/* ---- every record ---- */

static bool word_in_range(const struct trace_arg_spec *arg, uint32_t value)
{
  if (arg->type == TRACE_ARG_BOOL)
    return value <= 1;
  if (arg->type == TRACE_ARG_P)
    return value <= TRACE_NO_P;
  return arg->type == TRACE_ARG_STR || arg->type == TRACE_ARG_STACK ||
         trace_word_text(arg->type, value) != NULL;
}

/* A string is told before it is spoken of. */
static void check_string(struct trace_replay *r, const struct trace_arg_spec *arg, uint32_t id)
{
  if (id && !trace_store_find(&r->strings, id) && trace_judges(r, TRACE_FAMILY_META))
    trace_broken(r, TRACE_RULE_TABLE, "%s is string %u, but nobody told it", arg->name, id);
}

static void check_stack(struct trace_replay *r, const struct trace_arg_spec *arg, uint32_t id)
{
  if (id && trace_map_get(&r->stacks, id) == TRACE_MAP_NONE && trace_judges(r, TRACE_FAMILY_META))
    trace_broken(r, TRACE_RULE_TABLE, "%s is stack %u, but nobody told it", arg->name, id);
}

static bool check_words(struct trace_replay *r, const struct trace_event *e)
{
  if (!trace_spec_get(e->kind)) {
    trace_broken(r, TRACE_RULE_RECORD, "there is no event of kind %u", e->kind);
    return false;
  }
  const struct trace_spec *spec = &trace_specs[e->kind];
  for (uint32_t bits = r->word_checks[e->kind]; bits; bits &= bits - 1) {
    int i = __builtin_ctz(bits);
    if (spec->args[i].type == TRACE_ARG_STR)
      check_string(r, &spec->args[i], e->w[i]);
    if (spec->args[i].type == TRACE_ARG_STACK)
      check_stack(r, &spec->args[i], e->w[i]);
    if (word_in_range(&spec->args[i], e->w[i]))
      continue;
    trace_broken(r, TRACE_RULE_RECORD, "%s has %s=%u, which is out of its range", spec->name,
                 spec->args[i].name, e->w[i]);
    return false;
  }
  return true;
}

static void check_time(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  if (e->ts < m->pub.last_ts)
    trace_broken(r, TRACE_RULE_TIME, "time goes back within M%u, from %ld to %ld", m->pub.id,
                 (long)m->pub.last_ts, (long)e->ts);
  else if (e->ts < r->world.ts)
    trace_broken(r, TRACE_RULE_TIME, "time goes back in the trace, from %ld to %ld",
                 (long)r->world.ts, (long)e->ts);
  m->pub.last_ts = e->ts;
  if (e->ts > r->world.ts)
    r->world.ts = e->ts;
}

/* A gap in an M's numbers is a loss, and a `lost` record of just that size must stand behind it. */
static void check_number(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  uint64_t told = e->kind == TRACE_LOST ? trace_args_lost(e).n_lost : 0;
  uint64_t gap = m->seq_known || r->began_from_start ? e->seq - m->pub.next_seq : told;
  if (gap != told)
    trace_broken(r, TRACE_RULE_LOST,
                 "M%u's event has number %lu, so %ld before it are lost, but %lu are told",
                 m->pub.id, (unsigned long)e->seq, (long)gap, (unsigned long)told);
  if (gap || told) {
    r->losses += told ? told : 1;
    r->trusted = 0;
    m->part_kind = TRACE_KIND_NONE;
  }
  m->pub.next_seq = e->seq + 1;
  m->seq_known = true;
}

/* ---- the switch ---- */

static void apply_kind(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  switch ((enum trace_kind)e->kind) {
#define EVENT(number, NAME, name, family, w0, w1, w2, w3, doc)                                     \
  case TRACE_##NAME:                                                                               \
    trace_on_##name(r, m, e);                                                                      \
    break;
#include "events.def"
#undef EVENT
  case TRACE_KIND_NONE:
  case TRACE_KIND_LIMIT:
    break;
  }
}

static void check_speaker(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  bool is_meta = trace_specs[e->kind].family == TRACE_FAMILY_META;
  if (m->part_kind != TRACE_KIND_NONE && e->kind != m->part_kind)
    trace_string_cut(r, m);
  if (m->has_ended)
    trace_broken(r, TRACE_RULE_END, "M%u writes after it told the end of the program", m->pub.id);
  trace_check_next(r, m, e);
  if (e->g && e->kind != TRACE_CHOICE) /* which may fall into the middle of a transition */
    m->search_since = e->ts;
  if (e->kind == TRACE_STRING && m->spoke && trace_judges(r, TRACE_FAMILY_SCHED))
    trace_check_record(r, m, e);
  if (is_meta || e->kind == TRACE_M_CREATE)
    return;
  if (!m->created && !r->adopting)
    trace_broken(r, TRACE_RULE_M_CREATE, "M%u writes events, but it was never created", m->pub.id);
  else if (m->pub.status == TRACE_MSTATUS_DEAD && m->created)
    trace_broken(r, TRACE_RULE_M_CREATE, "M%u writes events, but it has ended", m->pub.id);
  m->created = m->spoke = true;
  trace_check_record(r, m, e);
}

static void note_kind(struct rep_m *m, const struct trace_event *e)
{
  enum trace_family family = trace_specs[e->kind].family;
  if (family != TRACE_FAMILY_META && family != TRACE_FAMILY_PREEMPT)
    m->last_kind = e->kind;
}

void trace_replay_expect_loss(struct trace_replay *r, int64_t ts)
{
  if (ts < r->loss_from)
    r->loss_from = ts;
}

void trace_replay_expect_families(struct trace_replay *r, uint32_t mask)
{
  r->world.categories = mask | TRACE_FAMILY_ALWAYS;
  r->trusted &= r->world.categories;
}

bool trace_replay_apply(struct trace_replay *r, const struct trace_event *e)
{
  r->broke = false;
  r->event = e;
  r->world.n_events++;
  if (e->ts >= r->loss_from)
    r->trusted = 0;
  struct rep_m *m = check_words(r, e) ? trace_need_m(r, e->m) : NULL;
  if (m) {
    check_time(r, m, e);
    check_number(r, m, e);
    check_speaker(r, m, e);
    apply_kind(r, m, e);
    note_kind(m, e);
  }
  r->event = NULL;
  return !r->broke;
}

bool trace_replay_finish(struct trace_replay *r, bool complete)
{
  r->broke = false;
  for (uint32_t i = 0; complete && i < r->ms.n_slots; i++) {
    const struct rep_m *m = trace_store_at(&r->ms, i);
    if (m->part_kind != TRACE_KIND_NONE)
      trace_broken(r, TRACE_RULE_TABLE,
                   "the trace ends although %u records of %s %u are still to come", m->parts_left,
                   m->part_kind == TRACE_STRING_PART ? "string" : "stack", m->part_id);
  }
  if (complete)
    trace_finish_runq(r);
  return !r->broke;
}
