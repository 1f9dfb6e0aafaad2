/* SPDX-License-Identifier: MIT */
/* vw-history.c - the scheduler's state at any event: the nearest checkpoint, and replay from there.
 *
 * While the trace is built, the replay is cloned every VW_INTERVAL events.  A step forward applies one event to the
 * cursor.  A step back clones the checkpoint before and applies at most an interval; on that way it leaves
 * VW_FINE fine checkpoints, so that the next steps back cost a sixteenth.
 *
 * I1  points[0] is the empty state; points are in order, at most `interval` events apart.
 * I2  All points together take at most VW_BUDGET bytes, if more than one: when they grow beyond it, every other one
 *     is given up and the interval doubles.  States of a million Gs are large, then steps back cost more.
 *
 * Not done: undoing events.  Every event would need an inverse, and a replay that can go wrong in two directions.
 * Road to 100 M events: keep points in the file (made at finalise), and load events by chunk.
 */
#include "vw-internal.h"

#include "trace-grow.h"

#include <stdlib.h>

#define VW_INTERVAL   8192
#define VW_BUDGET     ((size_t)256 << 20)
#define VW_FINE_BYTES ((size_t)4 << 20) /* larger states are not cloned for a single step */

static bool add_point(struct vw_history *h, struct trace_replay *state, uint64_t applied)
{
  if (!state || !trace_grow(&h->points, &h->capacity, h->n_points, sizeof *h->points)) {
    trace_replay_free(state);
    return false;
  }
  size_t bytes = trace_replay_size(state);
  h->points[h->n_points++] = (struct vw_checkpoint){ applied, bytes, state };
  h->bytes += bytes;
  return true;
}

static void thin_out(struct vw_history *h)
{
  size_t kept = 0;
  h->interval *= 2;
  for (size_t i = 0; i < h->n_points; i++) {
    if (h->points[i].applied % h->interval == 0) {
      h->points[kept++] = h->points[i];
      continue;
    }
    h->bytes -= h->points[i].bytes;
    trace_replay_free(h->points[i].state);
  }
  h->n_points = kept;
}

bool vw_history_init(struct vw_history *h)
{
  h->interval = VW_INTERVAL;
  return add_point(h, trace_replay_new(), 0);
}

bool vw_history_note(struct vw_history *h, const struct trace_replay *r, uint64_t applied)
{
  if (applied % h->interval != 0)
    return true;
  if (!add_point(h, trace_replay_clone(r), applied))
    return false;
  while (h->bytes > VW_BUDGET && h->n_points > 2)
    thin_out(h);
  return true;
}

static void drop_fine(struct vw_history *h)
{
  while (h->n_fine)
    trace_replay_free(h->fine[--h->n_fine].state);
}

void vw_history_free(struct vw_history *h)
{
  drop_fine(h);
  for (size_t i = 0; i < h->n_points; i++)
    trace_replay_free(h->points[i].state);
  free(h->points);
  trace_replay_free(h->shown.state);
  trace_replay_free(h->search.state);
  trace_replay_free(h->end);
}

/* The last of n points that has applied no more than that; NULL if there is none. */
static const struct vw_checkpoint *before(const struct vw_checkpoint *points, size_t n,
                                          uint64_t applied)
{
  size_t lo = 0, hi = n;
  while (lo < hi) {
    size_t mid = lo + (hi - lo) / 2;
    if (points[mid].applied <= applied)
      lo = mid + 1;
    else
      hi = mid;
  }
  return lo ? &points[lo - 1] : NULL;
}

static const struct vw_checkpoint *nearest(const struct vw_history *h, uint64_t applied)
{
  const struct vw_checkpoint *point = before(h->points, h->n_points, applied);
  const struct vw_checkpoint *fine = before(h->fine, h->n_fine, applied);
  return fine && fine->applied > point->applied ? fine : point;
}

static bool put_back(struct vw_cursor *c, const struct vw_checkpoint *point)
{
  struct trace_replay *state = trace_replay_clone(point->state);
  if (!state)
    return false;
  trace_replay_free(c->state);
  *c = (struct vw_cursor){ point->applied, state };
  return true;
}

static void forward(const struct vw_trace *t, struct vw_cursor *c, uint64_t applied)
{
  while (c->applied < applied)
    trace_replay_apply(c->state, &t->events[c->applied++]);
}

/* Goes forward to `applied`, leaving fine checkpoints on the way; without memory for them, none. */
static void forward_finely(struct vw_trace *t, struct vw_cursor *c, uint64_t applied)
{
  struct vw_history *h = &t->history;
  uint64_t stride = (applied - c->applied) / VW_FINE;
  if (stride < 32 || trace_replay_size(c->state) > VW_FINE_BYTES) {
    forward(t, c, applied);
    return;
  }
  drop_fine(h);
  while (h->n_fine < VW_FINE) {
    forward(t, c, c->applied + stride);
    struct trace_replay *state = trace_replay_clone(c->state);
    if (!state)
      break;
    h->fine[h->n_fine++] = (struct vw_checkpoint){ c->applied, 0, state };
  }
  forward(t, c, applied);
}

static const struct trace_replay *seek(struct vw_trace *t, struct vw_cursor *c, uint64_t applied)
{
  const struct vw_checkpoint *point = nearest(&t->history, applied);
  bool is_back = c->state && c->applied > applied;
  bool is_on_the_way = c->state && !is_back && c->applied >= point->applied;
  if (!is_on_the_way && !put_back(c, point))
    return NULL;
  if (is_back)
    forward_finely(t, c, applied);
  else
    forward(t, c, applied);
  return c->state;
}

const struct trace_replay *vw_state_after(struct vw_trace *trace, uint64_t no)
{
  assert(no < trace->n_events);
  return seek(trace, &trace->history.shown, no + 1);
}

const struct trace_replay *vw_state_before(struct vw_trace *trace, uint64_t no)
{
  assert(no < trace->n_events);
  return seek(trace, &trace->history.shown, no);
}

const struct trace_replay *vw_history_before(struct vw_trace *trace, uint64_t no)
{
  return seek(trace, &trace->history.search, no);
}
