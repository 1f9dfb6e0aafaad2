/* SPDX-License-Identifier: MIT */
/* plan.h - from (trace, time range, size, lanes) to what stands where on a picture. No drawing.
 *
 * The painter (viewer/paint, cairo) only replays a plan; so what is drawn is tested without a display, and the
 * window and `gmpscope render` show the same picture.
 *
 * I1  A plan is bounded by pixels, not by events: at most one rectangle a pixel column, lane row and colour; spans
 *     narrower than a pixel are merged, and say how many they are.
 * I2  Nothing rare is lost: a panic, steal, preemption or loss inside a merged stretch still has its mark.
 * I3  At most VW_PLAN_ARROWS arrows; when there are more, the ones of the selection, then the longest, are kept and
 *     the plan says how many are hidden.  Same for labels, and for lanes of a picture that nobody can scroll.
 * Coordinates are in pixels of the picture, y down; 0,0 is its top left, gutter and ruler included.
 */
#pragma once
#include "viewer.h"

#define VW_PLAN_ARROWS     400
#define VW_PLAN_LABELS     200
#define VW_PLAN_HIGHLIGHTS 32 /* arrows in bold: more would be a thicket */

enum vw_select {
  VW_SELECT_NONE,
  VW_SELECT_G,
  VW_SELECT_M,
  VW_SELECT_P
};

struct vw_view {
  int64_t t0, t1;    /* shown; t1 > t0 */
  int width, height; /* of the whole picture */
  enum vw_lane_kind lanes;
  double scroll_y;    /* px of lanes above the visible part */
  double lane_height; /* px; 0 is the default (compact: 22, normal: 34) */
  bool arrows[VW_ARROW_KINDS];
  bool show_legend; /* a strip at the bottom (render); the window has its own */
  bool is_still;    /* nobody can scroll it: it says how many lanes it has no room for */
  enum vw_select
      selected; /* highlighted everywhere; others fade when dim_others, if it is in the picture */
  uint32_t selected_id;
  bool dim_others;
  uint64_t event_no;         /* the cursor; VW_NONE none */
  int64_t mark_t0, mark_t1;  /* a marked area; equal: none */
  double font_scale;         /* as the theme's, for what fits; 0 is 1 */
  double exact_t0, exact_t1; /* vw_view_zoom's own: t0 and t1 before rounding; any value is fine */
};
/* A view of the whole trace with sensible defaults. */
void vw_view_init(struct vw_view *view, const struct vw_trace *trace, enum vw_lane_kind lanes,
                  int width, int height);

/* The view to begin with: where a start-up before the first G takes up much of the trace, it is left out. */
void vw_view_skip_start_up(struct vw_view *view, const struct vw_trace *trace);

/* Views that are painted one below the other: each shows as much time as the longest of them, and where all show the
 * beginnings of their traces, those stand below each other. */
struct vw_sheet {
  struct vw_view *view;
  const struct vw_trace *trace;
};
void vw_view_use_one_scale(const struct vw_sheet *sheets, size_t n);

struct vw_rect {
  float x, y, w, h;
  uint32_t lane;  /* index */
  uint32_t span;  /* index in lane->spans or overlays: the first one merged */
  uint32_t count; /* spans merged, 1 if none */
  uint32_t g;     /* G that colours it, 0 none */
  uint8_t state;  /* enum vw_state */
  uint8_t is_overlay;
  uint8_t dimmed;
  uint8_t selected;
};
struct vw_label {
  float x, y, max_w; /* left, middle */
  uint32_t text;     /* offset into texts */
  uint8_t role;      /* enum vw_role */
  uint8_t dimmed;
  uint8_t to_right; /* the words end at x + max_w, else they begin at x */
  uint32_t
      rect; /* index of the rectangle it stands on (its colour decides the ink), UINT32_MAX none */
};
enum vw_role {
  VW_ROLE_SPAN,
  VW_ROLE_TITLE,
  VW_ROLE_SUBTITLE,
  VW_ROLE_TICK,
  VW_ROLE_LEGEND,
  VW_ROLE_NOTE,
  VW_ROLE_CALLOUT
};
struct vw_plan_mark {
  float x, y;
  uint32_t lane, mark; /* mark: index in lane->marks of the most important one merged */
  uint32_t count;
  uint8_t kind; /* enum vw_mark_kind */
};
struct vw_plan_arrow {
  float x0, y0, x1, y1;
  uint32_t arrow; /* index in vw_arrows */
  uint8_t kind;
  uint8_t
      highlighted; /* it begins or ends at the cursor's event or span on the selected lane, or is the selected G's */
  uint8_t dimmed;             /* something is selected, and this is not of it */
  uint8_t clipped0, clipped1; /* that end lies outside the picture */
};
struct vw_tick {
  float x;
  uint32_t text; /* offset, UINT32_MAX for a minor tick */
};
struct vw_band { /* a lane's row */
  float y, h;
  uint32_t lane;
};
struct vw_path_step { /* the panic's walk over the frames, drawn as steps under its lane's bar;
                          the first corner of each has a corner without a number behind it, too */
  float x, y;
  uint32_t panic, step; /* indices in vw_panics and its steps */
  uint32_t story;       /* which one of its lane, from 1; 0: the lane has no other */
  uint32_t number;      /* shown in a disc, from 1; 0 is a corner without one */
};

