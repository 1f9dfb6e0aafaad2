/* SPDX-License-Identifier: MIT */
/* paint.h - paints plans with cairo and pango: the same picture in the window, a PNG, an SVG.
 *
 * No GTK, no display, no decision: what stands where is the plan's, which colour is the palette's.
 * Rectangles are snapped to pixels and not antialiased; arrows are thin lines without antialiasing when there are many
 * (antialiased lines are the dearest thing cairo does in software), smooth when few or when the target is a vector.
 */
#pragma once
#include "plan.h"

#include <cairo.h>

struct vw_rgb {
  float r, g, b;
};

struct vw_theme {
  bool dark;
  bool high_contrast;
  double font_scale; /* 1 is normal; HiDPI is the caller's cairo scale */
};

/* Colours, the one place for them (palette.c). Colour-blind-safe; every state has a pattern or glyph too. */
struct vw_rgb vw_palette_state(const struct vw_theme *theme, enum vw_state state);
struct vw_rgb vw_palette_g(const struct vw_theme *theme,
                           uint32_t goid); /* stable, neighbours differ */
struct vw_rgb vw_palette_arrow(const struct vw_theme *theme, enum vw_arrow_kind kind);
struct vw_rgb vw_palette_mark(const struct vw_theme *theme, enum vw_mark_kind kind);
struct vw_rgb vw_palette_ink(const struct vw_theme *theme,
                             struct vw_rgb on); /* readable text on a colour */

/* Of what is not of the selection: a box's colour nearer to the ground, and ink on it, or on a plate of the ground, that
 * is weaker than vw_palette_ink's but has a contrast of 3 at least. */
struct vw_rgb vw_palette_faded(const struct vw_theme *theme, struct vw_rgb c);
struct vw_rgb vw_palette_faded_ink(const struct vw_theme *theme, struct vw_rgb on);

/* The painter keeps fonts and layouts between frames. One a thread. */
struct vw_painter;
struct vw_painter *vw_painter_new(void);
void vw_painter_free(struct vw_painter *painter);

/* Paints the whole plan (background, lanes, arrows, marks, ruler, titles, legend if asked), but no cursor and no marked
 * area. */
void vw_paint_plan(struct vw_painter *painter, cairo_t *cr, const struct vw_plan *plan,
                   const struct vw_trace *trace, const struct vw_theme *theme);
/* Only what moves without a new plan, to be painted over it: cursor line, hover outline (over may be NULL), and the area
 * that the plan's view marks, with its length. */
void vw_paint_cursor(struct vw_painter *painter, cairo_t *cr, const struct vw_plan *plan,
                     const struct vw_trace *trace, const struct vw_theme *theme, uint64_t event_no,
                     const struct vw_hit *hover);
void vw_paint_minimap(struct vw_painter *painter, cairo_t *cr, const struct vw_minimap *map,
                      const struct vw_trace *trace, const struct vw_theme *theme, int height,
                      int64_t t0, int64_t t1);
/* What a picture is of, in a strip at the top. */
void vw_paint_heading(struct vw_painter *painter, cairo_t *cr, double width, double height,
                      const char *text, const struct vw_theme *theme);
/* Height that a legend takes at a width, and the legend. */
double vw_legend_height(double width, const struct vw_signs *signs, const struct vw_theme *theme);
void vw_paint_legend(struct vw_painter *painter, cairo_t *cr, double x, double y, double width,
                     const struct vw_signs *signs, const struct vw_theme *theme);
