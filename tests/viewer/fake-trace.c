/* SPDX-License-Identifier: MIT */
/* fake-trace.c - a made-up trace behind viewer.h; see fake-trace.h.
 *
 * Functions of viewer.h that plans and painters do not use are absent on purpose: if one of them comes to be
 * needed, the tests stop linking, and someone asks why a picture needs it.
 */
#include "fake-trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct list {
  void *items;
  size_t n, cap;
};

struct fake_lane {
  struct vw_lane lane;
  char title[2000], subtitle[64];
  struct list spans, overlays, marks;
};

struct vw_trace {
  int64_t first, last;
  struct fake_lane *lanes[VW_LANE_KINDS];
  size_t n_lanes[VW_LANE_KINDS];
  struct list events, arrows, panics;
  char g_name[1 << 20];
};

static void *push(struct list *list, size_t size)
{
  if (list->n == list->cap) {
    list->cap = list->cap ? list->cap * 2 : 16;
    list->items = realloc(list->items, list->cap * size);
    if (!list->items)
      abort();
  }
  void *item = (char *)list->items + list->n++ * size;
  memset(item, 0, size);
  return item;
}

struct vw_trace *fake_new(void)
{
  struct vw_trace *f = calloc(1, sizeof *f);
  if (!f)
    abort();
  f->last = 1000000;
  return f;
}

static void free_lane(struct fake_lane *lane)
{
  free(lane->spans.items);
  free(lane->overlays.items);
  free(lane->marks.items);
}

void fake_free(struct vw_trace *f)
{
  for (int kind = 0; kind < VW_LANE_KINDS; kind++) {
    for (size_t i = 0; i < f->n_lanes[kind]; i++)
      free_lane(&f->lanes[kind][i]);
    free(f->lanes[kind]);
  }
  struct vw_panic_path *panics = f->panics.items;
  for (size_t i = 0; i < f->panics.n; i++)
    free((void *)panics[i].steps);
  free(f->panics.items);
  free(f->events.items);
  free(f->arrows.items);
  free(f);
}

void fake_time(struct vw_trace *f, int64_t first, int64_t last)
{
  f->first = first;
  f->last = last;
}

void fake_g_name(struct vw_trace *f, const char *name)
{
  snprintf(f->g_name, sizeof f->g_name, "%s", name);
}

size_t fake_lane(struct vw_trace *f, enum vw_lane_kind kind, uint32_t id, const char *title,
                 const char *subtitle)
{
  size_t n = f->n_lanes[kind]++;
  f->lanes[kind] = realloc(f->lanes[kind], (n + 1) * sizeof *f->lanes[kind]);
  if (!f->lanes[kind])
    abort();
  struct fake_lane *lane = &f->lanes[kind][n];
  memset(lane, 0, sizeof *lane);
  lane->lane.kind = kind;
  lane->lane.id = id;
  snprintf(lane->title, sizeof lane->title, "%s", title);
  snprintf(lane->subtitle, sizeof lane->subtitle, "%s", subtitle);
  return n;
}

static uint64_t add_event(struct vw_trace *f, int64_t ts, uint16_t kind, uint32_t id)
{
  struct trace_event *e = push(&f->events, sizeof *e);
  e->ts = ts;
  e->kind = kind;
  e->m = e->g = id;
  e->p = (uint16_t)id;
  return f->events.n - 1;
}

static void fill_span(struct vw_span *s, int64_t t0, int64_t t1, enum vw_state state, uint64_t no)
{
  *s = (struct vw_span){ .t0 = t0,
                         .t1 = t1,
                         .no = no,
                         .end_no = VW_NONE,
                         .m = TRACE_NO_M,
                         .p = TRACE_NO_P,
                         .state = (uint8_t)state };
}

uint64_t fake_span(struct vw_trace *f, enum vw_lane_kind kind, size_t lane, int64_t t0, int64_t t1,
                   enum vw_state state, uint32_t g)
{
  struct fake_lane *l = &f->lanes[kind][lane];
  uint64_t no = add_event(f, t0, TRACE_GO_START, l->lane.id);
  struct vw_span *s = push(&l->spans, sizeof *s);
  fill_span(s, t0, t1, state, no);
  s->g = g;
  s->m = kind == VW_LANES_M ? l->lane.id : TRACE_NO_M;
  s->why = state == VW_STATE_WAITING ? TRACE_WAIT_SLEEP : 0;
  return no;
}

