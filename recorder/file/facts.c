/* SPDX-License-Identifier: MIT */
/* facts.c - collects what a trace is about, in one pass: see facts.h.
 *
 * Events are hostile: an id may be any number, a string may be told twice or never end. The first telling
 * counts, lengths are capped, and memory is bounded by the number of events.
 * Cost: one or two look-ups an event.
 */
#include "facts.h"

#include "trace-grow.h"

#include <stdlib.h>
#include <string.h>

#define MAX_STRING 65536u
#define MAX_FRAMES 128u

/* Where key stands in a list of items of this size; made, all zeroes, if it is not there. UINT32_MAX: out of
 * memory. */
static uint32_t find_or_add(struct trace_map *map, void **at, uint32_t *n, size_t *capacity,
                            size_t size, uint64_t key, bool *is_new)
{
  uint32_t i = trace_map_get(map, key);
  *is_new = i == TRACE_MAP_NONE;
  if (!*is_new)
    return i;
  if (!trace_grow(at, capacity, *n, size))
    return UINT32_MAX;
  if (!trace_map_put(map, key, *n))
    return UINT32_MAX;
  memset((char *)*at + *n * size, 0, size);
  return (*n)++;
}

/* Pointer to the item of key in list; NULL: out of memory. */
#define ITEM(list, key, is_new)                                                                    \
  __extension__({                                                                                  \
    void *at_ = (list).at;                                                                         \
    uint32_t i_ = find_or_add(&(list).by_key, &at_, &(list).n, &(list).capacity,                   \
                              sizeof *(list).at, (key), (is_new));                                 \
    (list).at = at_;                                                                               \
    i_ == UINT32_MAX ? NULL : &(list).at[i_];                                                      \
  })

struct facts *facts_new(void)
{
  struct facts *f = calloc(1, sizeof *f);
  if (f)
    f->categories = TRACE_FAMILY_ALL;
  return f;
}

void facts_free(struct facts *f)
{
  if (!f)
    return;
  for (uint32_t i = 0; i < f->strings.n; i++)
    free(f->strings.at[i].bytes);
  for (uint32_t i = 0; i < f->stacks.n; i++)
    free(f->stacks.at[i].pcs);
#define CLEAR(list)                                                                                \
  do {                                                                                             \
    trace_map_clear(&(list).by_key);                                                               \
    free((list).at);                                                                               \
  } while (0)
  CLEAR(f->strings);
  CLEAR(f->stacks);
  CLEAR(f->gs);
  CLEAR(f->ms);
  CLEAR(f->ps);
  CLEAR(f->timers);
  CLEAR(f->objects);
  CLEAR(f->pcs);
#undef CLEAR
  free(f);
}

/* ---- the things ---- */

static bool see_pc(struct facts *f, uint64_t pc, bool is_return)
{
  bool is_new;
  if (pc == 0)
    return true;
  struct fact_pc *item = ITEM(f->pcs, pc, &is_new);
  if (item)
    *item = (struct fact_pc){ pc, is_return && (is_new || item->is_return) };
  return item != NULL;
}

static struct fact_g *see_g(struct facts *f, uint32_t g)
{
  bool is_new;
  struct fact_g *item = ITEM(f->gs, g, &is_new);
  if (item && is_new)
    *item = (struct fact_g){ .g = g, .t_create = FACT_UNKNOWN, .t_end = FACT_UNKNOWN };
  return item;
}

static struct fact_m *see_m(struct facts *f, uint32_t m)
{
  bool is_new;
  struct fact_m *item = ITEM(f->ms, m, &is_new);
  if (item && is_new)
    *item = (struct fact_m){ .m = m,
                             .tid = FACT_UNKNOWN,
                             .creator = FACT_UNKNOWN,
                             .t_first = FACT_UNKNOWN,
                             .t_last = FACT_UNKNOWN };
  return item;
}

static bool see_p(struct facts *f, uint32_t p, int64_t ts)
{
  bool is_new;
  if (p >= TRACE_NO_P)
    return true;
  struct fact_p *item = ITEM(f->ps, p, &is_new);
  if (!item)
    return false;
  if (is_new)
    *item = (struct fact_p){ .p = p, .t_first = ts };
  item->t_last = ts;
  return true;
}

static struct fact_timer *see_timer(struct facts *f, uint32_t timer)
{
  bool is_new;
  struct fact_timer *item = ITEM(f->timers, timer, &is_new);
  if (item && is_new)
    *item = (struct fact_timer){ .timer = timer, .t_new = FACT_UNKNOWN };
  return item;
}

static struct fact_object *see_object(struct facts *f, uint64_t obj)
{
  bool is_new;
  struct fact_object *item = ITEM(f->objects, obj, &is_new);
  if (item && is_new)
    *item = (struct fact_object){ .obj = obj, .t_new = FACT_UNKNOWN };
  return item;
}

/* ---- strings and stacks, told in parts on one M ---- */

