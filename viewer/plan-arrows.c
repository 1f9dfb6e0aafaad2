/* SPDX-License-Identifier: MIT */
/* plan-arrows.c - which arrows are shown, and where they begin and end.
 *
 * An arrow goes from the edge of a bar to the edge of another: down from the lower edge, up from the upper, so
 * its head touches the span that it explains.  What lies outside the picture is cut off at its border, and the
 * plan says so; the cut end keeps the direction, so the eye can follow it out.
 *
 * Choice: arrows of the selection first, then the longest in time (I3); of arrows side by side, that would run
 * into one thick line, one is enough, and the rest is counted as hidden.  Candidates are all that begin in the range,
 * and those that began before it and end at a span in it.
 *
 * Bold are at most VW_PLAN_HIGHLIGHTS, those of the cursor's event first.  A selected G's arrows tell its life, so all
 * may be bold; an M or a P has to do with nearly everything, so of its arrows only those that begin or end at
 * the span that was selected on it are.
 *
 * Cost: one look at each arrow that begins in the range; lanes are looked up only for the best few hundred.
 */
#include "plan-build.h"

#include <math.h>
#include <stdlib.h>

enum {
  KEPT = 4 * VW_PLAN_ARROWS,
  REACH_PX = 6
};

/* ---- the selection ---- */
enum nearness { /* of an arrow to what is selected */
  FAR,
  OF_SELECTION,
  AT_FOCUS, /* one that is to be bold */
  AT_EVENT
};

static bool is_of_selection(const struct vw_view *view, const struct vw_arrow_end *e)
{
  return vw_is_selected(view, e->g, e->m, e->p);
}

/* The events from first to last, of the span on the selected M's or P's lane that the cursor's event began or lies in;
 * first > last: there is none. */
struct focus {
  uint64_t first, last;
};

static struct focus focus_of(const struct vw_trace *trace, const struct vw_view *view)
{
  struct focus none = { 1, 0 };
  if (view->event_no >= vw_event_count(trace) ||
      (view->selected != VW_SELECT_M && view->selected != VW_SELECT_P))
    return none;
  enum vw_lane_kind kind = view->selected == VW_SELECT_M ? VW_LANES_M : VW_LANES_P;
  long i = vw_lane_of(trace, kind, view->selected_id);
  if (i < 0)
    return none;
  const struct vw_lane *lane = vw_lane(trace, kind, (size_t)i);
  size_t s = vw_span_at(lane, vw_event(trace, view->event_no)->ts);
  while (s < lane->n_spans && s > 0 && lane->spans[s].no > view->event_no)
    s--; /* spans that share a time: the one that the event began */
  while (s < lane->n_spans && lane->spans[s].end_no <= view->event_no)
    s++;
  if (s == lane->n_spans || lane->spans[s].no > view->event_no)
    return none;
  return (struct focus){ lane->spans[s].no, lane->spans[s].end_no };
}

static enum nearness nearness(const struct vw_view *view, const struct focus *focus,
                              const struct vw_arrow *a)
{
  bool from = is_of_selection(view, &a->from), to = is_of_selection(view, &a->to);
  if (view->selected == VW_SELECT_NONE || (!from && !to))
    return FAR;
  if (a->from.no == view->event_no || a->to.no == view->event_no)
    return AT_EVENT;
  if (view->selected == VW_SELECT_G)
    return AT_FOCUS;
  bool begins = from && a->from.no >= focus->first && a->from.no <= focus->last;
  bool ends = to && a->to.no >= focus->first && a->to.no <= focus->last;
  return begins || ends ? AT_FOCUS : OF_SELECTION;
}

/* All but the bold ones step back; where nothing is bold, because a lane is selected and no span on it, the lane's own
 * stay. */
static bool is_dimmed(const struct vw_view *view, const struct focus *focus, enum nearness near)
{
  bool has_focus = view->selected == VW_SELECT_G || focus->first <= focus->last;
  return view->dim_others && view->selected != VW_SELECT_NONE &&
         near < (has_focus ? AT_FOCUS : OF_SELECTION);
}

/* ---- the best ---- */
struct pick {
  double score;
  uint32_t arrow;
  uint8_t kind;
};
struct picks { /* a heap, worst on top */
  struct focus focus;
  struct pick items[KEPT];
  size_t n;
  size_t hidden;
  uint32_t hidden_kinds;
};

static void sift_down(struct picks *picks, size_t i)
{
  for (;;) {
    size_t child = 2 * i + 1;
    if (child >= picks->n)
      return;
    if (child + 1 < picks->n && picks->items[child + 1].score < picks->items[child].score)
      child++;
    if (picks->items[i].score <= picks->items[child].score)
      return;
    struct pick t = picks->items[i];
    picks->items[i] = picks->items[child];
    picks->items[child] = t;
    i = child;
  }
}

