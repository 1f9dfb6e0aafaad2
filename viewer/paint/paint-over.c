/* SPDX-License-Identifier: MIT */
/* paint-over.c - what moves above a painted plan (cursor, hover), and the overview of the whole trace. */
#include "paint-private.h"

#include <math.h>

static void cursor_line(struct paint *p, uint64_t event_no)
{
  if (event_no >= vw_event_count(p->trace))
    return;
  const struct vw_plan *plan = p->plan;
  double x = floor(vw_plan_x(plan, vw_event(p->trace, event_no)->ts));
  if (x < (double)plan->gutter || x >= plan->view.width)
    return;
  paint_source(p->cr, paint_chrome(p->theme, PAINT_ACCENT), 1);
  cairo_rectangle(p->cr, x, (double)plan->ruler - 6, 1,
                  plan->view.height - (double)plan->legend - (double)plan->ruler + 6);
  cairo_fill(p->cr);
  cairo_move_to(p->cr, x - 5, (double)plan->ruler - 9);
  cairo_line_to(p->cr, x + 6, (double)plan->ruler - 9);
  cairo_line_to(p->cr, x + 0.5, (double)plan->ruler - 1);
  cairo_close_path(p->cr);
  cairo_fill(p->cr);
}

static void outline(struct paint *p, double x, double y, double w, double h)
{
  cairo_rectangle(p->cr, x - 0.5, y - 0.5, w, h + 1);
  cairo_set_line_width(p->cr, 2);
  paint_source(p->cr, paint_chrome(p->theme, PAINT_TEXT), 0.9);
  cairo_stroke(p->cr);
}

static void hover(struct paint *p, const struct vw_hit *hit)
{
  const struct vw_plan *plan = p->plan;
  if ((hit->what == VW_HIT_SPAN || hit->what == VW_HIT_OVERLAY) && hit->index < plan->n_rects) {
    const struct vw_rect *r = &plan->rects[hit->index];
    outline(p, (double)r->x, (double)r->y, (double)r->w, (double)r->h);
  } else if (hit->what == VW_HIT_MARK && hit->index < plan->n_marks) {
    const struct vw_plan_mark *m = &plan->marks[hit->index];
    outline(p, floor((double)m->x) - 6, floor((double)m->y) - 6, 13, 12);
  } else if (hit->what == VW_HIT_ARROW && hit->index < plan->n_arrows) {
    const struct vw_plan_arrow *a = &plan->arrows[hit->index];
    cairo_move_to(p->cr, (double)a->x0, (double)a->y0);
    cairo_line_to(p->cr, (double)a->x1, (double)a->y1);
    cairo_set_line_width(p->cr, 3);
    paint_source(p->cr, vw_palette_arrow(p->theme, (enum vw_arrow_kind)a->kind), 1);
    cairo_stroke(p->cr);
  } else if (hit->what == VW_HIT_STEP && hit->index < plan->n_path) {
    cairo_arc(p->cr, (double)plan->path[hit->index].x, (double)plan->path[hit->index].y,
              9.5 * p->font, 0, 2 * M_PI);
    cairo_set_line_width(p->cr, 2);
    paint_source(p->cr, paint_chrome(p->theme, PAINT_TEXT), 0.9);
    cairo_stroke(p->cr);
  }
}

void vw_paint_cursor(struct vw_painter *painter, cairo_t *cr, const struct vw_plan *plan,
                     const struct vw_trace *trace, const struct vw_theme *theme, uint64_t event_no,
                     const struct vw_hit *over)
{
  struct paint p = { .painter = painter,
                     .cr = cr,
                     .plan = plan,
                     .trace = trace,
                     .theme = theme,
                     .font = theme->font_scale > 0 ? theme->font_scale : 1 };
  cairo_save(cr);
  cursor_line(&p, event_no);
  cairo_rectangle(cr, (double)plan->gutter, (double)plan->ruler, plan->view.width,
                  plan->view.height - (double)plan->ruler - (double)plan->legend);
  cairo_clip(cr);
  if (over)
    hover(&p, over);
  cairo_restore(cr);
}

