/* SPDX-License-Identifier: MIT */
/* paint-over.c - what moves above a painted plan (cursor, hover, marked area), and the overview of the whole trace. */
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

/* The line passes behind the numbers of a panic's steps: "1.2" with a line through its point reads "1 2". */
static void uncover_discs(struct paint *p, uint64_t event_no)
{
  if (event_no < vw_event_count(p->trace))
    paint_discs_at(p, floor(vw_plan_x(p->plan, vw_event(p->trace, event_no)->ts)) + 0.5);
}

/* Takes the ruler's words away that reach under [left, left + w): half a number is worse than none. */
static void clear_ruler(struct paint *p, double left, double w)
{
  paint_source(p->cr, paint_chrome(p->theme, PAINT_GUTTER), 1);
  for (size_t i = 0; i < p->plan->n_ticks; i++) {
    double x0, x1;
    if (vw_tick_word(p->plan, &p->plan->ticks[i], &x0, &x1) && left < x1 && x0 < left + w)
      cairo_rectangle(p->cr, floor(x0), 0, ceil(x1 - x0) + 2, (double)p->plan->ruler - 1);
  }
  cairo_fill(p->cr);
}

/* The length of the marked area, in the ruler: between its words if the area leaves room there, else in their place. */
static void mark_length(struct paint *p, double x0, double x1)
{
  char text[32];
  const struct vw_view *view = &p->plan->view;
  vw_duration_text(vw_ns_between(view->mark_t1, view->mark_t0), text, sizeof text);
  double w = paint_text_width(p->painter, p->theme, VW_ROLE_TICK, 0, text) + 8;
  double left = vw_ruler_room(p->plan, x0, x1, w), h = 15 * p->font;
  double y = (double)p->plan->ruler - h - 1;
  if (isnan(left)) {
    left = floor((x0 + x1 - w) / 2);
    left = left + w > view->width ? view->width - w : left;
    left = left < (double)p->plan->gutter ? (double)p->plan->gutter : left;
    clear_ruler(p, left, w);
  }
  struct vw_rgb accent = paint_chrome(p->theme, PAINT_ACCENT);
  paint_source(p->cr, accent, 1);
  cairo_rectangle(p->cr, left, y, w, h);
  cairo_fill(p->cr);
  paint_source(p->cr, vw_palette_ink(p->theme, accent), 1);
  paint_text(p->painter, p->cr, p->theme, VW_ROLE_TICK, left + 4, y + h / 2, 0, text);
}

static void mark_area(struct paint *p)
{
  const struct vw_plan *plan = p->plan;
  const struct vw_view *view = &plan->view;
  double gutter = (double)plan->gutter, top = (double)plan->ruler;
  double height = view->height - (double)plan->legend - top;
  double x0 = floor(vw_plan_x(plan, view->mark_t0)), x1 = ceil(vw_plan_x(plan, view->mark_t1));
  if (view->mark_t1 <= view->mark_t0 || x1 <= gutter || x0 >= view->width)
    return;
  double from = x0 < gutter ? gutter : x0, to = x1 > view->width ? view->width : x1;
  paint_source(p->cr, paint_chrome(p->theme, PAINT_ACCENT), 0.12);
  cairo_rectangle(p->cr, from, top, to - from, height);
  cairo_fill(p->cr);
  paint_source(p->cr, paint_chrome(p->theme, PAINT_ACCENT), 0.8);
  if (x0 >= gutter)
    cairo_rectangle(p->cr, x0, top, 1, height);
  if (x1 <= view->width)
    cairo_rectangle(p->cr, x1 - 1, top, 1, height);
  cairo_fill(p->cr);
  mark_length(p, from, to);
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
  mark_area(&p);
  cursor_line(&p, event_no);
  cairo_rectangle(cr, (double)plan->gutter, (double)plan->ruler, plan->view.width,
                  plan->view.height - (double)plan->ruler - (double)plan->legend);
  cairo_clip(cr);
  uncover_discs(&p, event_no);
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
  if (x1 < x0 + 4)
    x1 = x0 + 4;
  paint_source(cr, paint_chrome(theme, theme->dark ? PAINT_GROUND : PAINT_MUTED),
               theme->dark ? 0.65 : 0.3);
  cairo_rectangle(cr, 0, 0, x0, height);
  cairo_rectangle(cr, x1, 0, map->width - x1, height);
  cairo_fill(cr);
  paint_source(cr, paint_chrome(theme, PAINT_ACCENT), 1);
  cairo_set_line_width(cr, 2);
  cairo_rectangle(cr, x0 + 1, 1, x1 - x0 - 2, height - 2);
  cairo_stroke(cr);
  if (x1 - x0 < 24)
    return;
  double grip = floor(height / 3.0); /* where it can be taken to be made wider or narrower */
  cairo_rectangle(cr, x0, grip, 5, height - 2 * grip);
  cairo_rectangle(cr, x1 - 5, grip, 5, height - 2 * grip);
  cairo_fill(cr);
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