static void offer(struct picks *picks, double score, uint32_t arrow, uint8_t kind)
{
  if (picks->n < KEPT) {
    size_t i = picks->n++;
    for (; i > 0 && picks->items[(i - 1) / 2].score > score; i = (i - 1) / 2)
      picks->items[i] = picks->items[(i - 1) / 2];
    picks->items[i] = (struct pick){ score, arrow, kind };
    return;
  }
  picks->hidden++;
  bool is_better = score > picks->items[0].score;
  picks->hidden_kinds |= 1u << (is_better ? picks->items[0].kind : kind);
  if (!is_better)
    return;
  picks->items[0] = (struct pick){ score, arrow, kind };
  sift_down(picks, 0);
}

/* Some kinds say nothing on some lanes: on a G's lane its own parking is the span itself. */
static uint32_t kinds_shown(const struct vw_view *view)
{
  uint32_t set = 0, states, possible, marks;
  for (unsigned i = 0; i < VW_ARROW_KINDS; i++)
    set |= (uint32_t)view->arrows[i] << i;
  vw_legend_all(view->lanes, &states, &possible, &marks);
  return set & possible;
}

static void consider(struct vw_planner *pl, struct picks *picks, uint32_t kinds,
                     const struct vw_arrow *a, uint32_t index)
{
  const struct vw_view *view = &pl->plan->view;
  if (!(kinds >> a->kind & 1) || a->to.no == VW_NONE)
    return;
  double score = vw_ns_between(a->to.ts, a->from.ts);
  score += 1e19 * nearness(view, &picks->focus, a); /* no span of time is as long */
  offer(picks, score, index, a->kind);
}

static size_t arrows_from(const struct vw_arrow *arrows, size_t n, int64_t t)
{
  size_t low = 0;
  while (low < n) {
    size_t mid = low + (n - low) / 2;
    if (arrows[mid].from.ts < t)
      low = mid + 1;
    else
      n = mid;
  }
  return low;
}

/* Arrows that come in from the left end where a span begins that can be seen. */
static void consider_incoming(struct vw_planner *pl, struct picks *picks, uint32_t kinds,
                              const struct vw_arrow *arrows, size_t first)
{
  for (size_t i = 0; i < pl->plan->n_rects; i++) {
    const struct vw_rect *r = &pl->plan->rects[i];
    if (r->is_overlay)
      break;
    if (r->count > 1 || r->w < REACH_PX)
      continue;
    const struct vw_span *s = &vw_lane(pl->trace, pl->plan->view.lanes, r->lane)->spans[r->span];
    long a = s->t0 >= pl->plan->view.t0 ? vw_arrow_into(pl->trace, s->no) : -1;
    if (a >= 0 && (size_t)a < first)
      consider(pl, picks, kinds, &arrows[a], (uint32_t)a);
  }
}

/* ---- geometry ---- */
static long end_lane(const struct vw_planner *pl, const struct vw_arrow_end *e)
{
  switch (pl->plan->view.lanes) {
  case VW_LANES_M:
    return e->m == TRACE_NO_M ? -1 : vw_lane_of(pl->trace, VW_LANES_M, e->m);
  case VW_LANES_P:
    return e->p == TRACE_NO_P ? -1 : vw_lane_of(pl->trace, VW_LANES_P, e->p);
  case VW_LANES_G:
    return e->g == 0 ? -1 : vw_lane_of(pl->trace, VW_LANES_G, e->g);
  case VW_LANE_KINDS:
    break;
  }
  return -1;
}

struct line {
  double x0, y0, x1, y1;
  bool cut0, cut1;
  bool is_short; /* on one lane, with no room for a bow */
};

/* Cuts one side: keeps the part where (value - limit) * sign >= 0. False: nothing is left. */
static bool cut(struct line *l, bool by_x, double limit, double sign)
{
  double a = ((by_x ? l->x0 : l->y0) - limit) * sign, b = ((by_x ? l->x1 : l->y1) - limit) * sign;
  if (a >= 0 && b >= 0)
    return true;
  if (a < 0 && b < 0)
    return false;
  double f = a / (a - b), x = l->x0 + (l->x1 - l->x0) * f, y = l->y0 + (l->y1 - l->y0) * f;
  if (a < 0) {
    l->x0 = x;
    l->y0 = y;
    l->cut0 = true;
  } else {
    l->x1 = x;
    l->y1 = y;
    l->cut1 = true;
  }
  return true;
}

static bool clip(const struct vw_planner *pl, struct line *l)
{
  return cut(l, true, pl->left, 1) && cut(l, true, pl->right, -1) &&
         cut(l, false, pl->layout.top, 1) && cut(l, false, pl->layout.bottom, -1) &&
         !(l->cut0 && l->cut1);
}

