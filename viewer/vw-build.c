/* SPDX-License-Identifier: MIT */
/* vw-build.c - the one pass over the events, and what comes after it.
 *
 * Events are kept as they come, 48 bytes each: several million are a few hundred megabytes, and every question
 * about one is an index.  100 M events would be 4.8 GB: the road there is to keep chunks (8 bytes an event)
 * in memory as they are in the file, decoded 4096 at a time behind vw_event, and to load spans by time range;
 * nobody outside this folder would notice, since events are called by number.
 */
#include "trace-grow.h"
#include "trace-text.h"
#include "vw-internal.h"

#include <stdlib.h>
#include <string.h>

static void init_bags(struct vw_builder *b)
{
  for (int kind = 0; kind < VW_LANE_KINDS; kind++) {
    b->spans[kind].size = b->overlays[kind].size = sizeof(struct vw_span);
    b->marks[kind].size = sizeof(struct vw_mark);
  }
  b->steps.size = sizeof(struct vw_panic_step);
}

struct vw_builder *vw_builder_new(void)
{
  struct vw_builder *b = calloc(1, sizeof *b);
  if (!b)
    return NULL;
  init_bags(b);
  b->trace = calloc(1, sizeof *b->trace);
  b->replay = trace_replay_new();
  if (!b->trace || !b->replay || !(b->trace->names = vw_names_new()) ||
      !vw_history_init(&b->trace->history)) {
    vw_builder_free(b);
    return NULL;
  }
  b->trace->facts.families = TRACE_FAMILY_ALL;
  return b;
}

void vw_builder_expect_loss(struct vw_builder *b, int64_t ts)
{
  trace_replay_expect_loss(b->replay, ts);
  trace_replay_expect_loss(b->trace->history.points[0].state,
                           ts); /* from it vw_state_before replays */
}

void vw_builder_free(struct vw_builder *b)
{
  if (!b)
    return;
  vw_trace_free(b->trace);
  trace_replay_free(b->replay);
  vw_tracks_free(b);
  for (int kind = 0; kind < VW_LANE_KINDS; kind++) {
    vw_bag_clear(&b->spans[kind]);
    vw_bag_clear(&b->overlays[kind]);
    vw_bag_clear(&b->marks[kind]);
  }
  vw_bag_clear(&b->steps);
  free(b->values);
  free(b);
}

void vw_builder_meta(struct vw_builder *b, const char *key, const char *value, size_t length)
{
  if (strcmp(key, "program") != 0 || b->trace->title)
    return;
  const char *slash = memrchr(value, '/', length);
  size_t folder = slash ? (size_t)(slash + 1 - value) : 0;
  if (length - folder > 5 && memcmp(value + folder, "demo-", 5) == 0)
    folder += 5; /* our own demos are known by their stories' names */
  value += folder;
  length -= folder;
  size_t room = length * 4 + 1; /* every byte may become \xNN */
  b->trace->title = malloc(room);
  if (b->trace->title)
    trace_text_printable(value, length, b->trace->title, room, NULL);
}

static bool keep(struct vw_trace *t, const struct trace_event *e)
{
  if (!trace_grow(&t->events, &t->events_capacity, t->n_events, sizeof *t->events))
    return false;
  t->events[t->n_events++] = *e;
  /* Every answer here is a bisection by time. A time that goes back is a breach that the replay has told of. */
  if (t->n_events > 1 && e->ts < t->events[t->n_events - 2].ts)
    t->events[t->n_events - 1].ts = t->events[t->n_events - 2].ts;
  return true;
}

static void note_fact(struct vw_facts *facts, const struct trace_event *e)
{
  if (e->kind == TRACE_CATEGORIES)
    facts->families &= e->w[0] | TRACE_FAMILY_ALWAYS;
  else if (e->kind == TRACE_TRACE_END)
    facts->has_end = true;
  else if (e->kind == TRACE_FAULT) {
    facts->has_fault = true;
    facts->fault = e->w[0];
  }
}

