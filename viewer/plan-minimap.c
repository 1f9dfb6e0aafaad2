/* SPDX-License-Identifier: MIT */
/* plan-minimap.c - the overview of a whole trace: how busy each lane was, and the marks.
 *
 * Made once for a trace and a width: one pass over spans and marks.  At most MOST lanes have a row of
 * their own; of more, neighbours share one.
 */
#include "plan-build.h"

#include <stdlib.h>

enum {
  MOST = 64
};

struct scale {
  int64_t first;
  double px_per_ns;
  int width;
};

static double x_of(const struct scale *scale, int64_t t)
{
  double x = vw_ns_between(t, scale->first) * scale->px_per_ns;
  return x < 0 ? 0 : x > scale->width ? scale->width : x;
}

static void add_span(float *row, const struct scale *scale, const struct vw_span *s)
{
  double x0 = x_of(scale, s->t0), x1 = x_of(scale, s->t1);
  for (int c = (int)x0; c < scale->width && c < x1; c++) {
    double from = x0 > c ? x0 : c, to = x1 < c + 1 ? x1 : c + 1;
    row[c] += (float)(to - from);
  }
}

static bool is_busy(uint8_t state)
{
  return state == VW_STATE_RUNNING || state == VW_STATE_SCHED || state == VW_STATE_SYSCALL;
}

static void add_lane(struct vw_minimap *map, const struct scale *scale, const struct vw_lane *lane,
                     float *row)
{
  for (size_t i = 0; i < lane->n_spans; i++)
    if (is_busy(lane->spans[i].state))
      add_span(row, scale, &lane->spans[i]);
  for (size_t i = 0; i < lane->n_marks; i++) {
    int c = (int)x_of(scale, lane->marks[i].ts);
    c = c < map->width ? c : map->width - 1;
    uint8_t kind = (uint8_t)(1 + lane->marks[i].kind);
    if (!map->marks[c] || kind < map->marks[c])
      map->marks[c] = kind;
  }
}

static void fill_lanes(struct vw_minimap *map, const struct vw_trace *trace, enum vw_lane_kind kind,
                       const struct scale *scale, float *row)
{
  size_t n = vw_lane_count(trace, kind), rows = (size_t)map->n_lanes;
  for (size_t r = 0; r < rows; r++) {
    size_t from = r * n / rows, to = (r + 1) * n / rows;
    for (int c = 0; c < map->width; c++)
      row[c] = 0;
    for (size_t i = from; i < to; i++)
      add_lane(map, scale, vw_lane(trace, kind, i), row);
    for (int c = 0; c < map->width; c++) {
      float busy = row[c] / (float)(to - from);
      map->busy[r * (size_t)map->width + (size_t)c] = (uint8_t)(busy >= 1 ? 255 : busy * 255);
    }
  }
}

static void count_events(struct vw_minimap *map, const struct vw_trace *trace,
                         const struct scale *scale)
{
  uint64_t before = 0;
  for (int c = 0; c < map->width; c++) {
    double t = (c + 1) / scale->px_per_ns;
    uint64_t no = c + 1 == map->width || t > 9e18 ? vw_event_count(trace)
                                                  : vw_event_at(trace, scale->first + (int64_t)t);
    map->events[c] = (uint32_t)(no - before);
    before = no;
  }
}

struct vw_minimap *vw_minimap_new(struct vw_trace *trace, enum vw_lane_kind lanes, int width)
{
  struct vw_minimap *map = calloc(1, sizeof *map);
  if (!map)
    return NULL;
  enum vw_lane_kind kind = lanes == VW_LANES_P ? VW_LANES_P : VW_LANES_M;
  size_t n = vw_lane_count(trace, kind);
  map->width = width < 1 ? 1 : width > 32767 ? 32767 : width;
  map->n_lanes = n > MOST ? MOST : (int)n;
  size_t columns = (size_t)map->width;
  map->busy = calloc(columns * (size_t)(map->n_lanes ? map->n_lanes : 1), 1);
  map->events = calloc(columns, sizeof *map->events);
  map->marks = calloc(columns, 1);
  float *row = calloc(columns, sizeof *row);
  if (!map->busy || !map->events || !map->marks || !row) {
    free(row);
    vw_minimap_free(map);
    return NULL;
  }
  int64_t first = 0, last = 0;
  vw_time_range(trace, &first, &last);
  double span = vw_ns_between(last, first);
  struct scale scale = { .first = first,
                         .px_per_ns = map->width / (span > 0 ? span : 1),
                         .width = map->width };
  fill_lanes(map, trace, kind, &scale, row);
  count_events(map, trace, &scale);
  free(row);
  return map;
}

void vw_minimap_free(struct vw_minimap *map)
{
  if (!map)
    return;
  free(map->busy);
  free(map->events);
  free(map->marks);
  free(map);
}
