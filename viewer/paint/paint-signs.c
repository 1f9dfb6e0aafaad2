/* SPDX-License-Identifier: MIT */
/* paint-signs.c - arrows, marks, and the stairs of a panic.
 *
 * Antialiased lines are the dearest thing that cairo does in software, so arrows are smooth, with a
 * halo that lifts them off the spans, only while they are few or when the target is a vector; and when they are very
 * many, all of a kind are one path without dashes.
 * Kinds differ by stroke and head as well as by colour; marks by shape.
 */
#include "paint-private.h"

#include <math.h>
#include <stdio.h>

enum {
  SMOOTH = 60,
  STYLED = 120
};

struct stroke {
  double width, dashes[4];
  int n_dashes;
  bool open_head; /* two strokes, not a triangle */
  bool has_tail;  /* a dot where it begins */
};

/* clang-format off */
static const struct stroke strokes[VW_ARROW_KINDS] = {
  [VW_ARROW_WAKE]   = { .width = 1.4 },
  [VW_ARROW_PARK]   = { .width = 1.0, .dashes = { 3, 3 }, .n_dashes = 2, .open_head = true },
  [VW_ARROW_CREATE] = { .width = 1.4, .has_tail = true },
  [VW_ARROW_STEAL]  = { .width = 1.8, .dashes = { 7, 3 }, .n_dashes = 2 },
  [VW_ARROW_MWAKE]  = { .width = 1.2, .dashes = { 1, 2.5 }, .n_dashes = 2, .open_head = true },
  [VW_ARROW_RETAKE] = { .width = 1.6, .dashes = { 7, 2, 2, 2 }, .n_dashes = 4, .has_tail = true },
};
/* clang-format on */

static void shaft(cairo_t *cr, const struct vw_plan_arrow *a)
{
  double x0 = (double)a->x0, y0 = (double)a->y0, x1 = (double)a->x1, y1 = (double)a->y1;
  cairo_move_to(cr, x0, y0);
  if (fabs(y0 - y1) < 1 && !a->clipped0 &&
      !a->clipped1) { /* on one lane: a low bow above the bar */
    double bend = x1 - x0 < 40 ? (x1 - x0) / 4 : 10;
    cairo_curve_to(cr, x0 + bend, y0 - 9, x1 - bend, y1 - 9, x1, y1);
    return;
  }
  cairo_line_to(cr, x1, y1);
}

static void head(cairo_t *cr, const struct stroke *s, const struct vw_plan_arrow *a)
{
  double dx = (double)a->x1 - (double)a->x0, dy = (double)a->y1 - (double)a->y0;
  if (fabs(dy) < 1 && !a->clipped0) { /* the bow comes down */
    dx = 0.6;
    dy = 1;
  }
  double length = hypot(dx, dy), size = s->width > 1.3 ? 7 : 6;
  if (length < 0.1)
    return;
  dx *= size / length;
  dy *= size / length;
  double bx = (double)a->x1 - dx, by = (double)a->y1 - dy, half = 0.42;
  cairo_move_to(cr, bx - dy * half, by + dx * half);
  cairo_line_to(cr, (double)a->x1, (double)a->y1);
  cairo_line_to(cr, bx + dy * half, by - dx * half);
  if (s->open_head) {
    cairo_set_line_width(cr, s->width);
    cairo_set_dash(cr, NULL, 0, 0);
    cairo_stroke(cr);
  } else {
    cairo_close_path(cr);
    cairo_fill(cr);
  }
}