struct vw_plan {
  struct vw_view view;
  float gutter;        /* px left of the time axis: lane titles */
  float ruler;         /* px above the lanes */
  double lanes_height; /* px of all lanes, for the scrollbar */
  double lane_height;  /* px of a lane without extras, chosen if the view did not say */
  struct vw_band *bands;
  size_t n_bands;
  struct vw_rect *rects;
  size_t n_rects; /* in painting order */
  struct vw_label *labels;
  size_t n_labels;
  struct vw_plan_mark *marks;
  size_t n_marks;
  struct vw_plan_arrow *arrows;
  size_t n_arrows;
  struct vw_path_step *path;
  size_t n_path;
  struct vw_tick *ticks;
  size_t n_ticks;
  char *texts;
  size_t n_texts;                                    /* NUL-terminated, addressed by offset */
  size_t hidden_arrows, hidden_labels, merged_spans; /* vw_plan_left_out says them */
  uint32_t hidden_kinds; /* set of enum vw_arrow_kind: which arrows are hidden */
  size_t more_lanes;     /* of a still picture: lanes without room */
  float legend;          /* px of the strip at the bottom, 0 none */
  float note_height;     /* px of it for a line about what is left out, 0 none */
  uint32_t note;         /* offset of that line's text */
  uint32_t shown_states, shown_arrows,
      shown_marks; /* sets of what is in the picture: the legend's entries */
};

/* Plans a picture. NULL: out of memory. */
struct vw_plan *vw_plan_new(struct vw_trace *trace, const struct vw_view *view);
void vw_plan_free(struct vw_plan *plan);
/* What the plan had no room for: "386 of 406 wake arrows, 12 labels not drawn; 90 spans merged: zoom in". Returns its
 * length, 0 if all is there. */
size_t vw_plan_left_out(const struct vw_plan *plan, char *out, size_t n);

double vw_plan_x(const struct vw_plan *plan, int64_t t);
int64_t vw_plan_t(const struct vw_plan *plan, double x);

enum vw_hit_what {
  VW_HIT_NOTHING,
  VW_HIT_RULER,
  VW_HIT_TITLE,
  VW_HIT_LANE,
  VW_HIT_SPAN,
  VW_HIT_OVERLAY,
  VW_HIT_MARK,
  VW_HIT_ARROW,
  VW_HIT_STEP
};
struct vw_hit {
  enum vw_hit_what what;
  uint32_t lane;  /* index, UINT32_MAX none */
  uint32_t index; /* of the rect, mark, arrow or step in the plan */
  uint64_t no;    /* event to select, VW_NONE none */
  int64_t t;
};
/* What is at x, y: marks before steps, overlays, arrows (within 4 px, on a bar 2; not those that are
 * dimmed), spans. By bisection. */
struct vw_hit vw_plan_hit(const struct vw_plan *plan, const struct vw_trace *trace, double x,
                          double y);
/* The time that the story of a panic takes which an event is in: the outermost panic's, with what its frame still runs.
 * False: it is in none. */
bool vw_panic_story_at(const struct vw_trace *trace, uint64_t no, int64_t *t0, int64_t *t1);
/* A tooltip's text: what it is, how long, how many merged. Returns its length. */
size_t vw_hit_text(const struct vw_plan *plan, struct vw_trace *trace, const struct vw_hit *hit,
                   char *out, size_t n);

/* Makes text out of a trace fit to be shown: one line of valid UTF-8, no control, bidi or invisible characters, no
 * towers of accents, at most cap - 1 bytes, "..." at the end of what was cut.  Everything in a plan and in a tooltip
 * has gone through it.  cap > 8.  Returns the length written. */
size_t vw_display_text(const char *raw, size_t n, char *out, size_t cap);

/* What a legend, a tooltip and a list call it. Never NULL. */
const char *vw_state_title(enum vw_state state); /* "running", "in system call" ... */
const char *vw_mark_title(enum vw_mark_kind kind);
const char *vw_arrow_title(enum vw_arrow_kind kind);

/* The signs that occur anywhere in a trace on lanes of a kind: sets of enum vw_state, vw_arrow_kind, vw_mark_kind. */
struct vw_signs {
  uint32_t states, arrows, marks;
};
struct vw_signs vw_signs_of(const struct vw_trace *trace, enum vw_lane_kind lanes);

/* factor > 1 zooms in: it shows less time. Zooming keeps t under the pointer; in and out cancel exactly. Ranges are clamped to the trace plus 5 %. */
void vw_view_zoom(struct vw_view *view, const struct vw_trace *trace, double factor,
                  int64_t anchor);
void vw_view_pan(struct vw_view *view, const struct vw_trace *trace, double fraction);
/* Makes an event visible, moving (never zooming out) as little as needed. A range that shows the whole trace stays. */
void vw_view_reveal(struct vw_view *view, const struct vw_trace *trace, uint64_t no);

/* The overview: for each pixel column and M or P lane, how busy it was, and the marks. */
struct vw_minimap {
  int width, n_lanes;
  uint8_t *busy;    /* width * n_lanes, 0 ... 255 */
  uint32_t *events; /* width: how many */
  uint8_t *marks;   /* width: 1 + enum vw_mark_kind of the most important, 0 none */
};
struct vw_minimap *vw_minimap_new(struct vw_trace *trace, enum vw_lane_kind lanes, int width);
void vw_minimap_free(struct vw_minimap *map);
