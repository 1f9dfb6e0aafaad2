/* SPDX-License-Identifier: MIT */
/* vw-panics.c - the path of each panic: from the call of panic outwards over frames and deferred calls.
 *
 * A path takes every event of its panic: begin, each frame looked at, each deferred call that the panic ran
 * (with the function), each call of recover with its verdict among them, and the end: the frame that control
 * returned to, the death of the process, or that a newer panic replaced it.  A Goexit is a path too, since it
 * walks the same chain.  Deferred calls that a frame runs because it returns belong to no path, not even when they
 * run inside a panic's call; except those that were still pending on the frame which a recovery returned to: they
 * are the end of the story, and follow the path's end as steps.
 *
 * The stack of layers of the G (vw-layers.c) says which panics are in progress; this runs before it ends them and
 * after it began them.
 */
#include "vw-internal.h"

#include "trace-grow.h"

#include <stdlib.h>

static uint32_t add_path(struct vw_builder *b, const struct trace_event *e, uint64_t no)
{
  struct vw_trace *t = b->trace;
  if (t->n_panics >= VW_BAG_NONE ||
      !trace_grow(&t->panics, &t->panics_capacity, t->n_panics, sizeof *t->panics) ||
      !trace_grow(&b->values, &b->values_capacity, t->n_panics, sizeof *b->values)) {
    b->failed = true;
    return VW_BAG_NONE;
  }
  b->values[t->n_panics] = e->kind == TRACE_GOEXIT_BEGIN ? VW_BAG_NONE : e->w[1];
  t->panics[t->n_panics] = (struct vw_panic_path){
    .g = e->g, .depth = e->w[0], .begin_no = no, .end_no = VW_NONE, .t0 = e->ts
  };
  return (uint32_t)t->n_panics++;
}

static void add_step(struct vw_builder *b, uint32_t path, const struct trace_event *e, uint64_t no,
                     uint32_t frame, uint64_t fn)
{
  if (path == VW_BAG_NONE)
    return;
  struct vw_panic_step step = { .no = no,
                                .ts = e->ts,
                                .frame = frame,
                                .depth = b->trace->panics[path].depth,
                                .fn = fn,
                                .kind = e->kind };
  if (vw_bag_add(&b->steps, path, &step) == VW_BAG_NONE)
    b->failed = true;
}

static void begin(struct vw_builder *b, struct vw_track *g, const struct trace_event *e,
                  uint64_t no)
{
  struct vw_layer *panic = vw_layers_panic(g, e->w[0]);
  if (!panic || panic->no != no)
    return; /* too many layers: this one is not followed */
  panic->path = add_path(b, e, no);
  add_step(b, panic->path, e, no, e->kind == TRACE_PANIC_BEGIN ? e->w[2] : e->w[1], 0);
}

static void step(struct vw_builder *b, struct vw_track *g, const struct trace_event *e, uint64_t no,
                 uint32_t frame)
{
  const struct vw_layer *panic = vw_layers_panic(g, e->w[0]);
  if (panic)
    add_step(b, panic->path, e, no, frame, 0);
}

/* The frame that a recovery returned to runs the deferred calls that are left.  It is gone when one of a frame
 * further out begins, and when a new frame pushes a deferred call where it was. */
static void returning_call(struct vw_builder *b, struct vw_track *g, const struct trace_event *e,
                           uint64_t no)
{
  if (g->returning == 0)
    return;
  if (e->kind == TRACE_DEFER_BEGIN && e->w[0] == g->returning_frame &&
      e->w[1] == TRACE_CAUSE_RETURN)
    add_step(b, g->returning - 1, e, no, e->w[0], e->d[1]);
  else if (e->w[0] < g->returning_frame ||
           (e->kind == TRACE_DEFER_PUSH && e->w[0] == g->returning_frame))
    g->returning = 0;
}

/* A deferred call that the panic runs begins or ends; it is the innermost call either way. */
static void call(struct vw_builder *b, struct vw_track *g, const struct trace_event *e, uint64_t no)
{
  const struct vw_layer *run = vw_layers_call(g);
  const struct vw_layer *panic = run && run->depth ? vw_layers_panic(g, run->depth) : NULL;
  if (panic)
    add_step(b, panic->path, e, no, e->w[0], run->fn);
}