void fake_end(struct vw_trace *f, enum vw_lane_kind kind, size_t lane, size_t span, uint64_t no)
{
  ((struct vw_span *)f->lanes[kind][lane].spans.items)[span].end_no = no;
}

uint64_t fake_overlay(struct vw_trace *f, enum vw_lane_kind kind, size_t lane, int64_t t0,
                      int64_t t1, enum vw_state state, unsigned depth)
{
  struct fake_lane *l = &f->lanes[kind][lane];
  uint64_t no =
      add_event(f, t0, state == VW_STATE_CALL ? TRACE_DEFER_BEGIN : TRACE_REGION_BEGIN, l->lane.id);
  struct vw_span *s = push(&l->overlays, sizeof *s);
  fill_span(s, t0, t1, state, no);
  s->depth = (uint8_t)depth;
  s->why = state == VW_STATE_REGION ? 7 : 0; /* vw_string knows it */
  return no;
}

uint64_t fake_mark(struct vw_trace *f, enum vw_lane_kind kind, size_t lane, int64_t ts,
                   enum vw_mark_kind mark)
{
  uint64_t no = add_event(f, ts, TRACE_USER_LOG, f->lanes[kind][lane].lane.id);
  struct vw_mark *m = push(&f->lanes[kind][lane].marks, sizeof *m);
  *m = (struct vw_mark){ .ts = ts, .no = no, .kind = (uint8_t)mark };
  return no;
}

void fake_arrow(struct vw_trace *f, enum vw_arrow_kind kind, int64_t from_ts, uint32_t from,
                int64_t to_ts, uint32_t to)
{
  uint64_t a = add_event(f, from_ts, TRACE_GO_UNBLOCK, from),
           b = add_event(f, to_ts, TRACE_GO_START, to);
  struct vw_arrow *arrow = push(&f->arrows, sizeof *arrow);
  arrow->kind = (uint8_t)kind;
  arrow->from =
      (struct vw_arrow_end){ .ts = from_ts, .no = a, .m = from, .g = from, .p = (uint16_t)from };
  arrow->to = (struct vw_arrow_end){ .ts = to_ts, .no = b, .m = to, .g = to, .p = (uint16_t)to };
}

static void add_step(struct vw_trace *f, struct vw_panic_path *path, struct vw_panic_step *steps,
                     int64_t ts, uint16_t kind)
{
  struct vw_panic_step *s = &steps[path->n_steps++];
  *s = (struct vw_panic_step){
    .ts = ts, .kind = kind, .depth = 1, .fn = kind == TRACE_DEFER_BEGIN ? 0x1000 : 0
  };
  s->no = add_event(f, ts, kind, path->g);
  if (path->n_steps == 1)
    path->begin_no = s->no;
  path->end_no = s->no;
  path->t1 = ts;
}

void fake_panic(struct vw_trace *f, uint32_t id, int64_t t, int64_t gap, const char *value,
                unsigned n_calls)
{
  struct vw_panic_path *path = push(&f->panics, sizeof *path);
  struct vw_panic_step *steps = calloc(2 * n_calls + 4, sizeof *steps);
  if (!steps)
    abort();
  *path = (struct vw_panic_path){
    .g = id, .depth = 1, .value = value, .t0 = t, .outcome = VW_OUTCOME_RECOVERED, .steps = steps
  };
  add_step(f, path, steps, t, TRACE_PANIC_BEGIN);
  for (unsigned i = 0; i < n_calls; i++) {
    add_step(f, path, steps, t += gap, TRACE_PANIC_WALK);
    add_step(f, path, steps, t += gap, TRACE_DEFER_BEGIN);
  }
  add_step(f, path, steps, t += gap, TRACE_PANIC_RECOVER_CALL);
  add_step(f, path, steps, t + gap, TRACE_PANIC_RECOVERED);
}

void fake_fatal(struct vw_trace *f, size_t panic)
{
  struct vw_panic_path *path = (struct vw_panic_path *)f->panics.items + panic;
  path->outcome = VW_OUTCOME_FATAL;
  ((struct vw_panic_step *)path->steps)[path->n_steps - 1].kind = TRACE_PANIC_FATAL;
}

void fake_span_m(struct vw_trace *f, enum vw_lane_kind kind, size_t lane, size_t span, uint32_t m)
{
  ((struct vw_span *)f->lanes[kind][lane].spans.items)[span].m = m;
}

