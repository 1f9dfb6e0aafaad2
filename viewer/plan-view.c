/* SPDX-License-Identifier: MIT */
/* plan-view.c - the view: its beginning, zooming, panning, bringing an event into sight.
 *
 * Zooming in and then out has to give the very same range, or a picture wanders while one looks around.  Whole
 * nanoseconds cannot do that, so the view keeps its bounds before rounding beside the rounded ones and uses
 * them as long as they still round to those: a caller that sets t0 and t1 needs to know nothing of it.
 */
#include "plan-build.h"

#include <math.h>

#define LEAST_NS 40.0 /* shown at most zoom */
#define MARGIN   0.05 /* of the trace, beside it */

/* The least and the greatest time that may be shown. */
static void limits(const struct vw_trace *trace, double *low, double *high)
{
  int64_t first = 0, last = 0;
  vw_time_range(trace, &first, &last);
  double span = vw_ns_between(last, first), margin = span * MARGIN;
  margin = margin < LEAST_NS ? LEAST_NS : margin;
  *low = (double)first - margin;
  *high = (double)first + span + margin;
}

static int64_t to_ns(double t)
{
  return t >= 9.2e18 ? INT64_MAX : t <= -9.2e18 ? INT64_MIN : llround(t);
}

static void exact(struct vw_view *view)
{
  if (to_ns(view->exact_t0) == view->t0 && to_ns(view->exact_t1) == view->t1)
    return;
  view->exact_t0 = (double)view->t0;
  view->exact_t1 = (double)view->t1;
}

/* Shows [t0, t0 + span], moved and cut to what may be shown. */
static void show(struct vw_view *view, const struct vw_trace *trace, double t0, double span)
{
  double low, high;
  limits(trace, &low, &high);
  span = span > high - low ? high - low : span;
  t0 = t0 + span > high ? high - span : t0;
  t0 = t0 < low ? low : t0;
  view->exact_t0 = t0;
  view->exact_t1 = t0 + span;
  view->t0 = to_ns(t0);
  view->t1 = to_ns(t0 + span);
  if (view->t1 <= view->t0)
    view->t1 = view->t0 + 1;
}

void vw_view_init(struct vw_view *view, const struct vw_trace *trace, enum vw_lane_kind lanes,
                  int width, int height)
{
  *view = (struct vw_view){ .width = width, .height = height, .lanes = lanes, .event_no = VW_NONE };
  for (unsigned i = 0; i < VW_ARROW_KINDS; i++)
    view->arrows[i] = true;
  int64_t first = 0, last = 0;
  vw_time_range(trace, &first, &last);
  double span = vw_ns_between(last, first),
         margin = span * 0.015 < LEAST_NS / 2 ? LEAST_NS / 2 : span * 0.015;
  show(view, trace, (double)first - margin, span + 2 * margin);
}

void vw_view_skip_start_up(struct vw_view *view, const struct vw_trace *trace)
{
  enum {
    LOOKED_AT = 64 /* Gs are numbered as they are made: the first to run is among the first */
  };
  int64_t first = INT64_MAX;
  size_t n = vw_lane_count(trace, VW_LANES_G);
  for (size_t i = 0; i < n && i < LOOKED_AT; i++) {
    const struct vw_lane *lane = vw_lane(trace, VW_LANES_G, i);
    if (lane->n_spans && lane->spans[0].t0 < first)
      first = lane->spans[0].t0;
  }
  double span = vw_ns_between(view->t1, view->t0);
  if (first < view->t1 && vw_ns_between(first, view->t0) > span / 4)
    view->t0 = first - (view->t1 - first) / 16;
}

/* How far in front of its trace's first event the view begins; negative: behind it. */
static int64_t lead(const struct vw_sheet *sheet)
{
  int64_t first = 0, last = 0;
  vw_time_range(sheet->trace, &first, &last);
  double before = (double)first - (double)sheet->view->t0;
  return before < 0 ? -1 : to_ns(before);
}