static bool begin_string(struct facts *f, struct fact_m *m, uint32_t id, uint32_t length)
{
  bool is_new;
  m->open_string = 0;
  struct fact_string *item = ITEM(f->strings, id, &is_new);
  if (!item)
    return false;
  if (!is_new)
    return true;
  item->id = id;
  item->length = length < MAX_STRING ? length : MAX_STRING;
  item->bytes = calloc(1, item->length + 1);
  if (!item->bytes)
    return false;
  m->open_string = (uint32_t)(item - f->strings.at) + 1;
  m->filled = 0;
  return true;
}

static void add_string_part(struct facts *f, struct fact_m *m, const struct trace_event *e)
{
  if (m->open_string == 0)
    return;
  struct fact_string *s = &f->strings.at[m->open_string - 1];
  uint32_t n = s->length - m->filled < 16 ? s->length - m->filled : 16;
  memcpy(s->bytes + m->filled, e->d, n);
  m->filled += n;
}

static bool begin_stack(struct facts *f, struct fact_m *m, uint32_t id, uint32_t n)
{
  bool is_new;
  m->open_stack = 0;
  struct fact_stack *item = ITEM(f->stacks, id, &is_new);
  if (!item)
    return false;
  if (!is_new)
    return true;
  item->id = id;
  item->n = n < MAX_FRAMES ? n : MAX_FRAMES;
  item->pcs = calloc(item->n + 1, sizeof *item->pcs);
  if (!item->pcs)
    return false;
  m->open_stack = (uint32_t)(item - f->stacks.at) + 1;
  m->filled = 0;
  return true;
}

static bool add_stack_part(struct facts *f, struct fact_m *m, const struct trace_event *e)
{
  if (m->open_stack == 0)
    return true;
  struct fact_stack *s = &f->stacks.at[m->open_stack - 1];
  for (int i = 0; i < 2 && m->filled < s->n; i++) {
    s->pcs[m->filled++] = e->d[i];
    if (!see_pc(f, e->d[i], true))
      return false;
  }
  return true;
}

bool facts_put_string(struct facts *f, uint32_t id, const char *bytes, size_t n)
{
  struct fact_m m = { 0 };
  if (!begin_string(f, &m, id, n < MAX_STRING ? (uint32_t)n : MAX_STRING))
    return false;
  if (m.open_string)
    memcpy(f->strings.at[m.open_string - 1].bytes, bytes, f->strings.at[m.open_string - 1].length);
  return true;
}

bool facts_put_stack(struct facts *f, uint32_t id, const uint64_t *pcs, size_t n)
{
  struct fact_m m = { 0 };
  if (!begin_stack(f, &m, id, n < MAX_FRAMES ? (uint32_t)n : MAX_FRAMES))
    return false;
  struct fact_stack *s = m.open_stack ? &f->stacks.at[m.open_stack - 1] : NULL;
  for (uint32_t i = 0; s && i < s->n; i++)
    s->pcs[i] = pcs[i];
  return true;
}

/* ---- events ---- */

static bool add_g_event(struct facts *f, const struct trace_event *e)
{
  struct fact_g *g;
  switch (e->kind) {
  case TRACE_GO_CREATE:
    g = see_g(f, e->w[0]);
    if (!g)
      return false;
    g->t_create = e->ts;
    g->parent = e->g;
    g->stack = e->w[1];
    g->fn = e->d[1];
    return true;
  case TRACE_GO_ORIGIN:
    g = see_g(f, e->w[0]);
    if (!g)
      return false;
    g->parent = e->w[1];
    g->fn = e->d[1];
    return true;
  case TRACE_GO_NAME:
    g = see_g(f, e->w[0]);
    if (g)
      g->name = e->w[1];
    return g != NULL;
  case TRACE_GO_STATUS:
    return see_g(f, e->w[0]) != NULL;
  case TRACE_GO_DESTROY:
    g = e->g ? see_g(f, e->g) : NULL;
    if (g)
      g->t_end = e->ts;
    return g || !e->g;
  default:
    return true;
  }
}

static bool add_m_event(struct facts *f, struct fact_m *m, const struct trace_event *e)
{
  if (e->kind == TRACE_M_CREATE) {
    m->tid = e->w[0];
    m->creator = e->w[1] == UINT32_MAX ? FACT_UNKNOWN : e->w[1];
  }
  if (e->kind != TRACE_M_STATUS)
    return true;
  struct fact_m *subject = see_m(f, e->w[0]);
  if (!subject)
    return false;
  subject->tid = e->w[2];
  subject->is_sysmon = e->w[1] == TRACE_MSTATUS_SYSMON;
  return true;
}