/* ---- the functions of viewer.h that plans and painters use ---- */
const char *vw_trace_title(const struct vw_trace *f)
{
  (void)f;
  return "fake <scene> & more";
}

uint64_t vw_event_count(const struct vw_trace *f)
{
  return f->events.n;
}

void vw_time_range(const struct vw_trace *f, int64_t *first, int64_t *last)
{
  *first = f->first;
  *last = f->last;
}

const struct trace_event *vw_event(const struct vw_trace *f, uint64_t no)
{
  return (const struct trace_event *)f->events.items + no;
}

/* Events of a fake stand in the order in which they were added, so this one looks at all. */
uint64_t vw_event_at(const struct vw_trace *f, int64_t t)
{
  uint64_t n = 0;
  for (uint64_t i = 0; i < f->events.n; i++)
    n += vw_event(f, i)->ts < t;
  return n;
}

size_t vw_sentence(struct vw_trace *f, uint64_t no, char *out, size_t n)
{
  return (size_t)snprintf(out, n, "Event %llu \xe2\x80\xae happened.\n",
                          (unsigned long long)no + 0 * f->events.n);
}

const char *vw_string(const struct vw_trace *f, uint32_t id)
{
  (void)f;
  return id == 7 ? "check out" : "";
}

const char *vw_g_name(const struct vw_trace *f, uint32_t goid)
{
  (void)goid;
  return f->g_name;
}

const char *vw_fn_name(const struct vw_trace *f, uint64_t fn)
{
  (void)f;
  return fn ? "cleanup" : "";
}

size_t vw_lane_count(const struct vw_trace *f, enum vw_lane_kind kind)
{
  return f->n_lanes[kind];
}

const struct vw_lane *vw_lane(const struct vw_trace *f, enum vw_lane_kind kind, size_t i)
{
  struct fake_lane *l = &f->lanes[kind][i];
  l->lane.title = l->title;
  l->lane.subtitle = l->subtitle;
  const char *thread = strstr(l->subtitle, "thread ");
  l->lane.tid = thread ? (uint32_t)strtoul(thread + 7, NULL, 10) : 0;
  l->lane.spans = l->spans.items;
  l->lane.n_spans = l->spans.n;
  l->lane.overlays = l->overlays.items;
  l->lane.n_overlays = l->overlays.n;
  l->lane.marks = l->marks.items;
  l->lane.n_marks = l->marks.n;
  return &l->lane;
}

long vw_lane_of(const struct vw_trace *f, enum vw_lane_kind kind, uint32_t id)
{
  for (size_t i = 0; i < f->n_lanes[kind]; i++)
    if (f->lanes[kind][i].lane.id == id)
      return (long)i;
  return -1;
}

size_t vw_span_at(const struct vw_lane *lane, int64_t t)
{
  size_t low = 0, high = lane->n_spans;
  while (low < high) {
    size_t mid = low + (high - low) / 2;
    if (lane->spans[mid].t1 <= t)
      low = mid + 1;
    else
      high = mid;
  }
  return low;
}

const struct vw_arrow *vw_arrows(const struct vw_trace *f, size_t *n)
{
  *n = f->arrows.n;
  return f->arrows.items;
}

long vw_arrow_into(const struct vw_trace *f, uint64_t no)
{
  const struct vw_arrow *arrows = f->arrows.items;
  for (size_t i = 0; i < f->arrows.n && f->arrows.n < 64; i++)
    if (arrows[i].to.no == no)
      return (long)i;
  return -1;
}

const struct vw_panic_path *vw_panics(const struct vw_trace *f, size_t *n)
{
  *n = f->panics.n;
  return f->panics.items;
}

