/* SPDX-License-Identifier: MIT */
/* plan-lanes.c - rectangles of spans and overlays, and marks.
 *
 * A row is filled from left to right.  A span that reaches a later pixel column than the row's edge gets a
 * rectangle of its own; all that end within one column share a rectangle of one pixel, which takes its colour
 * from the one that lasted longest and says how many they are.  So every visible span is counted in exactly one
 * rectangle, and rectangles of a row never overlap.
 *
 * Where a column holds many spans its end is found by galloping (1, 2, 4 ... spans ahead, then bisection), and
 * the longest is sought among those touched on the way; the number stays exact.
 *
 * Rectangles come in the order of (lane, x) for spans, then (lane, row, x) for overlays: plan-hit.c bisects it.
 */
#include "plan-build.h"

#include <math.h>
#include <stdlib.h>

struct row {
  struct vw_planner *pl;
  uint32_t lane;
  double y, h;
  int edge; /* first free pixel column */
  bool is_overlay;
};

static int column(const struct vw_planner *pl, int64_t t)
{
  double x = vw_planner_x(pl, t);
  return x <= pl->left ? (int)pl->left : x >= pl->right ? (int)pl->right : (int)x;
}

static void put(struct row *row, const struct vw_span *s, uint32_t index, int x0, int x1,
                size_t count)
{
  const struct vw_view *view = &row->pl->plan->view;
  struct vw_rect *r = VW_PUSH(row->pl, rects);
  row->edge = x1;
  if (!r)
    return;
  *r = (struct vw_rect){ .x = (float)x0,
                         .y = (float)row->y,
                         .w = (float)(x1 - x0),
                         .h = (float)row->h,
                         .lane = row->lane,
                         .span = index,
                         .count = (uint32_t)count,
                         .g = s->g,
                         .state = s->state,
                         .is_overlay = row->is_overlay };
  r->selected = vw_is_selected(view, s->g, s->m, s->p);
  r->dimmed = vw_is_dimmed(view, s->g, s->m, s->p);
  if (count > 1)
    row->pl->plan->merged_spans += count;
}

/* Time at which a pixel column begins. */
static int64_t column_time(const struct vw_planner *pl, int x)
{
  double dt = ceil((x - pl->left) / pl->scale);
  int64_t t;
  if (dt >= 9.2e18 || __builtin_add_overflow(pl->plan->view.t0, (int64_t)dt, &t))
    return INT64_MAX;
  return t;
}

/* First of spans[i ... n) that ends at or after t; *longest becomes the longest of those touched. */
static size_t gallop(const struct vw_span *spans, size_t i, size_t n, int64_t t, size_t *longest)
{
  size_t step = 1, low = i;
  while (low + step < n && spans[low + step].t1 < t) {
    low += step;
    if (spans[low].t1 - spans[low].t0 > spans[*longest].t1 - spans[*longest].t0)
      *longest = low;
    step = low - i < 8 ? 1 : step * 2;
  }
  size_t high = low + step < n ? low + step : n;
  low++;
  while (low < high) {
    size_t mid = low + (high - low) / 2;
    if (spans[mid].t1 < t)
      low = mid + 1;
    else
      high = mid;
  }
  return low;
}

static void plan_spans(struct row *row, const struct vw_lane *lane)
{
  struct vw_planner *pl = row->pl;
  const struct vw_view *view = &pl->plan->view;
  size_t i = vw_span_at(lane, view->t0), n = lane->n_spans;
  row->edge = (int)pl->left;
  while (i < n && lane->spans[i].t0 < view->t1 && row->edge < (int)pl->right && !pl->failed) {
    const struct vw_span *s = &lane->spans[i];
    int x0 = column(pl, s->t0), x1 = column(pl, s->t1);
    x0 = x0 > row->edge ? x0 : row->edge;
    if (x0 >= (int)pl->right)
      break;
    if (x1 > x0) {
      put(row, s, (uint32_t)i++, x0, x1, 1);
      continue;
    }
    size_t longest = i, end = gallop(lane->spans, i, n, column_time(pl, x0 + 1), &longest);
    put(row, &lane->spans[longest], (uint32_t)i, x0, x0 + 1, end - i);
    i = end;
  }
}

void vw_plan_lanes(struct vw_planner *pl)
{
  for (size_t i = 0; i < pl->plan->n_bands; i++) {
    uint32_t lane = pl->plan->bands[i].lane;
    struct row row = {
      .pl = pl, .lane = lane, .y = vw_planner_bar_y(pl, lane), .h = vw_planner_bar_h(pl)
    };
    plan_spans(&row, vw_lane(pl->trace, pl->plan->view.lanes, lane));
  }
}

/* ---- overlays ---- */
enum {
  BACK = 4096
};

