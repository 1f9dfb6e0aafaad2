/* SPDX-License-Identifier: MIT */
/* trace-replay-meta.c - strings, stacks, objects, tasks, losses: what events refer to, and the trace itself. */
#include "trace-replay-state.h"
#include "trace-ring.h"

#include <stdatomic.h>
#include <stdlib.h>

#define MAX_STRING 65536u
#define MAX_FRAMES 128u

/* ---- texts, shared by clones, which may live on different threads ---- */

struct trace_text_blob {
  _Atomic uint32_t n_refs;
  uint32_t length;
  char bytes[];
};

struct trace_text_blob *trace_blob_ref(struct trace_text_blob *blob)
{
  atomic_fetch_add_explicit(&blob->n_refs, 1, memory_order_relaxed);
  return blob;
}

void trace_blob_unref(struct trace_text_blob *blob)
{
  /* acquire and release: the last one frees what the others read */
  if (blob && atomic_fetch_sub_explicit(&blob->n_refs, 1, memory_order_acq_rel) == 1)
    free(blob);
}

const char *trace_blob_text(const struct trace_text_blob *blob, size_t *length)
{
  if (length)
    *length = blob->length;
  return blob->bytes;
}

static void keep_string(struct trace_replay *r, uint32_t id, const char *bytes, uint32_t n)
{
  struct rep_string *s = trace_store_find(&r->strings, id);
  if (!s)
    s = trace_store_add(&r->strings, id);
  struct trace_text_blob *blob = s ? malloc(sizeof *blob + n + 1) : NULL;
  if (!blob) {
    trace_broken(r, TRACE_RULE_RECORD, "no memory is left to keep a string");
    return;
  }
  atomic_init(&blob->n_refs, 1);
  blob->length = n;
  if (n > 0)
    memcpy(blob->bytes, bytes, n);
  blob->bytes[n] = '\0';
  trace_blob_unref(s->blob);
  s->blob = blob;
}

/* ---- strings and stacks ---- */

void trace_string_cut(struct trace_replay *r, struct rep_m *m)
{
  trace_broken(r, TRACE_RULE_TABLE, "M%u goes on although %u records of %s %u are still to come",
               m->pub.id, m->parts_left, m->part_kind == TRACE_STRING_PART ? "string" : "stack",
               m->part_id);
  m->part_kind = TRACE_KIND_NONE;
}

/* Behind the last byte the last part is empty. */
static void check_padding(struct trace_replay *r, const struct rep_m *m)
{
  const char *bytes = m->bytes.items;
  for (uint32_t i = m->n_bytes; bytes && i < m->bytes.n * 16; i++) {
    if (bytes[i])
      trace_broken(r, TRACE_RULE_TABLE, "string %u has %u bytes, but more of them come", m->part_id,
                   m->n_bytes);
  }
}

static void end_of_parts(struct trace_replay *r, struct rep_m *m)
{
  if (m->parts_left > 0)
    return;
  if (m->part_kind == TRACE_STRING_PART)
    check_padding(r, m);
  if (m->part_kind == TRACE_STRING_PART)
    keep_string(r, m->part_id, m->bytes.items, m->n_bytes);
  m->part_kind = TRACE_KIND_NONE;
}

void trace_on_string(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  struct trace_args_string a = trace_args_string(e);
  if (a.string == 0 || a.n_bytes > MAX_STRING) {
    trace_broken(r, TRACE_RULE_TABLE, "string %u of %u bytes cannot be", a.string, a.n_bytes);
    return;
  }
  if (trace_store_find(&r->strings, a.string) && !r->adopting)
    trace_broken(r, TRACE_RULE_TABLE, "string %u is told twice", a.string);
  else if (!trace_store_find(&r->strings, a.string))
    trace_store_add(&r->strings, a.string); /* what was said of it at once may be told in between */
  m->part_kind = TRACE_STRING_PART;
  m->part_id = a.string;
  m->n_bytes = a.n_bytes;
  m->parts_left = (a.n_bytes + 15) / 16;
  m->bytes.n = 0;
  end_of_parts(r, m);
}

void trace_on_string_part(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  if (m->part_kind != TRACE_STRING_PART) {
    trace_broken(r, TRACE_RULE_TABLE, "a part of a string comes from M%u, which began none",
                 m->pub.id);
    return;
  }
  char *slot = trace_array_add(&m->bytes, 16);
  if (slot)
    memcpy(slot, e->d, 16);
  else
    m->n_bytes = 0;
  m->parts_left--;
  end_of_parts(r, m);
}

void trace_on_stack_begin(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  struct trace_args_stack_begin a = trace_args_stack_begin(e);
  if (a.stack == 0 || a.n_frames > MAX_FRAMES) {
    trace_broken(r, TRACE_RULE_TABLE, "stack %u of %u frames cannot be", a.stack, a.n_frames);
    return;
  }
  if (trace_map_get(&r->stacks, a.stack) != TRACE_MAP_NONE && !r->adopting)
    trace_broken(r, TRACE_RULE_TABLE, "stack %u is told twice", a.stack);
  if (!trace_map_put(&r->stacks, a.stack, 1))
    trace_broken(r, TRACE_RULE_RECORD, "no memory is left to remember a stack");
  m->part_kind = TRACE_STACK_PART;
  m->part_id = a.stack;
  m->parts_left = (a.n_frames + 1) / 2;
  end_of_parts(r, m);
}