static void one_arrow(struct paint *p, const struct vw_plan_arrow *a, double alpha, bool halo)
{
  const struct stroke *s = &strokes[a->kind];
  double width = s->width + (a->highlighted ? 0.8 : 0);
  if (halo) {
    shaft(p->cr, a);
    cairo_set_dash(p->cr, NULL, 0, 0);
    cairo_set_line_width(p->cr, width + 2);
    paint_source(p->cr, paint_chrome(p->theme, PAINT_GROUND), 0.6 * alpha);
    cairo_stroke(p->cr);
  }
  paint_source(p->cr, vw_palette_arrow(p->theme, (enum vw_arrow_kind)a->kind), alpha);
  shaft(p->cr, a);
  cairo_set_dash(p->cr, s->dashes, s->n_dashes, 0);
  cairo_set_line_width(p->cr, width);
  cairo_stroke(p->cr);
  cairo_set_dash(p->cr, NULL, 0, 0);
  if (!a->clipped1)
    head(p->cr, s, a);
  if (s->has_tail && !a->clipped0) {
    cairo_arc(p->cr, (double)a->x0, (double)a->y0, 2.2, 0, 2 * M_PI);
    cairo_fill(p->cr);
  }
}

static bool is_of_crowd(const struct vw_plan_arrow *a, enum vw_arrow_kind kind, bool dimmed)
{
  return a->kind == kind && !a->highlighted && a->dimmed == dimmed;
}

/* A crowd's lines of one kind, in one path; then their heads, in another. */
static void crowd(struct paint *p, enum vw_arrow_kind kind, bool dimmed, double alpha)
{
  paint_source(p->cr, vw_palette_arrow(p->theme, kind), alpha);
  cairo_set_line_width(p->cr, 1);
  for (size_t i = 0; i < p->plan->n_arrows; i++)
    if (is_of_crowd(&p->plan->arrows[i], kind, dimmed))
      shaft(p->cr, &p->plan->arrows[i]);
  cairo_stroke(p->cr);
  for (size_t i = 0; i < p->plan->n_arrows; i++) {
    const struct vw_plan_arrow *a = &p->plan->arrows[i];
    if (!is_of_crowd(a, kind, dimmed) || a->clipped1)
      continue;
    double up = a->y1 < a->y0 ? 5 : -5;
    cairo_move_to(p->cr, (double)a->x1, (double)a->y1);
    cairo_line_to(p->cr, (double)a->x1 - 2.5, (double)a->y1 + up);
    cairo_line_to(p->cr, (double)a->x1 + 2.5, (double)a->y1 + up);
    cairo_close_path(p->cr);
  }
  cairo_fill(p->cr);
}

void paint_arrows(struct paint *p)
{
  bool smooth = p->is_vector || p->plan->n_arrows <= SMOOTH;
  cairo_save(p->cr);
  cairo_rectangle(p->cr, (double)p->plan->gutter, (double)p->plan->ruler, p->plan->view.width,
                  p->plan->view.height);
  cairo_clip(p->cr);
  cairo_set_antialias(p->cr, smooth ? CAIRO_ANTIALIAS_DEFAULT : CAIRO_ANTIALIAS_NONE);
  bool crowded = p->plan->n_arrows > STYLED && !p->is_vector;
  for (int kind = 0; crowded && kind < VW_ARROW_KINDS; kind++) {
    crowd(p, (enum vw_arrow_kind)kind, true, 0.22);
    crowd(p, (enum vw_arrow_kind)kind, false, 0.6);
  }
  for (int pass = crowded; pass < 2; pass++) /* the highlighted ones on top */
    for (size_t i = p->plan->n_arrows; i-- > 0;) {
      const struct vw_plan_arrow *a = &p->plan->arrows[i];
      double alpha = a->highlighted ? 1 : a->dimmed ? 0.22 : p->plan->n_arrows > 40 ? 0.7 : 0.9;
      alpha *= a->kind == VW_ARROW_PARK && !a->highlighted ? 0.7 : 1;
      if (a->highlighted == pass)
        one_arrow(p, a, alpha, smooth);
    }
  cairo_restore(p->cr);
}

void paint_arrow_sample(struct paint *p, enum vw_arrow_kind kind, double x0, double y, double x1)
{
  struct vw_plan_arrow a = {
    .x0 = (float)x0, .y0 = (float)y + 4, .x1 = (float)x1, .y1 = (float)y - 4, .kind = (uint8_t)kind
  };
  one_arrow(p, &a, 1, false);
}

