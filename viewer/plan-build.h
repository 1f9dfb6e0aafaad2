/* SPDX-License-Identifier: MIT */
/* plan-build.h - what the parts of the planner share. Private to viewer/plan*.c and its painter.
 *
 *   plan.c         the order of work, the ruler's numbers, titles
 *   plan-layout.c  heights: which lane stands where
 *   plan-lanes.c   rectangles of spans and overlays, marks
 *   plan-labels.c  words on rectangles
 *   plan-arrows.c  arrows
 *   plan-panic.c   the walk of a panic
 *   plan-legend.c  what the legend holds and where
 *   plan-note.c    what the picture had no room for
 *   plan-text.c    the width of words, and making foreign text harmless
 *   plan-hit.c     what is at a point, and tooltips
 *   plan-view.c    zooming, panning
 *   plan-minimap.c the overview
 *
 * They reach the trace only through viewer.h, so a test can put a made-up trace in its place.
 */
#pragma once
#include "plan.h"

#define VW_STAGE_ROWS 10 /* callouts of a panic that get a row of their own */

/* ---- heights ---- */
struct vw_extra { /* a lane that is taller than the others */
  uint32_t lane;
  uint32_t rows;  /* of overlays, under the bar */
  uint32_t steps; /* rows of a panic's walk, under those */
  double before;  /* px that the taller lanes above it add */
};
struct vw_layout {
  double top;    /* of the first lane: the ruler's height */
  double bottom; /* of the lanes' part of the picture */
  double lane_h, row_h, step_h;
  double strip; /* px of marks above the bar */
  struct vw_extra *extras;
  size_t n_extras;
  size_t n_lanes;
  double total;
  bool failed;
};
/* legend: px to leave free at the bottom. */
void vw_layout_init(struct vw_layout *layout, const struct vw_trace *trace,
                    const struct vw_view *view, double legend);
void vw_layout_clear(struct vw_layout *layout);
/* Top of a lane, from the top of all lanes; lane may be n_lanes. */
double vw_layout_y(const struct vw_layout *layout, size_t lane);
/* The extra of a lane, or NULL. */
const struct vw_extra *vw_layout_extra(const struct vw_layout *layout, size_t lane);

/* ---- the planner ---- */
struct vw_planner {
  struct vw_plan *plan;
  struct vw_trace *trace;
  struct vw_layout layout;
  double scale;       /* px per ns */
  double left, right; /* px of the time axis */
  double font;        /* font_scale */
  bool failed;        /* out of memory */
  size_t bands_cap, rects_cap, labels_cap, marks_cap, arrows_cap, path_cap, ticks_cap, texts_cap;
};

