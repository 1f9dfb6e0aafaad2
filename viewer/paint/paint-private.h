/* SPDX-License-Identifier: MIT */
/* paint-private.h - what the parts of the painter share.
 *
 *   palette.c       colours            paint-lanes.c    background, rectangles, patterns
 *   paint.c         the order of work  paint-signs.c    arrows, marks, a panic's stairs
 *   paint-text.c    words              paint-legend.c   the legend's strip
 *   paint-boxes.c   narrow boxes, fast
 *   paint-over.c    cursor, hover, marked area, the overview
 */
#pragma once
#include "paint.h"
#include "plan-build.h"

#include <pango/pangocairo.h>

/* Colours of what is not data. */
enum paint_chrome {
  PAINT_GROUND, /* behind the lanes */
  PAINT_STRIPE, /* behind every second lane */
  PAINT_GUTTER, /* behind titles and ruler */
  PAINT_GRID,
  PAINT_LINE, /* between gutter and lanes */
  PAINT_TEXT,
  PAINT_MUTED,
  PAINT_ACCENT, /* cursor, selection */
  PAINT_CHROMES,
};
struct vw_rgb paint_chrome(const struct vw_theme *theme, enum paint_chrome what);

struct paint_word { /* a laid-out text, kept between frames */
  char *text;
  PangoLayout *layout;
  uint64_t hash;
  int role, max_w; /* max_w in Pango units */
  double font;
  int w, h; /* px */
};
#define PAINT_WORDS 2048

struct vw_painter {
  PangoContext *context;
  struct paint_word words[PAINT_WORDS];
  cairo_pattern_t *patterns[VW_STATES];   /* masks, made when first used */
  cairo_surface_t *stamps[VW_MARK_KINDS]; /* glyphs of marks, likewise */
  uint32_t *order;                        /* rectangles by colour */
  size_t order_cap;
};

struct paint { /* one picture being painted */
  struct vw_painter *painter;
  cairo_t *cr;
  const struct vw_plan *plan;
  const struct vw_trace *trace;
  const struct vw_theme *theme;
  double font;
  bool is_vector;
};

void paint_source(cairo_t *cr, struct vw_rgb c, double alpha);
/* A text with its middle at y, at most max_w wide (0: no limit); returns its width. */
double paint_text(struct vw_painter *painter, cairo_t *cr, const struct vw_theme *theme,
                  enum vw_role role, double x, double y, double max_w, const char *text);
/* Width of a text as it will be painted. */
double paint_text_width(struct vw_painter *painter, const struct vw_theme *theme, enum vw_role role,
                        double max_w, const char *text);
void paint_text_clear(struct vw_painter *painter);

/* An image in memory that takes boxes of whole pixels without cairo; see paint-boxes.c. */
struct paint_canvas {
  cairo_surface_t *surface; /* borrowed */
  unsigned char *data;
  int stride, x, y;   /* x, y: from user space to pixels */
  int x0, y0, x1, y1; /* clip */
};
/* False: this target needs cairo. */
bool paint_canvas_begin(struct paint_canvas *canvas, cairo_t *cr);
void paint_canvas_box(const struct paint_canvas *canvas, uint32_t pixel, double x, double y,
                      double w, double h);
void paint_canvas_end(const struct paint_canvas *canvas);

void paint_ground(struct paint *p);
void paint_rects(struct paint *p);
void paint_ruler(struct paint *p);
void paint_gutter(struct paint *p);
void paint_labels(struct paint *p);
/* A sample of a state as it looks on a lane. */
void paint_state_swatch(struct paint *p, enum vw_state state, double x, double y, double w,
                        double h);
void paint_patterns_clear(struct vw_painter *painter);

void paint_arrows(struct paint *p);
void paint_arrow_sample(struct paint *p, enum vw_arrow_kind kind, double x0, double y, double x1);
void paint_stems(struct paint *p);
void paint_marks(struct paint *p);
void paint_stamps_clear(struct vw_painter *painter);
void paint_mark_glyph(struct paint *p, enum vw_mark_kind kind, double x, double y, double r);
void paint_path(struct paint *p);
/* Once more the numbered steps that a line at x has crossed. */
void paint_discs_at(struct paint *p, double x);

void paint_legend(struct paint *p, const struct vw_legend *legend, double x, double y);
/* The line about what the picture had no room for. */
void paint_note(struct paint *p, double y);