/* ---- marks ---- */
static void polygon(cairo_t *cr, double x, double y, double r, const double (*points)[2], int n)
{
  for (int i = 0; i < n; i++)
    cairo_line_to(cr, x + points[i][0] * r, y + points[i][1] * r);
  cairo_close_path(cr);
}

static void circle(cairo_t *cr, double x, double y, double r)
{
  cairo_new_sub_path(cr);
  cairo_arc(cr, x, y, r, 0, 2 * M_PI);
}

static void strokes_of(cairo_t *cr, double x, double y, double r, const double (*lines)[4], int n,
                       double width)
{
  cairo_set_line_width(cr, width);
  for (int i = 0; i < n; i++) {
    cairo_move_to(cr, x + lines[i][0] * r, y + lines[i][1] * r);
    cairo_line_to(cr, x + lines[i][2] * r, y + lines[i][3] * r);
  }
  cairo_stroke(cr);
}

static void fill(cairo_t *cr, double x, double y, double r, const double points[][2], int n)
{
  polygon(cr, x, y, r, points, n);
  cairo_fill(cr);
}

static void ring(cairo_t *cr, double x, double y, double r, double width)
{
  circle(cr, x, y, r);
  cairo_set_line_width(cr, width);
  cairo_stroke(cr);
}

static void glyph(cairo_t *cr, enum vw_mark_kind kind, double x, double y, double r)
{
  static const double diamond[][2] = { { 0, -1.2 }, { 1.2, 0 }, { 0, 1.2 }, { -1.2, 0 } };
  static const double down[][2] = { { -1, -0.8 }, { 1, -0.8 }, { 0, 1 } };
  static const double up[][2] = { { -1, 0.8 }, { 1, 0.8 }, { 0, -1 } };
  static const double left[][2] = { { 0.8, -1 }, { 0.8, 1 }, { -1, 0 } };
  static const double right[][2] = { { -0.8, -1 }, { -0.8, 1 }, { 1, 0 } };
  static const double square[][2] = { { -0.7, -0.7 }, { 0.7, -0.7 }, { 0.7, 0.7 }, { -0.7, 0.7 } };
  static const double cross[][4] = { { -0.9, -0.9, 0.9, 0.9 }, { -0.9, 0.9, 0.9, -0.9 } };
  static const double bars[][4] = { { -0.5, -1, -0.5, 1 }, { 0.5, -1, 0.5, 1 } };
  static const double hands[][4] = { { 0, 0, 0, -0.6 }, { 0, 0, 0.5, 0 } };
  static const double gap[][4] = { { -0.9, -0.8, -0.3, 0.8 },
                                   { -0.2, -0.8, 0.4, 0.8 },
                                   { 0.5, -0.8, 1.1, 0.8 } };
  switch (kind) {
  case VW_MARK_PANIC:
    fill(cr, x, y, r, diamond, 4);
    return;
  case VW_MARK_RECOVER:
    ring(cr, x, y, r * 0.75, 2.2);
    return;
  case VW_MARK_FATAL:
    strokes_of(cr, x, y, r, cross, 2, 2.4);
    return;
  case VW_MARK_FAULT:
    polygon(cr, x, y, r, up, 3);
    cairo_set_line_width(cr, 1.8);
    cairo_stroke(cr);
    return;
  case VW_MARK_LOST:
    strokes_of(cr, x, y, r, gap, 3, 1.6);
    return;
  case VW_MARK_PREEMPT:
    fill(cr, x, y, r, down, 3);
    return;
  case VW_MARK_RETAKE:
    fill(cr, x, y, r, left, 3);
    return;
  case VW_MARK_STEAL:
    fill(cr, x, y, r, right, 3);
    return;
  case VW_MARK_TIMER:
    ring(cr, x, y, r * 0.85, 1.2);
    strokes_of(cr, x, y, r, hands, 2, 1);
    return;
  case VW_MARK_STW:
    strokes_of(cr, x, y, r, bars, 2, 1.8);
    return;
  case VW_MARK_USER:
  case VW_MARK_KINDS:
    break;
  }
  polygon(cr, x, y, r, square, 4);
  cairo_fill(cr);
}

