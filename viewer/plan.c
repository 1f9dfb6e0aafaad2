/* SPDX-License-Identifier: MIT */
/* plan.c - the order in which a picture is planned, the ruler, the lanes' titles.
 *
 * Everything a plan holds is bounded by the picture's size (I1), because each part finds its visible range by
 * bisection and then moves on by whole pixel columns.  So a plan costs about the same at any zoom.
 *
 * The legend is planned last: it shows what the lanes turned out to hold.  Room for it is reserved before,
 * for all that lanes of this kind can hold, unless the picture is too low to afford that.
 */
#include "plan-build.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEEN_PX 3 /* a narrower box does not catch the eye */

/* ---- shared tools ---- */
void *vw_plan_grow(struct vw_planner *pl, void *array_ptr, size_t n, size_t *cap, size_t size)
{
  void **array = array_ptr;
  if (n < *cap)
    return *array;
  size_t more = *cap ? *cap * 2 : 64;
  void *bigger = realloc(*array, more * size);
  if (!bigger) {
    pl->failed = true;
    return NULL;
  }
  *array = bigger;
  *cap = more;
  return bigger;
}

double vw_ns_between(int64_t a, int64_t b)
{
  int64_t d;
  return __builtin_sub_overflow(a, b, &d) ? (double)a - (double)b : (double)d;
}

double vw_planner_x(const struct vw_planner *pl, int64_t t)
{
  return pl->left + vw_ns_between(t, pl->plan->view.t0) * pl->scale;
}

uint32_t vw_planner_text(struct vw_planner *pl, const char *text)
{
  size_t length = strlen(text) + 1;
  struct vw_plan *plan = pl->plan;
  while (plan->n_texts + length > pl->texts_cap)
    if (!vw_plan_grow(pl, &plan->texts, pl->texts_cap, &pl->texts_cap, 1))
      return UINT32_MAX;
  uint32_t at = (uint32_t)plan->n_texts;
  memcpy(plan->texts + at, text, length);
  plan->n_texts += length;
  return at;
}

bool vw_planner_label(struct vw_planner *pl, enum vw_role role, double x, double y, double max_w,
                      const char *text, uint32_t rect)
{
  char fitted[256];
  snprintf(fitted, sizeof fitted, "%s", text);
  if (max_w <= 0 || !vw_text_fit(role, pl->font, fitted, max_w))
    return false;
  struct vw_label *label = VW_PUSH(pl, labels);
  if (!label)
    return false;
  *label = (struct vw_label){
    .x = (float)x, .y = (float)y, .max_w = (float)max_w, .role = (uint8_t)role, .rect = rect
  };
  label->text = vw_planner_text(pl, fitted);
  if (label->text == UINT32_MAX)
    pl->plan->n_labels--;
  return true;
}

bool vw_is_selected(const struct vw_view *view, uint32_t g, uint32_t m, uint16_t p)
{
  switch (view->selected) {
  case VW_SELECT_NONE:
    break;
  case VW_SELECT_G:
    return g == view->selected_id;
  case VW_SELECT_M:
    return m == view->selected_id;
  case VW_SELECT_P:
    return p == view->selected_id;
  }
  return false;
}

bool vw_is_dimmed(const struct vw_view *view, uint32_t g, uint32_t m, uint16_t p)
{
  return view->dim_others && view->selected != VW_SELECT_NONE && !vw_is_selected(view, g, m, p);
}

double vw_planner_band_y(const struct vw_planner *pl, size_t lane)
{
  return floor(pl->layout.top + vw_layout_y(&pl->layout, lane) - pl->plan->view.scroll_y);
}

double vw_planner_bar_y(const struct vw_planner *pl, size_t lane)
{
  return vw_planner_band_y(pl, lane) + pl->layout.strip;
}

double vw_planner_bar_h(const struct vw_planner *pl)
{
  return floor(pl->layout.lane_h - pl->layout.strip - (pl->layout.lane_h < 28 ? 2 : 4));
}

/* ---- lanes ---- */
static size_t first_visible(const struct vw_layout *layout, double scroll_y)
{
  size_t low = 0, high = layout->n_lanes;
  while (low < high) {
    size_t mid = low + (high - low) / 2;
    if (vw_layout_y(layout, mid + 1) <= scroll_y)
      low = mid + 1;
    else
      high = mid;
  }
  return low;
}

static void plan_bands(struct vw_planner *pl)
{
  const struct vw_layout *layout = &pl->layout;
  for (size_t i = first_visible(layout, pl->plan->view.scroll_y); i < layout->n_lanes; i++) {
    double y = vw_planner_band_y(pl, i);
    if (y >= layout->bottom)
      break;
    struct vw_band *band = VW_PUSH(pl, bands);
    if (!band)
      break;
    *band = (struct vw_band){ .y = (float)y,
                              .h = (float)(vw_planner_band_y(pl, i + 1) - y),
                              .lane = (uint32_t)i };
  }
}