static bool add_timer_event(struct facts *f, const struct trace_event *e)
{
  bool is_new_timer = e->kind == TRACE_TIMER_NEW;
  if (!is_new_timer && e->kind != TRACE_TIMER_FIRE && e->kind != TRACE_TIMER_STOP)
    return true;
  struct fact_timer *t = see_timer(f, e->w[0]);
  if (!t)
    return false;
  if (is_new_timer) {
    t->told = true;
    t->t_new = e->ts;
    t->what = e->w[1];
    t->owner = e->w[2];
  }
  t->n_fired += e->kind == TRACE_TIMER_FIRE;
  t->n_stopped += e->kind == TRACE_TIMER_STOP;
  return true;
}

static bool add_object_event(struct facts *f, const struct trace_event *e)
{
  if (e->kind != TRACE_OBJECT_NEW && e->kind != TRACE_OBJECT_NAME)
    return true;
  struct fact_object *o = see_object(f, e->d[0]);
  if (!o)
    return false;
  if (e->kind == TRACE_OBJECT_NEW) {
    o->told = true;
    o->t_new = e->ts;
    o->what = e->w[2];
    o->capacity = e->w[3];
  } else {
    o->name = e->w[2];
  }
  return true;
}

static bool add_trace_event(struct facts *f, struct fact_m *m, const struct trace_event *e)
{
  switch (e->kind) {
  case TRACE_STRING:
    return begin_string(f, m, e->w[0], e->w[1]);
  case TRACE_STRING_PART:
    add_string_part(f, m, e);
    return true;
  case TRACE_STACK_BEGIN:
    return begin_stack(f, m, e->w[0], e->w[1]);
  case TRACE_STACK_PART:
    return add_stack_part(f, m, e);
  case TRACE_TRACE_BEGIN:
    f->begun = true;
    f->from_start = e->w[1] != 0;
    return true;
  case TRACE_TRACE_END:
    f->complete = true;
    f->exit_code = e->w[0];
    return true;
  case TRACE_FAULT:
    f->fault = e->w[0];
    return true;
  case TRACE_CATEGORIES:
    f->categories = e->w[0];
    f->ever_off |= TRACE_FAMILY_ALL & ~e->w[0];
    return true;
  default:
    return true;
  }
}

/* Addresses of code in the event's arguments. */
static bool add_pcs(struct facts *f, const struct trace_event *e, const struct trace_spec *spec)
{
  for (int word = 0; word < 4; word += 2) {
    enum trace_arg type = spec->args[word].type;
    bool is_code = type == TRACE_ARG_FN || type == TRACE_ARG_PC;
    if (is_code && e->kind != TRACE_STACK_PART && !see_pc(f, e->d[word / 2], false))
      return false;
  }
  return true;
}

/* Ps and Ms that the event's arguments name: some never do anything by themselves. */
static bool see_named(struct facts *f, const struct trace_event *e, const struct trace_spec *spec)
{
  for (int word = 0; word < 4; word++) {
    enum trace_arg type = spec->args[word].type;
    if (type == TRACE_ARG_P && !see_p(f, e->w[word], e->ts))
      return false;
    if (type == TRACE_ARG_M && e->w[word] != UINT32_MAX && !see_m(f, e->w[word]))
      return false;
  }
  return true;
}

/* The M that says the event; NULL: out of memory. */
static struct fact_m *count_event(struct facts *f, const struct trace_event *e)
{
  struct fact_m *m = see_m(f, e->m);
  if (!m)
    return NULL;
  if (m->n_events == 0)
    m->t_first = e->ts;
  f->n_events++;
  m->n_events++;
  m->t_last = e->ts;
  return m;
}

bool facts_add(struct facts *f, const struct trace_event *e)
{
  const struct trace_spec *spec = trace_spec_get(e->kind);
  if (spec && !see_named(f, e, spec)) /* before m, which a new one may move */
    return false;
  struct fact_m *m = count_event(f, e);
  if (!m || !spec)
    return m != NULL;
  f->n_by_family[__builtin_ctz(spec->family)]++;
  if (!see_p(f, e->p, e->ts) || (e->g && !see_g(f, e->g)) || !add_pcs(f, e, spec))
    return false;
  switch (spec->family) {
  case TRACE_FAMILY_SYSMON: /* told by nobody else */
    m->is_sysmon = true;
    return true;
  case TRACE_FAMILY_SCHED:
    return add_g_event(f, e) && add_m_event(f, m, e);
  case TRACE_FAMILY_TIMER:
    return add_timer_event(f, e);
  case TRACE_FAMILY_USER:
    return add_object_event(f, e);
  case TRACE_FAMILY_META:
    return add_trace_event(f, m, e);
  default:
    return true;
  }
}

/* ---- questions ---- */

const struct fact_string *facts_string(const struct facts *f, uint32_t id)
{
  uint32_t i = trace_map_get(&f->strings.by_key, id);
  return i == TRACE_MAP_NONE ? NULL : &f->strings.at[i];
}

const struct fact_stack *facts_stack(const struct facts *f, uint32_t id)
{
  uint32_t i = trace_map_get(&f->stacks.by_key, id);
  return i == TRACE_MAP_NONE ? NULL : &f->stacks.at[i];
}