/* ---- the overview ---- */
static struct vw_rgb between(struct vw_rgb a, struct vw_rgb b, float k)
{
  return (struct vw_rgb){ a.r + (b.r - a.r) * k, a.g + (b.g - a.g) * k, a.b + (b.b - a.b) * k };
}

/* A lane's row: the busier, the stronger. Runs of one strength are one box. */
static void busy_row(cairo_t *cr, const struct vw_minimap *map, const struct vw_theme *theme,
                     int row, double y, double h)
{
  const uint8_t *busy = map->busy + (size_t)row * (size_t)map->width;
  struct vw_rgb low = paint_chrome(theme, PAINT_STRIPE),
                high = vw_palette_arrow(theme, VW_ARROW_MWAKE);
  for (int x = 0; x < map->width;) {
    int level = (busy[x] + 15) / 32, from = x;
    while (x < map->width && (busy[x] + 15) / 32 == level)
      x++;
    if (busy[from] == 0)
      continue;
    paint_source(cr, between(low, high, 0.25f + 0.75f * (float)level / 8), 1);
    cairo_rectangle(cr, from, y, x - from, h);
    cairo_fill(cr);
  }
}

static void shown_part(cairo_t *cr, const struct vw_minimap *map, const struct vw_trace *trace,
                       const struct vw_theme *theme, int height, int64_t t0, int64_t t1)
{
  int64_t first = 0, last = 0;
  vw_time_range(trace, &first, &last);
  double span = vw_ns_between(last, first), scale = map->width / (span > 0 ? span : 1);
  double x0 = vw_ns_between(t0, first) * scale, x1 = vw_ns_between(t1, first) * scale;
  x0 = x0 < 0 ? 0 : floor(x0);
  x1 = x1 > map->width ? map->width : ceil(x1);
  if (x1 < x0 + 3)
    x1 = x0 + 3;
  paint_source(cr, paint_chrome(theme, PAINT_GROUND), 0.62);
  cairo_rectangle(cr, 0, 0, x0, height);
  cairo_rectangle(cr, x1, 0, map->width - x1, height);
  cairo_fill(cr);
  paint_source(cr, paint_chrome(theme, PAINT_ACCENT), 1);
  cairo_set_line_width(cr, 1);
  cairo_rectangle(cr, x0 + 0.5, 0.5, x1 - x0 - 1, height - 1);
  cairo_stroke(cr);
}

void vw_paint_minimap(struct vw_painter *painter, cairo_t *cr, const struct vw_minimap *map,
                      const struct vw_trace *trace, const struct vw_theme *theme, int height,
                      int64_t t0, int64_t t1)
{
  struct vw_plan plan = { .view = { .width = map->width } };
  struct paint p = {
    .painter = painter, .cr = cr, .plan = &plan, .trace = trace, .theme = theme, .font = 1
  };
  cairo_save(cr);
  paint_source(cr, paint_chrome(theme, PAINT_GUTTER), 1);
  cairo_rectangle(cr, 0, 0, map->width, height);
  cairo_fill(cr);
  double top = 10, room = height - top - 3;
  cairo_set_antialias(cr, CAIRO_ANTIALIAS_NONE);
  for (int i = 0; i < map->n_lanes; i++) {
    double y0 = top + floor(room * i / map->n_lanes),
           y1 = top + floor(room * (i + 1) / map->n_lanes);
    double gap = y1 - y0 >= 3 ? 1 : 0;
    busy_row(cr, map, theme, i, y0, y1 - y0 > 0 ? y1 - y0 - gap : 1);
  }
  cairo_set_antialias(cr, CAIRO_ANTIALIAS_DEFAULT);
  shown_part(cr, map, trace, theme, height, t0, t1);
  int last = -8;
  for (int kind = 0; kind <= VW_MARK_LOST; kind++, last = -8) /* the rare ones, over everything */
    for (int x = 0; x < map->width; x++)
      if (map->marks[x] == 1 + kind && x - last >= 6) {
        paint_mark_glyph(&p, (enum vw_mark_kind)kind, x + 0.5, 5.5, 3.5);
        last = x;
      }
  cairo_restore(cr);
}
