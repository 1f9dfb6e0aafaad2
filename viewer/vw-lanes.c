/* SPDX-License-Identifier: MIT */
/* vw-lanes.c - the finished lanes: by id, each with its spans, overlays and marks lying together.
 *
 * Lanes were made in order of first mention; here they are ranked by id, and three sorts put what belongs to each
 * into its place.  A lane is found again by bisection over the ids, so no map is kept.
 */
#include "vw-internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is still open lasts until the end of the trace. */
static void close_open(struct vw_builder *b, enum vw_lane_kind kind)
{
  const struct vw_trace *t = b->trace;
  int64_t last = t->events[t->n_events - 1].ts;
  for (size_t i = 0; i < b->tracks[kind].n; i++) {
    const struct vw_track *track = vw_track_at(&b->tracks[kind], i);
    if (track->open != VW_BAG_NONE)
      ((struct vw_span *)vw_bag_at(&b->spans[kind], track->open))->t1 = last;
  }
  for (uint32_t i = 0; i < b->overlays[kind].n; i++) {
    struct vw_span *overlay = vw_bag_at(&b->overlays[kind], i);
    if (overlay->t1 == INT64_MIN)
      overlay->t1 = last;
  }
}

static int by_id(const void *a, const void *b)
{
  const struct vw_track *x = *(struct vw_track *const *)a, *y = *(struct vw_track *const *)b;
  return x->id < y->id ? -1 : x->id > y->id;
}

/* The tracks in order of their ids. The array is the caller's to free; NULL: out of memory. */
static struct vw_track **ranked(const struct vw_tracks *tracks)
{
  struct vw_track **order = malloc((tracks->n + 1) * sizeof *order);
  bool is_sorted = true;
  for (size_t i = 0; order && i < tracks->n; i++) {
    order[i] = vw_track_at(tracks, i);
    is_sorted = is_sorted && (i == 0 || order[i - 1]->id < order[i]->id);
  }
  if (order && !is_sorted)
    qsort(order, tracks->n, sizeof *order, by_id);
  return order;
}

static void name_m(const struct vw_track *m, char *out, size_t n)
{
  const char *what = m->is_sysmon ? "sysmon" : "";
  if (m->tid)
    snprintf(out, n, "%s%sthread %u", what, *what ? ", " : "", m->tid);
  else
    snprintf(out, n, "%s", what);
}

static const char *name_g(const struct vw_trace *t, const struct vw_track *g)
{
  return g->name ? vw_string(t, g->name) : vw_fn_name(t, g->fn);
}

static void name(struct vw_trace *t, enum vw_lane_kind kind, const struct vw_track *track, size_t i)
{
  static const char letters[] = { 'M', 'P', 'G' };
  struct vw_lane_text *text = &t->lanes[kind].texts[i];
  struct vw_lane *lane = &t->lanes[kind].lanes[i];
  snprintf(text->title, sizeof text->title, "%c%u", letters[kind], track->id);
  if (kind == VW_LANES_M)
    name_m(track, text->subtitle, sizeof text->subtitle);
  *lane = (struct vw_lane){ .kind = kind,
                            .id = track->id,
                            .is_sysmon = kind == VW_LANES_M && track->is_sysmon,
                            .tid = kind == VW_LANES_M ? track->tid : 0,
                            .title = text->title,
                            .subtitle = kind == VW_LANES_G ? name_g(t, track) : text->subtitle };
}

/* Sorts a bag's things to the lanes and tells each where they begin and how many they are. */
static void *hand_out(struct vw_bag *bag, const uint32_t *rank, struct vw_lanes *lanes,
                      size_t *starts, size_t pointer_at, size_t count_at)
{
  char *sorted = vw_bag_sort(bag, rank, lanes->n, starts);
  for (size_t i = 0; sorted && i < lanes->n; i++) {
    const char *first = sorted + starts[i] * bag->size;
    size_t n = starts[i + 1] - starts[i];
    memcpy((char *)&lanes->lanes[i] + pointer_at, &first, sizeof first);
    memcpy((char *)&lanes->lanes[i] + count_at, &n, sizeof n);
  }
  return sorted;
}

