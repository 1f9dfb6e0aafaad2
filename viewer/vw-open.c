/* SPDX-License-Identifier: MIT */
/* vw-open.c - opening a trace file, and giving it back. */
#include "vw-internal.h"

#include <stdlib.h>
#include <string.h>

#define EVENTS_A_REPORT 65536 /* between two calls of the progress function: about 10 ms */

static bool report(vw_progress progress, void *arg, uint64_t done, uint64_t total,
                   struct tracefile *file, struct tracefile_error *error)
{
  if (!progress || progress(arg, done, total))
    return true;
  return tracefile_fail(error, TRACEFILE_WRONG, tracefile_path(file), "",
                        "opening it was cancelled");
}

/* Feeds all events to the builder. False: cancelled or unreadable, and *error says so. Without memory it ends
 * early, and the builder remembers. */
static bool feed(struct vw_builder *b, struct tracefile *file, vw_progress progress, void *arg,
                 struct tracefile_error *error)
{
  struct tracefile_summary summary;
  if (!tracefile_summary(file, &summary, error))
    return false;
  struct tracefile_cursor *cursor = tracefile_cursor_new(file, INT64_MIN, INT64_MAX, error);
  if (!cursor)
    return false;
  const struct trace_event *e;
  uint64_t done = 0;
  bool ok = true;
  while (ok && (e = tracefile_cursor_next(cursor)) && vw_builder_add(b, e)) {
    if (done++ % EVENTS_A_REPORT == 0)
      ok = report(progress, arg, done - 1, summary.n_events, file, error);
  }
  tracefile_cursor_free(cursor);
  return ok && report(progress, arg, summary.n_events, summary.n_events, file, error);
}

/* vw_builder_damage wants an M's in the order of their numbers; they were listed as they were found. */
static int compare_damages(const void *left, const void *right)
{
  const struct tracefile_damage *a = left, *b = right;
  if (a->m != b->m)
    return a->m < b->m ? -1 : 1;
  return a->first_seq < b->first_seq ? -1 : a->first_seq > b->first_seq;
}

static void add_damages(struct vw_builder *b, struct tracefile *file)
{
  size_t n = tracefile_damages(file, NULL, 0);
  struct tracefile_damage *damages = n ? calloc(n, sizeof *damages) : NULL;
  if (damages)
    n = tracefile_damages(file, damages, n);
  if (damages)
    qsort(damages, n, sizeof *damages, compare_damages);
  for (size_t i = 0; damages && i < n; i++)
    vw_builder_damage(b, &damages[i]);
  free(damages);
}

struct vw_trace *vw_trace_open(const char *path, vw_progress progress, void *arg,
                               struct tracefile_error *error)
{
  struct tracefile *file = tracefile_open(path, error);
  if (!file)
    return NULL;
  struct vw_builder *b = vw_builder_new();
  if (!b) {
    tracefile_fail(error, TRACEFILE_WRONG, path, "close other programs",
                   "there is no memory to read it");
    tracefile_close(file);
    return NULL;
  }
  b->trace->file = file; /* freed with the trace from here on */
  const char *program = tracefile_meta(file, "program");
  program = program ? program : path;
  vw_builder_meta(b, "program", program, strlen(program));
  int64_t first_loss = tracefile_first_loss(file);
  if (first_loss != INT64_MAX)
    vw_builder_expect_loss(b, first_loss);
  if (!feed(b, file, progress, arg, error)) {
    vw_builder_free(b);
    return NULL;
  }
  add_damages(b, file);
  return vw_builder_finish(b, error);
}

void vw_trace_free(struct vw_trace *trace)
{
  if (!trace)
    return;
  vw_history_free(&trace->history);
  vw_lanes_free(trace);
  vw_names_free(trace->names);
  for (size_t i = 0; i < trace->n_warnings; i++)
    free(trace->warnings[i]);
  free(trace->warnings);
  free(trace->panics);
  free(trace->panic_steps);
  free(trace->arrows);
  free(trace->arrows_in);
  free(trace->digests);
  free(trace->events);
  free(trace->title);
  tracefile_close(trace->file);
  free(trace);
}

const char *vw_trace_title(const struct vw_trace *trace)
{
  return trace->title ? trace->title : "";
}

struct tracefile *vw_trace_file(struct vw_trace *trace)
{
  return trace->file;
}
