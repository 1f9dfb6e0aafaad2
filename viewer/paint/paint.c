/* SPDX-License-Identifier: MIT */
/* paint.c - the order in which a plan is painted.
 *
 * From the back to the front: ground, spans, overlays, arrows, stems of marks, the panic's stairs, words, marks, and
 * last the ruler and the gutter, which cover what reaches under them.
 */
#include "paint-private.h"

#include <stdlib.h>

struct vw_painter *vw_painter_new(void)
{
  struct vw_painter *painter = calloc(1, sizeof *painter);
  if (!painter)
    return NULL;
  painter->context = pango_font_map_create_context(pango_cairo_font_map_get_default());
  pango_context_set_base_dir(painter->context, PANGO_DIRECTION_LTR);
  cairo_font_options_t *options = cairo_font_options_create();
  cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
  cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_SLIGHT);
  cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_ON);
  pango_cairo_context_set_font_options(painter->context, options);
  cairo_font_options_destroy(options);
  return painter;
}

void vw_painter_free(struct vw_painter *painter)
{
  if (!painter)
    return;
  paint_text_clear(painter);
  paint_patterns_clear(painter);
  paint_stamps_clear(painter);
  g_object_unref(painter->context);
  free(painter->order);
  free(painter);
}

void paint_source(cairo_t *cr, struct vw_rgb c, double alpha)
{
  cairo_set_source_rgba(cr, (double)c.r, (double)c.g, (double)c.b, alpha);
}

struct vw_rgb paint_chrome(const struct vw_theme *theme, enum paint_chrome what)
{
#define C(hex)                                                                                     \
  ((struct vw_rgb){ ((hex) >> 16 & 255) / 255.0f, ((hex) >> 8 & 255) / 255.0f,                     \
                    ((hex)&255) / 255.0f })
  static const uint32_t colours[PAINT_CHROMES][4] = {
    /*                 light     dark      light hi  dark hi */
    [PAINT_GROUND] = { 0xffffff, 0x181b20, 0xffffff, 0x000000 },
    [PAINT_STRIPE] = { 0xf7f8fa, 0x1d2127, 0xf2f2f2, 0x0d0d0d },
    [PAINT_GUTTER] = { 0xf1f3f6, 0x22262d, 0xffffff, 0x000000 },
    [PAINT_GRID] = { 0xe6e9ee, 0x2a2f37, 0xcccccc, 0x3a3a3a },
    [PAINT_LINE] = { 0xd3d8df, 0x353b45, 0x000000, 0xffffff },
    [PAINT_TEXT] = { 0x1d2127, 0xe8ebef, 0x000000, 0xffffff },
    [PAINT_MUTED] = { 0x5c6672, 0x9ba5b2, 0x1a1a1a, 0xe6e6e6 },
    [PAINT_ACCENT] = { 0x0a5fd0, 0x5fa8ff, 0x0040a8, 0x66b0ff },
  };
  return C(colours[what][(theme->dark ? 1 : 0) + (theme->high_contrast ? 2 : 0)]);
#undef C
}

static struct paint paint_begin(struct vw_painter *painter, cairo_t *cr, const struct vw_plan *plan,
                                const struct vw_trace *trace, const struct vw_theme *theme)
{
  cairo_surface_type_t type = cairo_surface_get_type(cairo_get_target(cr));
  return (struct paint){ .painter = painter,
                         .cr = cr,
                         .plan = plan,
                         .trace = trace,
                         .theme = theme,
                         .font = theme->font_scale > 0 ? theme->font_scale : 1,
                         .is_vector =
                             type == CAIRO_SURFACE_TYPE_SVG || type == CAIRO_SURFACE_TYPE_PDF };
}

void vw_paint_plan(struct vw_painter *painter, cairo_t *cr, const struct vw_plan *plan,
                   const struct vw_trace *trace, const struct vw_theme *theme)
{
  struct paint p = paint_begin(painter, cr, plan, trace, theme);
  cairo_save(cr);
  paint_ground(&p);
  cairo_rectangle(cr, 0, (double)plan->ruler, plan->view.width,
                  plan->view.height - (double)plan->ruler - (double)plan->legend);
  cairo_clip(cr);
  paint_rects(&p);
  paint_arrows(&p);
  paint_stems(&p);
  paint_path(&p);
  paint_labels(&p);
  paint_marks(&p);
  paint_gutter(&p);
  cairo_restore(cr);
  cairo_save(cr);
  paint_ruler(&p);
  double strip = plan->view.height - (double)plan->legend, note = (double)plan->note_height;
  if ((double)plan->legend > note) {
    struct vw_legend legend;
    vw_legend_layout(&legend, plan->view.width, p.font, plan->shown_states, plan->shown_arrows,
                     plan->shown_marks);
    paint_legend(&p, &legend, 0, strip + note);
  }
  if (note > 0)
    paint_note(&p, strip);
  cairo_restore(cr);
}

void vw_paint_heading(struct vw_painter *painter, cairo_t *cr, double width, double height,
                      const char *text, const struct vw_theme *theme)
{
  paint_source(cr, paint_chrome(theme, PAINT_GUTTER), 1);
  cairo_rectangle(cr, 0, 0, width, height);
  cairo_fill(cr);
  paint_source(cr, paint_chrome(theme, PAINT_LINE), 1);
  cairo_rectangle(cr, 0, 0, width, 2);
  cairo_rectangle(cr, 0, height - 1, width, 1);
  cairo_fill(cr);
  paint_source(cr, paint_chrome(theme, PAINT_TEXT), 1);
  paint_text(painter, cr, theme, VW_ROLE_TITLE, 12, height / 2, width - 24, text);
}

double vw_legend_height(double width, const struct vw_signs *signs, const struct vw_theme *theme)
{
  struct vw_legend legend;
  vw_legend_layout(&legend, width, theme->font_scale > 0 ? theme->font_scale : 1, signs->states,
                   signs->arrows, signs->marks);
  return legend.height;
}

void vw_paint_legend(struct vw_painter *painter, cairo_t *cr, double x, double y, double width,
                     const struct vw_signs *signs, const struct vw_theme *theme)
{
  struct vw_plan plan = { .view = { .width = (int)width } };
  struct paint p = paint_begin(painter, cr, &plan, NULL, theme);
  struct vw_legend legend;
  vw_legend_layout(&legend, width, p.font, signs->states, signs->arrows, signs->marks);
  paint_legend(&p, &legend, x, y);
}