static void note_breach(struct vw_builder *b)
{
  struct vw_facts *facts = &b->trace->facts;
  if (facts->n_breaches++ == 0)
    facts->breach = *trace_replay_breach(b->replay);
}

/* Deferred calls and panics: what begins is put on the stack first, what ends is taken off last. */
static void follow_calls(struct vw_builder *b, const struct trace_event *e, uint64_t no)
{
  if (e->kind == TRACE_DEFER_BEGIN || e->kind == TRACE_PANIC_BEGIN ||
      e->kind == TRACE_GOEXIT_BEGIN) {
    vw_layers_event(b, e, no);
    vw_panics_event(b, e, no);
  } else {
    vw_panics_event(b, e, no);
    vw_layers_event(b, e, no);
  }
}

/* Hands the event to the parts that follow its family. Arrows and marks ask who held what before it. */
static void follow(struct vw_builder *b, const struct trace_event *e, uint64_t no)
{
  vw_lost_event(b, e, no);
  switch (trace_specs[e->kind].family) {
  case TRACE_FAMILY_SCHED:
    vw_arrows_event(b, e, no);
    vw_marks_event(b, e, no);
    vw_tracks_event(b, e, no);
    break;
  case TRACE_FAMILY_DEFER:
  case TRACE_FAMILY_PANIC:
    follow_calls(b, e, no);
    vw_marks_event(b, e, no);
    break;
  case TRACE_FAMILY_USER:
    vw_layers_event(b, e, no);
    vw_marks_event(b, e, no);
    break;
  case TRACE_FAMILY_RUNQ:
    vw_arrows_event(b, e, no);
    vw_marks_event(b, e, no);
    break;
  case TRACE_FAMILY_SYSMON:
    vw_tracks_event(b, e, no);
    break;
  case TRACE_FAMILY_META:
    note_fact(&b->trace->facts, e);
    vw_marks_event(b, e, no);
    break;
  case TRACE_FAMILY_TIMER:
  case TRACE_FAMILY_PREEMPT:
  case TRACE_FAMILY_STW:
  case TRACE_FAMILY_NETPOLL:
    vw_marks_event(b, e, no);
    break;
  case TRACE_FAMILY_ALL:
  case TRACE_FAMILY_ALWAYS:
    break;
  }
}

bool vw_builder_add(struct vw_builder *b, const struct trace_event *e)
{
  struct vw_trace *t = b->trace;
  if (b->failed || !trace_spec_get(e->kind))
    return !b->failed; /* readers let no unknown kind through */
  uint64_t no = t->n_events;
  if (!trace_replay_apply(b->replay, e))
    note_breach(b);
  if (!keep(t, e)) {
    b->failed = true;
    return false;
  }
  follow(b, &t->events[no], no);
  if (!vw_history_note(&t->history, b->replay, no + 1))
    b->failed = true;
  return !b->failed;
}

struct vw_trace *vw_builder_finish(struct vw_builder *b, struct tracefile_error *error)
{
  struct vw_trace *t = b->trace;
  const char *name = t->file ? tracefile_path(t->file) : "the trace"; /* a text has no file */
  if (!b->failed && t->n_events == 0) {
    tracefile_fail(error, TRACEFILE_WRONG, name, "record the program again",
                   "it holds no event that could be read");
    goto fail;
  }
  if (!b->failed && !trace_replay_finish(b->replay, t->facts.has_end))
    note_breach(b);
  t->history.end = b->replay;
  b->replay = NULL;
  if (b->failed || !vw_lanes_finish(b) || !vw_panics_finish(b) || !vw_digests_make(t) ||
      !vw_warnings_make(t)) {
    tracefile_fail(error, TRACEFILE_WRONG, name, "close other programs, or record for less long",
                   "there is not enough memory for its %zu events", t->n_events);
    goto fail;
  }
  b->trace = NULL;
  vw_builder_free(b);
  return t;
fail:
  vw_builder_free(b);
  return NULL;
}