void paint_mark_glyph(struct paint *p, enum vw_mark_kind kind, double x, double y, double r)
{
  paint_source(p->cr, vw_palette_mark(p->theme, kind), 1);
  glyph(p->cr, kind, x, y, r);
}

/* A panic is seen from afar: a line through its whole lane leads to it. */
static void mark_stem(struct paint *p, const struct vw_plan_mark *m)
{
  if (m->kind > VW_MARK_LOST)
    return;
  const struct vw_plan *plan = p->plan;
  for (size_t i = 0; i < plan->n_bands; i++)
    if (plan->bands[i].lane == m->lane) {
      paint_source(p->cr, vw_palette_mark(p->theme, (enum vw_mark_kind)m->kind), 0.8);
      double h = (double)plan->bands[i].h < 46 ? (double)plan->bands[i].h : 46;
      cairo_rectangle(p->cr, floor((double)m->x), (double)m->y, 1,
                      h - ((double)m->y - (double)plan->bands[i].y) - 3);
      cairo_fill(p->cr);
      return;
    }
}

void paint_stems(struct paint *p)
{
  for (size_t i = 0; i < p->plan->n_marks; i++)
    mark_stem(p, &p->plan->marks[i]);
}

static double radius_of(enum vw_mark_kind kind)
{
  return kind <= VW_MARK_LOST ? 4.5 : 3.6;
}

enum { /* px of a stamp; the pixel in its middle */
  GLYPH = 15,
  GLYPH_MIDDLE = GLYPH / 2,
};

/* The glyph as a mask, drawn once: stamping costs a tenth of drawing. */
static cairo_surface_t *stamp_of(struct vw_painter *painter, enum vw_mark_kind kind)
{
  if (painter->stamps[kind])
    return painter->stamps[kind];
  cairo_surface_t *s = cairo_image_surface_create(CAIRO_FORMAT_A8, GLYPH, GLYPH);
  cairo_t *cr = cairo_create(s);
  glyph(cr, kind, GLYPH_MIDDLE + 0.5, GLYPH_MIDDLE + 0.5, radius_of(kind));
  cairo_destroy(cr);
  return painter->stamps[kind] = s;
}

void paint_stamps_clear(struct vw_painter *painter)
{
  for (unsigned i = 0; i < VW_MARK_KINDS; i++)
    if (painter->stamps[i])
      cairo_surface_destroy(painter->stamps[i]);
}

void paint_marks(struct paint *p)
{
  struct paint_canvas canvas;
  bool stamps = paint_canvas_begin(&canvas, p->cr); /* whole pixels, so a stamp stays sharp */
  for (size_t i = p->plan->n_marks; i-- > 0;) {
    const struct vw_plan_mark *m = &p->plan->marks[i];
    enum vw_mark_kind kind = (enum vw_mark_kind)m->kind;
    if ((double)m->x < (double)p->plan->gutter - 1)
      continue;
    if (!stamps) {
      paint_mark_glyph(p, kind, (double)m->x, (double)m->y, radius_of(kind));
      continue;
    }
    paint_source(p->cr, vw_palette_mark(p->theme, kind), 1);
    cairo_mask_surface(p->cr, stamp_of(p->painter, kind), floor((double)m->x) - GLYPH_MIDDLE,
                       floor((double)m->y) - GLYPH_MIDDLE);
  }
}

/* ---- the stairs of a panic ---- */
static struct vw_rgb step_colour(const struct paint *p, uint16_t kind, bool valid)
{
  switch (kind) {
  case TRACE_PANIC_BEGIN:
    return vw_palette_mark(p->theme, VW_MARK_PANIC);
  case TRACE_PANIC_FATAL:
    return vw_palette_mark(p->theme, VW_MARK_FATAL);
  case TRACE_PANIC_RECOVERED:
    return vw_palette_mark(p->theme, VW_MARK_RECOVER);
  case TRACE_PANIC_RECOVER_CALL:
    return valid ? vw_palette_mark(p->theme, VW_MARK_RECOVER) : paint_chrome(p->theme, PAINT_MUTED);
  default:
    return paint_chrome(p->theme, PAINT_MUTED);
  }
}