void trace_on_stack_part(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  (void)e;
  if (m->part_kind != TRACE_STACK_PART) {
    trace_broken(r, TRACE_RULE_TABLE, "a part of a stack comes from M%u, which began none",
                 m->pub.id);
    return;
  }
  m->parts_left--;
  end_of_parts(r, m);
}

/* ---- objects, tasks, regions ---- */

static struct rep_object *need_object(struct trace_replay *r, uint64_t obj)
{
  struct rep_object *o = trace_store_find(&r->objects, obj);
  return o ? o : trace_store_add(&r->objects, obj);
}

void trace_on_object_new(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  (void)m;
  struct trace_args_object_new a = trace_args_object_new(e);
  struct rep_object *o = need_object(r, a.obj);
  if (o) /* also where the memory of an old one is used again */
    *o = (struct rep_object){ .what = a.what,
                              .ordinal = ++r->n_objects[a.what & 15],
                              .capacity = a.capacity };
}

void trace_on_object_name(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  (void)m;
  struct trace_args_object_name a = trace_args_object_name(e);
  struct rep_object *o = need_object(r, a.obj);
  if (o && o->ordinal == 0)
    o->ordinal = ++r->n_objects[o->what & 15];
  if (o)
    o->name = a.name;
}

void trace_on_task_begin(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  (void)m;
  uint64_t task = trace_args_task_begin(e).task;
  if (trace_map_get(&r->tasks, task) != TRACE_MAP_NONE)
    trace_broken(r, TRACE_RULE_TASK, "task %lu begins twice", (unsigned long)task);
  if (!trace_map_put(&r->tasks, task, 1))
    trace_broken(r, TRACE_RULE_RECORD, "no memory is left to remember a task");
}

void trace_on_task_end(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  (void)m;
  uint64_t task = trace_args_task_end(e).task;
  if (trace_map_get(&r->tasks, task) == TRACE_MAP_NONE && r->began_from_start)
    trace_broken(r, TRACE_RULE_TASK, "task %lu ends, but it did not begin", (unsigned long)task);
  trace_map_remove(&r->tasks, task);
}

void trace_on_region_begin(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  (void)m;
  struct rep_g *g = trace_need_g(r, e->g, TRACE_RULE_TASK);
  if (g)
    g->n_regions++;
}

void trace_on_region_end(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  (void)m;
  struct rep_g *g = trace_need_g(r, e->g, TRACE_RULE_TASK);
  if (!g)
    return;
  if (g->n_regions > 0)
    g->n_regions--;
  else if (r->began_from_start)
    trace_broken(r, TRACE_RULE_TASK, "G%u leaves a region, but it is in none", e->g);
}

/* ---- the trace itself ---- */

void trace_on_trace_begin(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  (void)m;
  struct trace_args_trace_begin a = trace_args_trace_begin(e);
  if (r->began_from_start)
    trace_broken(r, TRACE_RULE_END, "the trace begins a second time");
  else if (a.abi == 0 || a.abi > TRACE_ABI)
    trace_broken(r, TRACE_RULE_RECORD, "the trace is of ABI %u, but the newest known is %u", a.abi,
                 TRACE_ABI);
  else if (e->p != TRACE_NO_P || e->g)
    trace_broken(r, TRACE_RULE_M_RECORD, "the trace begins on an M that writes as if it ran G%u",
                 e->g);
  r->adopting = !a.from_start;
  r->began_from_start = a.from_start;
  r->world.n_procs = a.n_procs;
}

void trace_on_trace_status_done(struct trace_replay *r, struct rep_m *m,
                                const struct trace_event *e)
{
  (void)m;
  (void)e;
  r->adopting = false;
}

/* From a loss or a switched-off family on, what depends on it is not known any more. */
void trace_on_categories(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  (void)m;
  trace_replay_expect_families(r, trace_args_categories(e).mask);
}

/* A G may call exit in its deferred calls, but a panic of its own ends otherwise. */
void trace_on_trace_end(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  uint32_t exit_code = trace_args_trace_end(e).exit_code;
  if (exit_code == 0 && m->n_hand && trace_judges(r, TRACE_FAMILY_RUNQ))
    trace_broken(r, TRACE_RULE_END, "the program ends on M%u, which has %u runnable Gs in its hand",
                 m->pub.id, m->n_hand);
  else if (exit_code == 0 && m->pop_due)
    trace_broken(r, TRACE_RULE_END,
                 "the program ends on M%u, where a frame has deferred calls left", m->pub.id);
  trace_check_panic_end(r, m, exit_code);
  m->has_ended = true;
}

/* These tell a story but change nothing that is kept.  What a `lost` record says was checked with its number. */
#define TELLS_ONLY(name)                                                                           \
  void trace_on_##name(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)       \
  {                                                                                                \
    (void)r;                                                                                       \
    (void)m;                                                                                       \
    (void)e;                                                                                       \
  }
TELLS_ONLY(netpoll_break)
TELLS_ONLY(user_log)
TELLS_ONLY(clock_sync)
TELLS_ONLY(lost)
TELLS_ONLY(choice)