/* The longest that has room of what an M's subtitle can be cut to and still tell its thread from the others'. */
static void fit_thread(const struct vw_planner *pl, const struct vw_lane *lane, double room,
                       char *subtitle, size_t n)
{
  static const char *const shorter[] = { "sysmon ", "tid ", "" };
  for (size_t i = lane->is_sysmon ? 0 : 1; lane->tid && i < 3; i++) {
    if (vw_text_width(VW_ROLE_SUBTITLE, pl->font, subtitle) <= room)
      return;
    snprintf(subtitle, n, "%s%u", shorter[i], lane->tid);
  }
}

/* The title beside the bar; the subtitle under it, or behind it where lanes are low. */
static void plan_title(struct vw_planner *pl, const struct vw_band *band)
{
  const struct vw_lane *lane = vw_lane(pl->trace, pl->plan->view.lanes, band->lane);
  char title[64], subtitle[96];
  vw_display_text(lane->title, strlen(lane->title), title, sizeof title);
  vw_display_text(lane->subtitle, strlen(lane->subtitle), subtitle, sizeof subtitle);
  double middle = vw_planner_bar_y(pl, band->lane) + vw_planner_bar_h(pl) / 2;
  if (middle < pl->layout.top + 6)
    return;
  double x = 12, room = pl->left - x - 10;
  double offset = 7.5 * pl->font;
  bool two_rows = *subtitle && pl->layout.lane_h >= 32 * pl->font;
  vw_planner_label(pl, VW_ROLE_TITLE, x, two_rows ? middle - offset : middle, room, title,
                   UINT32_MAX);
  if (!*subtitle)
    return;
  double used = vw_text_width(VW_ROLE_TITLE, pl->font, title) + 6;
  fit_thread(pl, lane, two_rows ? room : room - used, subtitle, sizeof subtitle);
  if (two_rows)
    vw_planner_label(pl, VW_ROLE_SUBTITLE, x, middle + offset, room, subtitle, UINT32_MAX);
  else
    vw_planner_label(pl, VW_ROLE_SUBTITLE, x + used, middle, room - used, subtitle, UINT32_MAX);
}

static void plan_corner(struct vw_planner *pl)
{
  static const char *const words[VW_LANE_KINDS] = { "Ms (threads)", "Ps (processors)",
                                                    "Gs (goroutines)" };
  vw_planner_label(pl, VW_ROLE_NOTE, 12, pl->layout.top / 2, pl->left - 22,
                   words[pl->plan->view.lanes], UINT32_MAX);
}

static void plan_legend(struct vw_planner *pl)
{
  struct vw_plan *plan = pl->plan;
  for (size_t i = 0; i < plan->n_rects; i++)
    plan->shown_states |= 1u << plan->rects[i].state;
  for (size_t i = 0; i < plan->n_arrows; i++)
    plan->shown_arrows |= 1u << plan->arrows[i].kind;
  if (!plan->view.show_legend)
    return;
  struct vw_legend legend;
  vw_legend_layout(&legend, plan->view.width, pl->font, plan->shown_states, plan->shown_arrows,
                   plan->shown_marks);
  plan->legend = legend.height > plan->view.height / 3.0 ? 0 : (float)legend.height;
}

/* Px of the line about what is left out, where there may be one. */
static double reserved_note(const struct vw_view *view, double font)
{
  return view->show_legend || view->is_still ? VW_LEGEND_ROW * font + 4 : 0;
}

static double reserved_legend(const struct vw_view *view, double font)
{
  uint32_t states, arrows, marks;
  struct vw_legend legend;
  if (!view->show_legend)
    return 0;
  vw_legend_all(view->lanes, &states, &arrows, &marks);
  vw_legend_layout(&legend, view->width, font, states, arrows, marks);
  double most = view->height / 4.0;
  return legend.height < most ? legend.height : most;
}

/* Whether the eye finds what is selected when the rest fades.  Slivers do not count: an M or a P has executed one of
 * nearly every G's lane. */
static bool stands_out(const struct vw_plan *plan)
{
  for (size_t i = 0; i < plan->n_rects; i++)
    if (plan->rects[i].selected && plan->rects[i].w >= SEEN_PX)
      return true;
  for (size_t i = 0; i < plan->n_arrows; i++) {
    const struct vw_plan_arrow *a = &plan->arrows[i];
    if (a->highlighted &&
        hypot((double)a->x1 - (double)a->x0, (double)a->y1 - (double)a->y0) >= 2 * SEEN_PX)
      return true;
  }
  return false;
}

/* A selection of which nothing is to be seen would fade all of the picture, with nothing to stand out. */
static void undim_unless_one_stands_out(struct vw_plan *plan)
{
  if (stands_out(plan))
    return;
  for (size_t i = 0; i < plan->n_rects; i++)
    plan->rects[i].dimmed = false;
  for (size_t i = 0; i < plan->n_arrows; i++)
    plan->arrows[i].dimmed = false;
}