static bool fill(struct vw_builder *b, enum vw_lane_kind kind, const uint32_t *rank, size_t *starts)
{
  struct vw_lanes *lanes = &b->trace->lanes[kind];
  lanes->spans = hand_out(&b->spans[kind], rank, lanes, starts, offsetof(struct vw_lane, spans),
                          offsetof(struct vw_lane, n_spans));
  lanes->overlays =
      hand_out(&b->overlays[kind], rank, lanes, starts, offsetof(struct vw_lane, overlays),
               offsetof(struct vw_lane, n_overlays));
  lanes->marks = hand_out(&b->marks[kind], rank, lanes, starts, offsetof(struct vw_lane, marks),
                          offsetof(struct vw_lane, n_marks));
  return lanes->spans && lanes->overlays && lanes->marks;
}

static bool finish(struct vw_builder *b, enum vw_lane_kind kind)
{
  struct vw_lanes *lanes = &b->trace->lanes[kind];
  size_t n = b->tracks[kind].n;
  struct vw_track **order = ranked(&b->tracks[kind]);
  uint32_t *rank = malloc((n + 1) * sizeof *rank);
  size_t *starts = malloc((n + 1) * sizeof *starts);
  lanes->lanes = malloc((n + 1) * sizeof *lanes->lanes);
  lanes->texts = calloc(n + 1, sizeof *lanes->texts);
  bool ok = order && rank && starts && lanes->lanes && lanes->texts;
  if (ok) {
    lanes->n = n;
    close_open(b, kind);
    for (size_t i = 0; i < n; i++) {
      rank[order[i]->no] = (uint32_t)i;
      name(b->trace, kind, order[i], i);
    }
    ok = fill(b, kind, rank, starts);
  }
  free(order);
  free(rank);
  free(starts);
  return ok;
}

bool vw_lanes_finish(struct vw_builder *b)
{
  return finish(b, VW_LANES_M) && finish(b, VW_LANES_P) && finish(b, VW_LANES_G);
}

void vw_lanes_free(struct vw_trace *trace)
{
  for (int kind = 0; kind < VW_LANE_KINDS; kind++) {
    struct vw_lanes *lanes = &trace->lanes[kind];
    free(lanes->lanes);
    free(lanes->texts);
    free(lanes->spans);
    free(lanes->overlays);
    free(lanes->marks);
  }
}

size_t vw_lane_count(const struct vw_trace *trace, enum vw_lane_kind kind)
{
  return trace->lanes[kind].n;
}

const struct vw_lane *vw_lane(const struct vw_trace *trace, enum vw_lane_kind kind, size_t i)
{
  assert(i < trace->lanes[kind].n);
  return &trace->lanes[kind].lanes[i];
}

long vw_lane_of(const struct vw_trace *trace, enum vw_lane_kind kind, uint32_t id)
{
  const struct vw_lanes *lanes = &trace->lanes[kind];
  size_t lo = 0, hi = lanes->n;
  while (lo < hi) {
    size_t mid = lo + (hi - lo) / 2;
    if (lanes->lanes[mid].id < id)
      lo = mid + 1;
    else
      hi = mid;
  }
  return lo < lanes->n && lanes->lanes[lo].id == id ? (long)lo : -1;
}

size_t vw_span_at(const struct vw_lane *lane, int64_t t)
{
  size_t lo = 0, hi = lane->n_spans;
  while (lo < hi) {
    size_t mid = lo + (hi - lo) / 2;
    if (lane->spans[mid].t1 <= t)
      lo = mid + 1;
    else
      hi = mid;
  }
  return lo;
}

const char *vw_g_name(const struct vw_trace *trace, uint32_t goid)
{
  long i = vw_lane_of(trace, VW_LANES_G, goid);
  return i < 0 ? "" : trace->lanes[VW_LANES_G].lanes[i].subtitle;
}
