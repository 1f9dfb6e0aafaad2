/* SPDX-License-Identifier: MIT */
/* plan-hit.c - what is at a point of a picture, and what a tooltip says about it.
 *
 * The plan's order makes it searchable: bands by y; rectangles of spans by (lane, x), then those of overlays by
 * (lane, row, x); marks by (lane, x).  Arrows and steps are few and looked at one by one.
 */
#include "plan-build.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
  NEAR_ARROW = 4,
  NEAR_ARROW_ON_BAR = 2, /* a bar is a larger target, and often what is meant */
  NEAR_STEP = 9
};

static const struct vw_band *band_at(const struct vw_plan *plan, double y)
{
  size_t low = 0, high = plan->n_bands;
  while (low < high) {
    size_t mid = low + (high - low) / 2;
    if (plan->bands[mid].y + plan->bands[mid].h <= y)
      low = mid + 1;
    else
      high = mid;
  }
  return low < plan->n_bands && plan->bands[low].y <= y ? &plan->bands[low] : NULL;
}

/* The last rectangle of (overlay, lane, row) that begins at or before x, compared in the plan's order. */
static bool begins_after(const struct vw_rect *r, bool overlay, uint32_t lane, double y, double x)
{
  if (r->is_overlay != overlay)
    return r->is_overlay;
  if (r->lane != lane)
    return r->lane > lane;
  if (r->is_overlay && (y < r->y || y >= r->y + r->h))
    return r->y > y;
  return r->x > x;
}

static long rect_at(const struct vw_plan *plan, bool overlay, uint32_t lane, double x, double y)
{
  size_t low = 0, high = plan->n_rects;
  while (low < high) {
    size_t mid = low + (high - low) / 2;
    if (begins_after(&plan->rects[mid], overlay, lane, y, x))
      high = mid;
    else
      low = mid + 1;
  }
  if (low == 0)
    return -1;
  const struct vw_rect *r = &plan->rects[low - 1];
  bool inside = r->is_overlay == overlay && r->lane == lane && x >= r->x && x < r->x + r->w &&
                y >= r->y && y < r->y + r->h;
  return inside ? (long)low - 1 : -1;
}

static long mark_at(const struct vw_plan *plan, const struct vw_band *band, double x, double y)
{
  size_t low = 0, high = plan->n_marks;
  while (low < high) {
    size_t mid = low + (high - low) / 2;
    const struct vw_plan_mark *m = &plan->marks[mid];
    if (m->lane < band->lane || (m->lane == band->lane && m->x < x - 5))
      low = mid + 1;
    else
      high = mid;
  }
  if (low == plan->n_marks)
    return -1;
  const struct vw_plan_mark *m = &plan->marks[low];
  return m->lane == band->lane && fabs(m->x - x) <= 5.5 && fabs(m->y - y) <= 6 ? (long)low : -1;
}

static double distance(const struct vw_plan_arrow *a, double x, double y)
{
  double dx = a->x1 - a->x0, dy = a->y1 - a->y0, square = dx * dx + dy * dy;
  double f = square > 0 ? ((x - a->x0) * dx + (y - a->y0) * dy) / square : 0;
  f = f < 0 ? 0 : f > 1 ? 1 : f;
  return hypot(x - a->x0 - f * dx, y - a->y0 - f * dy);
}

/* Those that stepped back behind a selection are no targets. */
static long arrow_at(const struct vw_plan *plan, double x, double y, double least)
{
  long best = -1;
  for (size_t i = 0; i < plan->n_arrows; i++) {
    double d = distance(&plan->arrows[i], x, y);
    if (d <= least && !plan->arrows[i].dimmed) {
      least = d;
      best = (long)i;
    }
  }
  return best;
}

static long step_at(const struct vw_plan *plan, double x, double y)
{
  for (size_t i = 0; i < plan->n_path; i++)
    if (plan->path[i].number && hypot(plan->path[i].x - x, plan->path[i].y - y) <= NEAR_STEP)
      return (long)i;
  return -1;
}