static bool place(const struct vw_planner *pl, const struct vw_arrow *a, struct line *l)
{
  long from = end_lane(pl, &a->from), to = end_lane(pl, &a->to);
  if (from < 0 || to < 0)
    return false;
  double h = vw_planner_bar_h(pl), from_y = vw_planner_bar_y(pl, (size_t)from),
         to_y = vw_planner_bar_y(pl, (size_t)to);
  *l = (struct line){ .x0 = vw_planner_x(pl, a->from.ts), .x1 = vw_planner_x(pl, a->to.ts) };
  l->y0 = from < to ? from_y + h : from_y;
  l->y1 = from > to ? to_y + h : to_y;
  l->is_short = from == to && l->x1 - l->x0 < 8;
  return clip(pl, l);
}

static int by_score(const void *a, const void *b)
{
  const struct pick *x = a, *y = b;
  if (x->score != y->score)
    return x->score < y->score ? 1 : -1;
  return (x->arrow > y->arrow) - (x->arrow < y->arrow);
}

/* Arrows of one kind whose ends are this close would be one thick line. */
static bool is_beside(const struct vw_plan_arrow *a, const struct line *l, uint8_t kind, double px)
{
  return a->kind == kind && fabs((double)a->x0 - l->x0) < px && fabs((double)a->x1 - l->x1) < px &&
         fabs((double)a->y0 - l->y0) < 1 && fabs((double)a->y1 - l->y1) < 1;
}

/* Room that an arrow needs. A selection's arrows are all wanted; the way of every G from lane to lane is told
 * by its colour already. */
static double room_of(uint8_t kind, bool highlighted)
{
  if (highlighted)
    return 1;
  return kind == VW_ARROW_PARK ? 72 : 12;
}

/* A G that parked and ran again on the same lane: its bar and its colour say so. */
static bool is_said_by_bar(const struct line *l, uint8_t kind, bool highlighted)
{
  bool bow = fabs(l->y0 - l->y1) < 1 && !l->cut0 && !l->cut1;
  return bow && kind == VW_ARROW_PARK && (!highlighted || l->is_short);
}

static bool is_wanted(const struct vw_plan *plan, const struct line *l, uint8_t kind,
                      bool highlighted)
{
  if (plan->n_arrows == VW_PLAN_ARROWS || l->is_short)
    return false;
  for (size_t i = 0; i < plan->n_arrows; i++)
    if (is_beside(&plan->arrows[i], l, kind, room_of(kind, highlighted)))
      return false;
  return true;
}

static void put_arrow(struct vw_planner *pl, const struct picks *picks, const struct vw_arrow *a,
                      uint32_t index)
{
  struct line l;
  struct vw_plan *plan = pl->plan;
  if (!place(pl, a, &l))
    return;
  enum nearness near = nearness(&plan->view, &picks->focus, a);
  bool highlighted = near >= AT_FOCUS && plan->n_arrows < VW_PLAN_HIGHLIGHTS; /* best come first */
  if (is_said_by_bar(&l, a->kind, highlighted))
    return;
  if (!is_wanted(plan, &l, a->kind, highlighted)) {
    plan->hidden_arrows++;
    plan->hidden_kinds |= 1u << a->kind;
    return;
  }
  struct vw_plan_arrow *out = VW_PUSH(pl, arrows);
  if (!out)
    return;
  *out = (struct vw_plan_arrow){ .x0 = (float)l.x0,
                                 .y0 = (float)l.y0,
                                 .x1 = (float)l.x1,
                                 .y1 = (float)l.y1,
                                 .arrow = index,
                                 .kind = a->kind,
                                 .highlighted = highlighted,
                                 .dimmed = is_dimmed(&plan->view, &picks->focus, near),
                                 .clipped0 = l.cut0,
                                 .clipped1 = l.cut1 };
}

void vw_plan_arrows(struct vw_planner *pl)
{
  const struct vw_view *view = &pl->plan->view;
  size_t n;
  const struct vw_arrow *arrows = vw_arrows(pl->trace, &n);
  uint32_t kinds = kinds_shown(view);
  struct picks *picks = kinds && n ? calloc(1, sizeof *picks) : NULL;
  if (!picks) {
    pl->failed |= kinds && n;
    return;
  }
  picks->focus = focus_of(pl->trace, view);
  size_t first = arrows_from(arrows, n, view->t0);
  for (size_t i = first; i < n && arrows[i].from.ts <= view->t1; i++)
    consider(pl, picks, kinds, &arrows[i], (uint32_t)i);
  consider_incoming(pl, picks, kinds, arrows, first);
  qsort(picks->items, picks->n, sizeof *picks->items, by_score);
  for (size_t i = 0; i < picks->n && !pl->failed; i++)
    put_arrow(pl, picks, &arrows[picks->items[i].arrow], picks->items[i].arrow);
  pl->plan->hidden_arrows += picks->hidden;
  pl->plan->hidden_kinds |= picks->hidden_kinds;
  free(picks);
}