/* Room for one more: returns the place, or NULL and sets failed. */
void *vw_plan_grow(struct vw_planner *pl, void *array_ptr, size_t n, size_t *cap, size_t size);
#define VW_PUSH(pl, what)                                                                          \
  (vw_plan_grow(pl, &(pl)->plan->what, (pl)->plan->n_##what, &(pl)->what##_cap,                    \
                sizeof *(pl)->plan->what)                                                          \
       ? &(pl)->plan->what[(pl)->plan->n_##what++]                                                 \
       : NULL)

/* a - b without overflow. */
double vw_ns_between(int64_t a, int64_t b);
double vw_planner_x(const struct vw_planner *pl, int64_t t);
/* Copies a text that is already harmless; returns its offset, UINT32_MAX when out of memory. */
uint32_t vw_planner_text(struct vw_planner *pl, const char *text);
/* Adds a label, its text cut to max_w with an ellipsis. False: nothing fits. */
bool vw_planner_label(struct vw_planner *pl, enum vw_role role, double x, double y, double max_w,
                      const char *text, uint32_t rect);
bool vw_is_dimmed(const struct vw_view *view, uint32_t g, uint32_t m, uint16_t p);
bool vw_is_selected(const struct vw_view *view, uint32_t g, uint32_t m, uint16_t p);
/* y of the top of a lane's band and of its bar in the picture. */
double vw_planner_band_y(const struct vw_planner *pl, size_t lane);
double vw_planner_bar_y(const struct vw_planner *pl, size_t lane);
double vw_planner_bar_h(const struct vw_planner *pl);

void vw_plan_lanes(struct vw_planner *pl);
void vw_plan_overlays(struct vw_planner *pl);
void vw_plan_marks(struct vw_planner *pl);
void vw_plan_labels(struct vw_planner *pl);
void vw_plan_arrows(struct vw_planner *pl);
void vw_plan_panics(struct vw_planner *pl);
void vw_plan_ruler(struct vw_planner *pl);
/* The line about what is left out, if the view wants one; spare: px that lanes may still take if there is none. */
void vw_plan_note(struct vw_planner *pl, double spare);
/* Room on the ruler for a tag of w px: the left edge within [from, to) that is nearest to its middle and free of the
 * ruler's words.  NAN: there is none. */
double vw_ruler_room(const struct vw_plan *plan, double from, double to, double w);
/* Where a tick's word stands, as far as it may reach. False: it has none. */
bool vw_tick_word(const struct vw_plan *plan, const struct vw_tick *tick, double *x0, double *x1);

/* ---- panics ---- */
/* Lane on which a panic's walk is shown, or -1. */
long vw_panic_lane(const struct vw_trace *trace, enum vw_lane_kind kind,
                   const struct vw_panic_path *path);
/* The steps of a panic, and of those inside it, that get a callout, in order; numbers from 1 count those left out,
 * too. 0 for a panic that is told with an older one. */
struct vw_callout {
  uint32_t panic, step, number;
};
size_t vw_panic_callouts(const struct vw_panic_path *paths, size_t n_paths, size_t first,
                         struct vw_callout out[VW_STAGE_ROWS]);

#define VW_TICK_GAP 4.0 /* px between a tick and its word */

/* ---- text ---- */
/* Size in px of a role's font at font_scale 1. */
double vw_role_size(enum vw_role role);
/* Width that a text takes at most, in common sans fonts. */
double vw_text_width(enum vw_role role, double font_scale, const char *text);
/* Cuts text (cap bytes of room) to a width, with an ellipsis. False: not even one letter fits. */
bool vw_text_fit(enum vw_role role, double font_scale, char *text, double max_w);
/* "1.25 ms": at most four digits that matter. */
size_t vw_duration_text(double ns, char *out, size_t n);
/* "G7 worker", or "G7". */
size_t vw_g_text(const struct vw_trace *trace, uint32_t g, char *out, size_t n);
/* "sysmon looks round every 20 us". */
size_t vw_sysmon_text(const struct vw_span *span, char *out, size_t n);
/* What an overlay is: `panic "boom"`, "defer cleanup", "region checkout". */
size_t vw_overlay_text(struct vw_trace *trace, const struct vw_span *span, char *out, size_t n);

/* ---- legend ---- */
enum vw_legend_what {
  VW_LEGEND_STATE,
  VW_LEGEND_ARROW,
  VW_LEGEND_MARK
};
struct vw_legend_item {
  double x, y, w; /* left, middle; the swatch, then the words */
  uint8_t what, kind;
};
#define VW_LEGEND_MAX    (VW_STATES + VW_ARROW_KINDS + VW_MARK_KINDS)
#define VW_LEGEND_SWATCH 26.0 /* px of the swatch with the gap behind it, at font_scale 1 */
#define VW_LEGEND_ROW    20.0
struct vw_legend {
  struct vw_legend_item items[VW_LEGEND_MAX];
  size_t n;
  double height;
};
/* Sets: bits of enum vw_state and so on. Rows flow from left to right. */
void vw_legend_layout(struct vw_legend *legend, double width, double font_scale, uint32_t states,
                      uint32_t arrows, uint32_t marks);
/* Sets of all that lanes of this kind can show. */
void vw_legend_all(enum vw_lane_kind kind, uint32_t *states, uint32_t *arrows, uint32_t *marks);
const char *vw_legend_text(const struct vw_legend_item *item);