static bool found(struct vw_hit *hit, enum vw_hit_what what, long index, uint64_t no)
{
  hit->what = what;
  hit->index = (uint32_t)index;
  hit->no = no;
  return true;
}

static bool hit_rect(const struct vw_plan *plan, const struct vw_lane *lane, struct vw_hit *hit,
                     bool overlay, double x, double y)
{
  long i = rect_at(plan, overlay, hit->lane, x, y);
  if (i < 0)
    return false;
  const struct vw_span *spans = overlay ? lane->overlays : lane->spans;
  return found(hit, overlay ? VW_HIT_OVERLAY : VW_HIT_SPAN, i, spans[plan->rects[i].span].no);
}

static bool hit_arrow(const struct vw_plan *plan, const struct vw_trace *trace, struct vw_hit *hit,
                      double x, double y)
{
  size_t n;
  double reach = rect_at(plan, false, hit->lane, x, y) >= 0 ? NEAR_ARROW_ON_BAR : NEAR_ARROW;
  long i = arrow_at(plan, x, y, reach);
  return i >= 0 && found(hit, VW_HIT_ARROW, i, vw_arrows(trace, &n)[plan->arrows[i].arrow].from.no);
}

static bool hit_step(const struct vw_plan *plan, const struct vw_trace *trace, struct vw_hit *hit,
                     double x, double y)
{
  size_t n;
  long i = step_at(plan, x, y);
  if (i < 0)
    return false;
  const struct vw_path_step *s = &plan->path[i];
  return found(hit, VW_HIT_STEP, i, vw_panics(trace, &n)[s->panic].steps[s->step].no);
}

struct vw_hit vw_plan_hit(const struct vw_plan *plan, const struct vw_trace *trace, double x,
                          double y)
{
  struct vw_hit hit = { .what = VW_HIT_NOTHING,
                        .lane = UINT32_MAX,
                        .index = UINT32_MAX,
                        .no = VW_NONE,
                        .t = vw_plan_t(plan, x) };
  if (x < 0 || y < 0 || x >= plan->view.width || y >= plan->view.height - plan->legend)
    return hit;
  if (y < plan->ruler) {
    hit.what = VW_HIT_RULER;
    return hit;
  }
  const struct vw_band *band = band_at(plan, y);
  if (!band)
    return hit;
  hit.lane = band->lane;
  hit.what = x < plan->gutter ? VW_HIT_TITLE : VW_HIT_LANE;
  if (hit.what == VW_HIT_TITLE)
    return hit;
  const struct vw_lane *lane = vw_lane(trace, plan->view.lanes, band->lane);
  long mark = mark_at(plan, band, x, y);
  if (mark >= 0)
    found(&hit, VW_HIT_MARK, mark, lane->marks[plan->marks[mark].mark].no);
  else if (!hit_step(plan, trace, &hit, x, y) && !hit_rect(plan, lane, &hit, true, x, y) &&
           !hit_arrow(plan, trace, &hit, x, y))
    hit_rect(plan, lane, &hit, false, x, y);
  return hit;
}

/* ---- tooltips ---- */
struct text {
  char *out;
  size_t n, used;
};

__attribute__((format(printf, 2, 3))) static void say(struct text *t, const char *format, ...)
{
  va_list args;
  size_t room = t->used < t->n ? t->n - t->used : 0;
  va_start(args, format);
  int length = vsnprintf(room ? t->out + t->used : NULL, room, format, args);
  va_end(args);
  t->used += length > 0 ? (size_t)length : 0;
}

static void say_sentence(struct text *t, struct vw_trace *trace, uint64_t no)
{
  char raw[400], clean[400];
  if (no >= vw_event_count(trace))
    return;
  vw_sentence(trace, no, raw, sizeof raw);
  vw_display_text(raw, strlen(raw), clean, sizeof clean);
  say(t, "%s%s", t->used ? "\n" : "", clean);
}