#define DISC_R 7.5

static void pill(cairo_t *cr, double x, double y, double half, double r)
{
  cairo_new_sub_path(cr);
  cairo_arc(cr, x + half, y, r, -M_PI / 2, M_PI / 2);
  cairo_arc(cr, x - half, y, r, M_PI / 2, 3 * M_PI / 2);
  cairo_close_path(cr);
}

static void disc_text(const struct vw_path_step *s, char *out, size_t n)
{
  if (s->story)
    snprintf(out, n, "%u.%u", s->story, s->number);
  else
    snprintf(out, n, "%u", s->number);
}

/* Half of the straight part: a long number makes a pill. */
static double disc_half(struct paint *p, const char *number)
{
  double w = paint_text_width(p->painter, p->theme, VW_ROLE_LEGEND, 0, number);
  return fmax(w / 2 + 4 - DISC_R * p->font, 0);
}

static void disc(struct paint *p, const struct vw_path_step *s)
{
  size_t n;
  const struct vw_panic_path *paths = vw_panics(p->trace, &n);
  const struct vw_panic_step *step = &paths[s->panic].steps[s->step];
  bool valid = step->no < vw_event_count(p->trace) &&
               vw_event(p->trace, step->no)->w[1] == TRACE_VERDICT_VALID;
  struct vw_rgb c = step_colour(p, step->kind, valid);
  char number[32];
  disc_text(s, number, sizeof number);
  double r = DISC_R * p->font, half = disc_half(p, number);
  double w = paint_text_width(p->painter, p->theme, VW_ROLE_LEGEND, 0, number);
  pill(p->cr, (double)s->x, (double)s->y, half, r + 1.5);
  paint_source(p->cr, paint_chrome(p->theme, PAINT_GROUND), 1);
  cairo_fill(p->cr);
  pill(p->cr, (double)s->x, (double)s->y, half, r);
  paint_source(p->cr, c, 1);
  cairo_fill(p->cr);
  paint_source(p->cr, vw_palette_ink(p->theme, c), 1);
  paint_text(p->painter, p->cr, p->theme, VW_ROLE_LEGEND, (double)s->x - w / 2, (double)s->y, 0,
             number);
}

void paint_path(struct paint *p)
{
  const struct vw_plan *plan = p->plan;
  cairo_save(p->cr);
  cairo_rectangle(p->cr, (double)plan->gutter, (double)plan->ruler, plan->view.width,
                  plan->view.height);
  cairo_clip(p->cr);
  cairo_set_line_width(p->cr, 1.6);
  cairo_set_line_join(p->cr, CAIRO_LINE_JOIN_ROUND);
  paint_source(p->cr, vw_palette_mark(p->theme, VW_MARK_PANIC), 1);
  for (size_t i = 0; i < plan->n_path; i++) {
    const struct vw_path_step *s = &plan->path[i];
    bool begins = s->number == 0 && i + 1 < plan->n_path && plan->path[i + 1].number == 0;
    if (begins)
      cairo_move_to(p->cr, (double)s->x, (double)s->y);
    else
      cairo_line_to(p->cr, (double)s->x, (double)s->y);
  }
  cairo_stroke(p->cr);
  for (size_t i = 0; i < plan->n_path; i++)
    if (plan->path[i].number)
      disc(p, &plan->path[i]);
  cairo_restore(p->cr);
}

void paint_discs_at(struct paint *p, double x)
{
  for (size_t i = 0; i < p->plan->n_path; i++) {
    const struct vw_path_step *s = &p->plan->path[i];
    char number[32];
    disc_text(s, number, sizeof number);
    if (s->number && fabs((double)s->x - x) <= disc_half(p, number) + DISC_R * p->font + 2)
      disc(p, s);
  }
}