static void align_beginnings(const struct vw_sheet *sheets, size_t n)
{
  int64_t longest = 0;
  for (size_t i = 0; i < n; i++) {
    int64_t one = lead(&sheets[i]);
    if (one < 0)
      return;
    longest = one > longest ? one : longest;
  }
  for (size_t i = 0; i < n; i++) {
    int64_t by = longest - lead(&sheets[i]), *t0 = &sheets[i].view->t0;
    *t0 = *t0 < INT64_MIN + by ? INT64_MIN : *t0 - by;
  }
}

void vw_view_use_one_scale(const struct vw_sheet *sheets, size_t n)
{
  align_beginnings(sheets, n);
  uint64_t longest = 0;
  for (size_t i = 0; i < n; i++) {
    uint64_t length = (uint64_t)sheets[i].view->t1 - (uint64_t)sheets[i].view->t0;
    longest = length > longest ? length : longest;
  }
  for (size_t i = 0; i < n; i++) {
    struct vw_view *view = sheets[i].view;
    uint64_t room = (uint64_t)INT64_MAX - (uint64_t)view->t0;
    view->t1 = longest < room ? (int64_t)((uint64_t)view->t0 + longest) : INT64_MAX;
  }
}

void vw_view_zoom(struct vw_view *view, const struct vw_trace *trace, double factor, int64_t anchor)
{
  if (!(factor > 0) || !isfinite(factor))
    return;
  exact(view);
  double span = view->exact_t1 - view->exact_t0, wanted = span / factor;
  if (wanted < LEAST_NS)
    wanted = span < LEAST_NS ? span : LEAST_NS;
  double part = ((double)anchor - view->exact_t0) / span;
  show(view, trace, (double)anchor - part * wanted, wanted);
}

void vw_view_pan(struct vw_view *view, const struct vw_trace *trace, double fraction)
{
  if (!isfinite(fraction))
    return;
  exact(view);
  double span = view->exact_t1 - view->exact_t0;
  show(view, trace, view->exact_t0 + span * fraction, span);
}

static long lane_of_event(const struct vw_trace *trace, enum vw_lane_kind kind,
                          const struct trace_event *e)
{
  if (kind == VW_LANES_M)
    return vw_lane_of(trace, kind, e->m);
  if (kind == VW_LANES_P)
    return e->p == TRACE_NO_P ? -1 : vw_lane_of(trace, kind, e->p);
  return e->g == 0 ? -1 : vw_lane_of(trace, kind, e->g);
}

static void reveal_lane(struct vw_view *view, const struct vw_trace *trace, long lane)
{
  struct vw_layout layout;
  vw_layout_init(&layout, trace, view, 0);
  double y = vw_layout_y(&layout, (size_t)lane), end = vw_layout_y(&layout, (size_t)lane + 1);
  double room = layout.bottom - layout.top;
  if (end > view->scroll_y + room)
    view->scroll_y = end - room;
  if (y < view->scroll_y)
    view->scroll_y = y;
  vw_layout_clear(&layout);
}

static bool shows_all(const struct vw_view *view, const struct vw_trace *trace)
{
  int64_t first = 0, last = 0;
  vw_time_range(trace, &first, &last);
  return view->t0 <= first && view->t1 >= last;
}

static void reveal_time(struct vw_view *view, const struct vw_trace *trace, int64_t ts)
{
  exact(view);
  double span = view->exact_t1 - view->exact_t0, edge = span * 0.06, t = (double)ts;
  if (t < view->exact_t0 + edge && ts != view->t0)
    show(view, trace, t - edge, span);
  else if (t > view->exact_t1 - edge)
    show(view, trace, t + edge - span, span);
}

void vw_view_reveal(struct vw_view *view, const struct vw_trace *trace, uint64_t no)
{
  if (no >= vw_event_count(trace))
    return;
  const struct trace_event *e = vw_event(trace, no);
  if (!shows_all(view, trace))
    reveal_time(view, trace, e->ts);
  long lane = lane_of_event(trace, view->lanes, e);
  if (lane >= 0)
    reveal_lane(view, trace, lane);
}