static void end_path(struct vw_builder *b, const struct vw_layer *panic, enum vw_outcome outcome,
                     const struct trace_event *e, uint64_t no)
{
  if (panic->path == VW_BAG_NONE)
    return;
  struct vw_panic_path *path = &b->trace->panics[panic->path];
  path->outcome = outcome;
  path->end_no = no;
  path->t1 = e->ts;
}

static void end(struct vw_builder *b, struct vw_track *g, enum vw_outcome outcome,
                const struct trace_event *e, uint64_t no, uint32_t frame)
{
  const struct vw_layer *panic = vw_layers_panic(g, e->w[0]);
  if (!panic)
    return;
  add_step(b, panic->path, e, no, frame, 0);
  end_path(b, panic, outcome, e, no);
  if (outcome != VW_OUTCOME_RECOVERED || panic->path == VW_BAG_NONE)
    return;
  b->trace->panics[panic->path].recovered_frame = frame;
  g->returning = panic->path + 1;
  g->returning_frame = frame;
}

/* The process dies of the one of this depth, and it alone has the step.  The older ones that it took over end with
 * it, recovered or not. */
static void fatal(struct vw_builder *b, struct vw_track *g, const struct trace_event *e,
                  uint64_t no)
{
  const struct vw_layer *died_of = vw_layers_panic(g, e->w[0]);
  died_of = died_of ? died_of : vw_layers_panic(g, 0);
  if (!died_of)
    return;
  add_step(b, died_of->path, e, no, 0, 0);
  for (uint32_t i = 0; i < g->n_layers; i++)
    if (g->layers[i].state == VW_STATE_PANIC)
      end_path(b, &g->layers[i], &g->layers[i] == died_of ? VW_OUTCOME_FATAL : VW_OUTCOME_ABORTED,
               e, no);
}

/* Called after the layers of what begins came, and before those of what ends go. */
void vw_panics_event(struct vw_builder *b, const struct trace_event *e, uint64_t no)
{
  struct vw_track *g = vw_track_g(b, e->g);
  if (!g)
    return;
  /* clang-format off */
  switch (e->kind) {
  case TRACE_PANIC_BEGIN:
  case TRACE_GOEXIT_BEGIN:       g->returning = 0; begin(b, g, e, no); break;
  case TRACE_PANIC_WALK:         step(b, g, e, no, e->w[1]); break;
  case TRACE_PANIC_RECOVER_CALL:
  case TRACE_PANIC_NESTED:       step(b, g, e, no, 0); break;
  case TRACE_DEFER_PUSH:         returning_call(b, g, e, no); break;
  case TRACE_DEFER_BEGIN:        returning_call(b, g, e, no); call(b, g, e, no); break;
  case TRACE_DEFER_END:          call(b, g, e, no); break;
  case TRACE_PANIC_RECOVERED:    end(b, g, VW_OUTCOME_RECOVERED, e, no, e->w[1]); break;
  case TRACE_PANIC_ABORTED:      end(b, g, VW_OUTCOME_ABORTED, e, no, 0); break;
  case TRACE_GOEXIT_END:         end(b, g, VW_OUTCOME_GOEXIT, e, no, 0); break;
  case TRACE_PANIC_FATAL:        fatal(b, g, e, no); break;
  default: break; /* no part of a panic */
  }
  /* clang-format on */
}

bool vw_panics_finish(struct vw_builder *b)
{
  struct vw_trace *t = b->trace;
  size_t n = t->n_panics;
  uint32_t *rank = malloc((n + 1) * sizeof *rank);
  size_t *starts = malloc((n + 1) * sizeof *starts);
  for (size_t i = 0; rank && i < n; i++)
    rank[i] = (uint32_t)i;
  bool ok = rank && starts && (t->panic_steps = vw_bag_sort(&b->steps, rank, n, starts));
  for (size_t i = 0; ok && i < n; i++) {
    struct vw_panic_path *path = &t->panics[i];
    path->steps = (const struct vw_panic_step *)t->panic_steps + starts[i];
    path->n_steps = starts[i + 1] - starts[i];
    path->value = b->values[i] == VW_BAG_NONE ? "Goexit" : vw_string(t, b->values[i]);
    if (path->end_no == VW_NONE)
      path->t1 = t->events[t->n_events - 1].ts;
  }
  free(rank);
  free(starts);
  return ok;
}

const struct vw_panic_path *vw_panics(const struct vw_trace *trace, size_t *n)
{
  *n = trace->n_panics;
  return trace->panics;
}