/* ---- scenes ---- */
static void scene_ms(struct vw_trace *f)
{
  size_t m0 = fake_lane(f, VW_LANES_M, 0, "M0", "thread 4711"),
         m1 = fake_lane(f, VW_LANES_M, 1, "M1", "thread 4712");
  fake_span(f, VW_LANES_M, m0, 0, 300000, VW_STATE_RUNNING, 1);
  fake_span(f, VW_LANES_M, m0, 300000, 400000, VW_STATE_SCHED, 0);
  fake_span(f, VW_LANES_M, m0, 400000, 700000, VW_STATE_SYSCALL, 2);
  fake_span(f, VW_LANES_M, m0, 700000, 1000000, VW_STATE_PARKED, 0);
  fake_span(f, VW_LANES_M, m1, 100000, 250000, VW_STATE_SPINNING, 0);
  fake_span(f, VW_LANES_M, m1, 250000, 800000, VW_STATE_RUNNING, 3);
  fake_span(f, VW_LANES_M, m1, 800000, 1000000, VW_STATE_POLLING, 0);
  fake_overlay(f, VW_LANES_M, m1, 300000, 700000, VW_STATE_REGION, 0);
  fake_overlay(f, VW_LANES_M, m1, 350000, 500000, VW_STATE_CALL, 1);
  fake_mark(f, VW_LANES_M, m0, 299000, VW_MARK_PREEMPT);
  fake_mark(f, VW_LANES_M, m1, 250000, VW_MARK_STEAL);
  fake_mark(f, VW_LANES_M, m1, 420000, VW_MARK_PANIC);
}

struct vw_trace *fake_scene(void)
{
  struct vw_trace *f = fake_new();
  fake_g_name(f, "worker");
  scene_ms(f);
  fake_lane(f, VW_LANES_P, 0, "P0", "");
  fake_lane(f, VW_LANES_P, 1, "P1", "");
  fake_span(f, VW_LANES_P, 0, 0, 300000, VW_STATE_RUNNING, 1);
  fake_span(f, VW_LANES_P, 0, 300000, 1000000, VW_STATE_IDLE, 0);
  fake_span(f, VW_LANES_P, 1, 250000, 800000, VW_STATE_RUNNING, 3);
  for (uint32_t g = 1; g <= 3; g++) {
    size_t lane = fake_lane(f, VW_LANES_G, g, g == 1 ? "G1" : g == 2 ? "G2" : "G3", "worker");
    fake_span(f, VW_LANES_G, lane, 0, 250000, VW_STATE_RUNNABLE, g);
    fake_span(f, VW_LANES_G, lane, 250000, 600000, VW_STATE_RUNNING, g);
    fake_span(f, VW_LANES_G, lane, 600000, 1000000, VW_STATE_WAITING, g);
  }
  fake_arrow(f, VW_ARROW_WAKE, 150000, 0, 250000, 1);
  fake_arrow(f, VW_ARROW_CREATE, 500000, 1, 600000, 0);
  fake_panic(f, 1, 420000, 50000, "boom", 1);
  return f;
}

struct vw_trace *fake_crowd(size_t lanes, size_t n)
{
  struct vw_trace *f = fake_new();
  f->last = 0;
  uint64_t dice = 88172645463325252u;
  for (size_t lane = 0; lane < lanes; lane++) {
    char title[32];
    snprintf(title, sizeof title, "M%zu", lane);
    fake_lane(f, VW_LANES_M, (uint32_t)lane, title, "");
    int64_t t = 0;
    for (size_t i = 0; i < n; i++) {
      dice ^= dice << 13, dice ^= dice >> 7, dice ^= dice << 17;
      int64_t length = 100 + (int64_t)(dice % 1900),
              gap = dice >> 40 & 1 ? 0 : (int64_t)(dice >> 44 & 255);
      fake_span(f, VW_LANES_M, lane, t + gap, t + gap + length,
                i % 5 ? VW_STATE_RUNNING : VW_STATE_SCHED,
                i % 5 ? 1 + (uint32_t)(dice >> 20) % 30 : 0);
      if (i % 50 == 0)
        fake_mark(f, VW_LANES_M, lane, t + gap, i % 20000 == 0 ? VW_MARK_PANIC : VW_MARK_TIMER);
      t += gap + length;
    }
    f->last = t > f->last ? t : f->last;
  }
  size_t arrows = lanes * n / 4;
  for (size_t i = 0; i < arrows; i++) {
    int64_t from = (int64_t)((double)f->last / (double)arrows * (double)i);
    dice ^= dice << 13, dice ^= dice >> 7, dice ^= dice << 17;
    fake_arrow(f, dice & 1 ? VW_ARROW_WAKE : VW_ARROW_PARK, from,
               (uint32_t)(dice >> 8) % (uint32_t)lanes, from + (int64_t)(dice >> 20 & 0xffff),
               (uint32_t)(dice >> 40) % (uint32_t)lanes);
  }
  return f;
}