/* First overlay to look at: outer ones that began before the range may reach into it. */
static size_t overlays_from(const struct vw_lane *lane, int64_t t0)
{
  size_t low = 0, high = lane->n_overlays;
  while (low < high) {
    size_t mid = low + (high - low) / 2;
    if (lane->overlays[mid].t0 < t0)
      low = mid + 1;
    else
      high = mid;
  }
  for (int back = 0; low > 0 && back < BACK; back++)
    if (lane->overlays[--low].depth == 0)
      break;
  return low;
}

static void plan_overlay_row(struct row *row, const struct vw_lane *lane, size_t from,
                             uint32_t depth, bool last)
{
  struct vw_planner *pl = row->pl;
  const struct vw_view *view = &pl->plan->view;
  struct vw_rect *open = NULL; /* the column that takes in more */
  row->edge = (int)pl->left;
  for (size_t i = from; i < lane->n_overlays && lane->overlays[i].t0 < view->t1 && !pl->failed;
       i++) {
    const struct vw_span *s = &lane->overlays[i];
    if (s->t1 < view->t0 || s->depth < depth || (s->depth > depth && !last))
      continue;
    int x0 = column(pl, s->t0), x1 = column(pl, s->t1);
    if (open && x1 < row->edge) {
      pl->plan->merged_spans += open->count == 1 ? 2 : 1;
      open->count++;
      continue;
    }
    x0 = x0 > row->edge ? x0 : row->edge;
    if (x0 >= (int)pl->right)
      break;
    put(row, s, (uint32_t)i, x0, x1 > x0 ? x1 : x0 + 1, 1);
    open = pl->failed ? NULL : &pl->plan->rects[pl->plan->n_rects - 1];
  }
}

static void plan_lane_overlays(struct vw_planner *pl, uint32_t lane_no)
{
  const struct vw_lane *lane = vw_lane(pl->trace, pl->plan->view.lanes, lane_no);
  const struct vw_extra *extra = vw_layout_extra(&pl->layout, lane_no);
  if (!lane->n_overlays)
    return;
  uint32_t rows = extra ? extra->rows : 0;
  double bar_y = vw_planner_bar_y(pl, lane_no), bar_h = vw_planner_bar_h(pl);
  struct row row = { .pl = pl, .lane = lane_no, .is_overlay = true };
  size_t from = overlays_from(lane, pl->plan->view.t0);
  for (uint32_t r = 0; r < (rows ? rows : 1); r++) {
    row.y = rows ? bar_y + bar_h + 2 + r * pl->layout.row_h : bar_y + bar_h - 4;
    row.h = rows ? pl->layout.row_h - 2 : 4;
    plan_overlay_row(&row, lane, from, r, r + 1 >= rows);
  }
}

void vw_plan_overlays(struct vw_planner *pl)
{
  for (size_t i = 0; i < pl->plan->n_bands; i++)
    plan_lane_overlays(pl, pl->plan->bands[i].lane);
}

/* ---- marks ---- */
static size_t marks_from(const struct vw_lane *lane, int64_t t0)
{
  size_t low = 0, high = lane->n_marks;
  while (low < high) {
    size_t mid = low + (high - low) / 2;
    if (lane->marks[mid].ts < t0)
      low = mid + 1;
    else
      high = mid;
  }
  return low;
}

/* Marks closer than a glyph's width share one glyph: the most important one's, where that one is. */
static void plan_lane_marks(struct vw_planner *pl, uint32_t lane_no)
{
  const struct vw_lane *lane = vw_lane(pl->trace, pl->plan->view.lanes, lane_no);
  const struct vw_view *view = &pl->plan->view;
  double width = pl->layout.strip + 2, y = vw_planner_bar_y(pl, lane_no) - pl->layout.strip / 2;
  struct vw_plan_mark *open = NULL;
  int64_t open_until = INT64_MIN;
  for (size_t i = marks_from(lane, view->t0); i < lane->n_marks && lane->marks[i].ts <= view->t1;
       i++) {
    const struct vw_mark *m = &lane->marks[i];
    pl->plan->shown_marks |= 1u << m->kind; /* also of those that share a glyph */
    if (open && m->ts < open_until) {
      open->count++;
      if (m->kind >= open->kind)
        continue;
      open->kind = m->kind;
      open->mark = (uint32_t)i;
      open->x = (float)vw_planner_x(pl, m->ts);
      continue;
    }
    double x = vw_planner_x(pl, m->ts);
    if (open && x - open->x < width) /* a more important one moved the last glyph to the right */
      x = open->x + width;
    open = VW_PUSH(pl, marks);
    if (!open)
      return;
    *open = (struct vw_plan_mark){ .x = (float)x,
                                   .y = (float)y,
                                   .lane = lane_no,
                                   .mark = (uint32_t)i,
                                   .count = 1,
                                   .kind = m->kind };
    open_until = column_time(pl, (int)ceil(x + width));
  }
}

void vw_plan_marks(struct vw_planner *pl)
{
  for (size_t i = 0; i < pl->plan->n_bands && !pl->failed; i++)
    plan_lane_marks(pl, pl->plan->bands[i].lane);
}