static void plan_all(struct vw_planner *pl, double spare)
{
  plan_bands(pl);
  vw_plan_lanes(pl);
  vw_plan_overlays(pl);
  vw_plan_marks(pl);
  vw_plan_arrows(pl);
  undim_unless_one_stands_out(pl->plan);
  for (size_t i = 0; i < pl->plan->n_bands; i++)
    plan_title(pl, &pl->plan->bands[i]);
  plan_corner(pl);
  vw_plan_panics(pl);
  vw_plan_labels(pl);
  vw_plan_ruler(pl);
  plan_legend(pl);
  vw_plan_note(pl, spare);
}

/* A size and a range that arithmetic can stand, whatever the caller says. */
static void sane_view(struct vw_view *view)
{
  view->width = view->width < 1 ? 1 : view->width > 32767 ? 32767 : view->width;
  view->height = view->height < 1 ? 1 : view->height > 32767 ? 32767 : view->height;
  if (view->t1 <= view->t0)
    view->t1 = view->t0 == INT64_MAX ? (view->t0--, INT64_MAX) : view->t0 + 1;
  if (!(view->scroll_y >= 0))
    view->scroll_y = 0;
  if (view->lanes >= VW_LANE_KINDS)
    view->lanes = VW_LANES_M;
}

/* One attempt, with so many px kept for the legend, of which so many are for the note. */
static struct vw_plan *plan_with(struct vw_trace *trace, const struct vw_view *view, double legend,
                                 double note)
{
  struct vw_planner pl = { .trace = trace, .plan = calloc(1, sizeof *pl.plan) };
  if (!pl.plan)
    return NULL;
  struct vw_plan *plan = pl.plan;
  plan->view = *view;
  plan->note = UINT32_MAX;
  pl.font = view->font_scale > 0 ? view->font_scale : 1;
  vw_layout_init(&pl.layout, trace, &plan->view, legend);
  double gutter = 156 * pl.font, most = plan->view.width * 0.22;
  plan->gutter = (float)floor(gutter < most ? gutter : most);
  plan->ruler = (float)pl.layout.top;
  plan->lanes_height = pl.layout.total;
  plan->lane_height = pl.layout.lane_h;
  pl.left = plan->gutter;
  pl.right = plan->view.width > plan->gutter + 1 ? plan->view.width : plan->gutter + 1;
  pl.scale = (pl.right - pl.left) / vw_ns_between(plan->view.t1, plan->view.t0);
  pl.failed = pl.layout.failed;
  if (!pl.failed)
    plan_all(&pl, note);
  vw_layout_clear(&pl.layout);
  if (pl.failed) {
    vw_plan_free(plan);
    return NULL;
  }
  return plan;
}

struct vw_plan *vw_plan_new(struct vw_trace *trace, const struct vw_view *view)
{
  struct vw_view sane = *view;
  sane_view(&sane);
  double font = sane.font_scale > 0 ? sane.font_scale : 1;
  double note = reserved_note(&sane, font), reserved = reserved_legend(&sane, font) + note;
  struct vw_plan *plan = plan_with(trace, &sane, reserved, note);
  /* Lanes were cut off for a strip that turned out lower: once more, unless it grows with what then shows. */
  for (int again = 0; again < 2 && plan; again++) {
    if (plan->lanes_height <= sane.height - (double)plan->ruler - reserved ||
        (double)plan->legend >= reserved)
      break;
    reserved = (double)plan->legend;
    struct vw_plan *better = plan_with(trace, &sane, reserved, (double)plan->note_height);
    if (!better || better->legend > plan->legend) {
      vw_plan_free(better);
      break;
    }
    vw_plan_free(plan);
    plan = better;
  }
  return plan;
}

void vw_plan_free(struct vw_plan *plan)
{
  if (!plan)
    return;
  free(plan->bands);
  free(plan->rects);
  free(plan->labels);
  free(plan->marks);
  free(plan->arrows);
  free(plan->path);
  free(plan->ticks);
  free(plan->texts);
  free(plan);
}

double vw_plan_x(const struct vw_plan *plan, int64_t t)
{
  double width = plan->view.width > plan->gutter + 1 ? plan->view.width - (double)plan->gutter : 1;
  return plan->gutter +
         vw_ns_between(t, plan->view.t0) * width / vw_ns_between(plan->view.t1, plan->view.t0);
}

int64_t vw_plan_t(const struct vw_plan *plan, double x)
{
  double width = plan->view.width > plan->gutter + 1 ? plan->view.width - (double)plan->gutter : 1;
  double dt = (x - plan->gutter) / width * vw_ns_between(plan->view.t1, plan->view.t0);
  double t = (double)plan->view.t0 + dt;
  if (!(t > -9.2e18))
    return INT64_MIN;
  if (t > 9.2e18)
    return INT64_MAX;
  return plan->view.t0 + (int64_t)floor(dt + 1e-6);
}