static void say_span(struct text *t, struct vw_trace *trace, const struct vw_rect *r,
                     const struct vw_span *s, const char *lane)
{
  char text[160], took[32];
  if (r->count > 1) {
    say(t, "%s: %u spans merged; zoom in to tell them apart", lane, r->count);
    return;
  }
  vw_duration_text(vw_ns_between(s->t1, s->t0), took, sizeof took);
  if (r->is_overlay) {
    vw_overlay_text(trace, s, text, sizeof text);
    say(t, "%s: %s, %s", lane, text, took);
  } else if (s->state == VW_STATE_RUNNING && s->g) {
    vw_g_text(trace, s->g, text, sizeof text);
    say(t, "%s: %s running, %s", lane, text, took);
  } else if (s->state == VW_STATE_SYSMON) {
    vw_sysmon_text(s, text, sizeof text);
    say(t, "%s: %s, for %s", lane, text, took);
  } else {
    const char *why = s->state == VW_STATE_WAITING ? trace_word_text(TRACE_ARG_WAIT, s->why) : NULL;
    say(t, "%s: %s%s%s, %s", lane, vw_state_title((enum vw_state)s->state), why && *why ? ": " : "",
        why ? why : "", took);
  }
  say_sentence(t, trace, s->no);
}

static void say_arrow(struct text *t, struct vw_trace *trace, const struct vw_arrow *a)
{
  char took[32];
  vw_duration_text(vw_ns_between(a->to.ts, a->from.ts), took, sizeof took);
  if (a->to.g)
    say(t, "G%u %s, after %s", a->to.g, vw_arrow_title((enum vw_arrow_kind)a->kind), took);
  else
    say(t, "%s, after %s", vw_arrow_title((enum vw_arrow_kind)a->kind), took);
  say_sentence(t, trace, a->from.no);
}

static void say_mark(struct text *t, struct vw_trace *trace, const struct vw_plan_mark *m,
                     const struct vw_mark *mark)
{
  say(t, "%s", vw_mark_title((enum vw_mark_kind)m->kind));
  if (m->count > 1)
    say(t, ", and %u more here; zoom in to tell them apart", m->count - 1);
  say_sentence(t, trace, mark->no);
}

#define TITLE_SIZE 64

/* The lane that a span, a mark or a title was found on, and what it is called, cut. */
static const struct vw_lane *lane_of(const struct vw_plan *plan, const struct vw_trace *trace,
                                     const struct vw_hit *hit, char title[TITLE_SIZE])
{
  const struct vw_lane *lane = vw_lane(trace, plan->view.lanes, hit->lane);
  vw_display_text(lane->title, strlen(lane->title), title, TITLE_SIZE);
  return lane;
}

size_t vw_hit_text(const struct vw_plan *plan, struct vw_trace *trace, const struct vw_hit *hit,
                   char *out, size_t n)
{
  struct text t = { out, n, 0 };
  size_t count;
  char title[TITLE_SIZE];
  if (n)
    out[0] = '\0';
  switch (hit->what) {
  case VW_HIT_SPAN:
  case VW_HIT_OVERLAY: {
    const struct vw_lane *lane = lane_of(plan, trace, hit, title);
    const struct vw_rect *r = &plan->rects[hit->index];
    say_span(&t, trace, r, r->is_overlay ? &lane->overlays[r->span] : &lane->spans[r->span], title);
    break;
  }
  case VW_HIT_MARK: {
    const struct vw_plan_mark *mark = &plan->marks[hit->index];
    say_mark(&t, trace, mark, &lane_of(plan, trace, hit, title)->marks[mark->mark]);
    break;
  }
  case VW_HIT_ARROW:
    say_arrow(&t, trace, &vw_arrows(trace, &count)[plan->arrows[hit->index].arrow]);
    break;
  case VW_HIT_STEP:
    say_sentence(&t, trace, hit->no);
    break;
  case VW_HIT_TITLE: {
    const struct vw_lane *lane = lane_of(plan, trace, hit, title);
    char subtitle[96];
    vw_display_text(lane->subtitle, strlen(lane->subtitle), subtitle, sizeof subtitle);
    say(&t, *subtitle ? "%s, %s" : "%s%s", title, subtitle);
    break;
  }
  case VW_HIT_NOTHING:
  case VW_HIT_RULER:
  case VW_HIT_LANE:
    break;
  }
  return t.used;
}
