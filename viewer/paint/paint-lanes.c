/* SPDX-License-Identifier: MIT */
/* paint-lanes.c - ground, ruler, gutter, rectangles with their patterns, and the words on them.
 *
 * Rectangles are sorted by colour and filled a colour at a time: one path and one fill for thousands of boxes is
 * what cairo does best in software.  Boxes lie on whole pixels and are not antialiased.
 *
 * What a state looks like without colour: running is a full box; a system call is hatched; spinning is dotted;
 * runnable has thin uprights; a stopped P is crossed; lost events are a net; waiting is a bar, netpoll a double
 * line, parked a line, idle a dotted line, handed over a thick dashed one, sysmon a dashed one; scheduling is a low box.
 */
#include "paint-private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- what a state looks like ---- */
struct look {
  double thick[2];    /* px of up to two bars in the middle; 0, 0: the whole box */
  double dash;        /* px of line before a gap of 4; 0: one line */
  double part;        /* of the box's height, when whole */
  uint8_t pattern[8]; /* rows of bits, over the colour */
};

/* clang-format off */
static const struct look looks[VW_STATES] = {
  [VW_STATE_RUNNING]  = { .part = 1 },
  [VW_STATE_SYSCALL]  = { .part = 1, .pattern = { 0x11, 0x22, 0x44, 0x88, 0x11, 0x22, 0x44, 0x88 } },
  [VW_STATE_SCHED]    = { .part = 0.5 },
  [VW_STATE_SPINNING] = { .part = 1, .pattern = { 0x00, 0x22, 0x00, 0x00, 0x00, 0x88, 0x00, 0x00 } },
  [VW_STATE_POLLING]  = { .thick = { 2, 3 } },
  [VW_STATE_PARKED]   = { .thick = { 2, 0 } },
  [VW_STATE_SYSMON]   = { .thick = { 2, 0 }, .dash = 10 },
  [VW_STATE_RUNNABLE] = { .part = 1, .pattern = { 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80 } },
  [VW_STATE_WAITING]  = { .thick = { 5, 0 } },
  [VW_STATE_IDLE]     = { .thick = { 2, 0 }, .dash = 2 },
  [VW_STATE_HANDED]   = { .thick = { 4, 0 }, .dash = 6 },
  [VW_STATE_GCSTOP]   = { .part = 1, .pattern = { 0x81, 0x42, 0x24, 0x18, 0x18, 0x24, 0x42, 0x81 } },
  [VW_STATE_CALL]     = { .part = 1 },
  [VW_STATE_PANIC]    = { .part = 1, .pattern = { 0x88, 0x44, 0x22, 0x11, 0x88, 0x44, 0x22, 0x11 } },
  [VW_STATE_REGION]   = { .part = 1 },
  [VW_STATE_LOST]     = { .part = 1, .pattern = { 0xff, 0x11, 0x11, 0x11, 0xff, 0x11, 0x11, 0x11 } },
};
/* clang-format on */

static bool is_line(enum vw_state state)
{
  return looks[state].thick[0] > 0;
}

static struct vw_rgb rect_colour(const struct paint *p, const struct vw_rect *r)
{
  struct vw_rgb c = vw_palette_state(p->theme, (enum vw_state)r->state);
  if (r->g && r->state == VW_STATE_RUNNING)
    c = vw_palette_g(p->theme, r->g);
  return r->dimmed ? vw_palette_faded(p->theme, c) : c;
}

static void put_box(cairo_t *cr, const struct paint_canvas *canvas, uint32_t pixel, double x,
                    double y, double w, double h)
{
  if (canvas)
    paint_canvas_box(canvas, pixel, x, y, w, h);
  else
    cairo_rectangle(cr, x, y, w, h);
}

/* A state's boxes: written to the canvas, or without one added to the path. Spans with room leave a pixel of
 * ground behind them. */
static void put_boxes(cairo_t *cr, const struct paint_canvas *canvas, uint32_t pixel,
                      enum vw_state state, double x, double y, double w, double h)
{
  const struct look *look = &looks[state];
  w = w >= 4 ? w - 1 : w;
  if (!is_line(state)) {
    double inset = floor(h * (1 - look->part) / 2);
    put_box(cr, canvas, pixel, x, y + inset, w, h - 2 * inset);
    return;
  }
  double middle = y + floor(h / 2), thick = look->thick[0];
  if (look->thick[1] > 0) { /* two lines, so far apart */
    put_box(cr, canvas, pixel, x, middle - 3, w, thick);
    put_box(cr, canvas, pixel, x, middle - 3 + look->thick[1] + thick - 1, w, thick);
    return;
  }
  if (look->dash == 0) {
    put_box(cr, canvas, pixel, x, middle - floor(thick / 2), w, thick);
    return;
  }
  double step = look->dash + 4, first = floor(x / step); /* at fixed places: calm panning */
  for (int i = 0; (first + i) * step < x + w; i++) {
    double at = (first + i) * step;
    double from = at < x ? x : at, to = at + look->dash < x + w ? at + look->dash : x + w;
    if (to > from)
      put_box(cr, canvas, pixel, from, middle - floor(thick / 2), to - from, thick);
  }
}

static uint32_t pixel_of(struct vw_rgb c)
{
  return 0xff000000u | (uint32_t)(c.r * 255 + 0.5f) << 16 | (uint32_t)(c.g * 255 + 0.5f) << 8 |
         (uint32_t)(c.b * 255 + 0.5f);
}

static bool has_pattern(enum vw_state state)
{
  static const uint8_t none[8];
  return memcmp(looks[state].pattern, none, sizeof none) != 0;
}

static cairo_pattern_t *pattern_of(struct vw_painter *painter, enum vw_state state)
{
  if (painter->patterns[state])
    return painter->patterns[state];
  cairo_surface_t *s = cairo_image_surface_create(CAIRO_FORMAT_A8, 8, 8);
  cairo_surface_flush(s);
  unsigned char *data = cairo_image_surface_get_data(s);
  int stride = cairo_image_surface_get_stride(s);
  for (int y = 0; data && y < 8; y++)
    for (int x = 0; x < 8; x++)
      data[y * stride + x] = looks[state].pattern[y] >> (7 - x) & 1 ? 255 : 0;
  cairo_surface_mark_dirty(s);
  cairo_pattern_t *pattern = cairo_pattern_create_for_surface(s);
  cairo_pattern_set_extend(pattern, CAIRO_EXTEND_REPEAT);
  cairo_pattern_set_filter(pattern, CAIRO_FILTER_NEAREST);
  cairo_surface_destroy(s);
  return painter->patterns[state] = pattern;
}

void paint_patterns_clear(struct vw_painter *painter)
{
  for (unsigned i = 0; i < VW_STATES; i++)
    if (painter->patterns[i])
      cairo_pattern_destroy(painter->patterns[i]);
}

/* Fills the path with a colour and the state's pattern over it. */
static void fill(struct paint *p, enum vw_state state, struct vw_rgb c)
{
  paint_source(p->cr, c, 1);
  if (!has_pattern(state)) {
    cairo_fill(p->cr);
    return;
  }
  cairo_fill_preserve(p->cr);
  cairo_save(p->cr);
  cairo_clip(p->cr);
  paint_source(p->cr, vw_palette_ink(p->theme, c), state == VW_STATE_SPINNING ? 0.42 : 0.14);
  cairo_mask(p->cr, pattern_of(p->painter, state));
  cairo_restore(p->cr);
}

void paint_state_swatch(struct paint *p, enum vw_state state, double x, double y, double w,
                        double h)
{
  cairo_set_antialias(p->cr, CAIRO_ANTIALIAS_NONE);
  if (state == VW_STATE_RUNNING) {
    for (uint32_t i = 0; i < 3; i++) {
      cairo_rectangle(p->cr, x + floor(w * i / 3), y, floor(w / 3) - 1, h);
      paint_source(p->cr, vw_palette_g(p->theme, i + 1), 1);
      cairo_fill(p->cr);
    }
  } else {
    put_boxes(p->cr, NULL, 0, state, x, y, w, h);
    fill(p, state, vw_palette_state(p->theme, state));
  }
  cairo_set_antialias(p->cr, CAIRO_ANTIALIAS_DEFAULT);
}

/* ---- rectangles, by colour ---- */
enum {
  HUES = 24,
  KEYS = 2 * (VW_STATES + HUES)
};

static unsigned key_of(const struct vw_rect *r)
{
  unsigned key = r->state < VW_STATES ? r->state : 0;
  if (r->g && r->state == VW_STATE_RUNNING)
    key = VW_STATES + (r->g - 1) % HUES;
  return key * 2 + (r->dimmed ? 1 : 0);
}

static bool sort_by_colour(struct paint *p, size_t from, size_t n, size_t start[KEYS + 1])
{
  if (n > p->painter->order_cap) {
    uint32_t *bigger = realloc(p->painter->order, n * sizeof *bigger);
    if (!bigger)
      return false;
    p->painter->order = bigger;
    p->painter->order_cap = n;
  }
  size_t at[KEYS + 1] = { 0 };
  for (size_t i = from; i < from + n; i++)
    at[key_of(&p->plan->rects[i]) + 1]++;
  for (unsigned k = 0; k < KEYS; k++)
    at[k + 1] += at[k];
  memcpy(start, at, sizeof at);
  for (size_t i = from; i < from + n; i++)
    p->painter->order[at[key_of(&p->plan->rects[i])]++] = (uint32_t)i;
  return true;
}

/* One colour: the narrow ones fast, the others, which may have a pattern, in one path. */
static void paint_colour(struct paint *p, const struct paint_canvas *canvas, size_t from, size_t to)
{
  const uint32_t *order = p->painter->order;
  const struct vw_rect *first = &p->plan->rects[order[from]];
  enum vw_state state = first->state < VW_STATES ? (enum vw_state)first->state : VW_STATE_NONE;
  struct vw_rgb colour = rect_colour(p, first);
  uint32_t pixel = pixel_of(colour);
  bool patterned = has_pattern(state);
  for (size_t i = from; i < to; i++) {
    const struct vw_rect *r = &p->plan->rects[order[i]];
    const struct paint_canvas *target = canvas && (!patterned || r->w < 4) ? canvas : NULL;
    put_boxes(p->cr, target, pixel, state, (double)r->x, (double)r->y, (double)r->w, (double)r->h);
  }
  if (canvas)
    paint_canvas_end(canvas);
  fill(p, state, colour);
}

static void paint_group(struct paint *p, size_t from, size_t n)
{
  size_t start[KEYS + 1];
  struct paint_canvas canvas;
  if (n == 0 || !sort_by_colour(p, from, n, start))
    return;
  for (unsigned k = 0; k < KEYS; k++)
    if (start[k] < start[k + 1])
      paint_colour(p, paint_canvas_begin(&canvas, p->cr) ? &canvas : NULL, start[k], start[k + 1]);
}

static void outline_selected(struct paint *p)
{
  paint_source(p->cr, paint_chrome(p->theme, PAINT_TEXT), 1);
  cairo_set_line_width(p->cr, 1);
  for (size_t i = 0; i < p->plan->n_rects; i++) {
    const struct vw_rect *r = &p->plan->rects[i];
    if (r->selected && !r->is_overlay && r->w >= 5 && !is_line((enum vw_state)r->state))
      cairo_rectangle(p->cr, (double)r->x + 0.5, (double)r->y + 0.5, (double)r->w - 2,
                      (double)r->h - 1);
  }
  cairo_stroke(p->cr);
}

void paint_rects(struct paint *p)
{
  size_t spans = 0;
  while (spans < p->plan->n_rects && !p->plan->rects[spans].is_overlay)
    spans++;
  cairo_set_antialias(p->cr, CAIRO_ANTIALIAS_NONE);
  paint_group(p, 0, spans);
  paint_group(p, spans, p->plan->n_rects - spans);
  outline_selected(p);
  cairo_set_antialias(p->cr, CAIRO_ANTIALIAS_DEFAULT);
}

/* ---- ground ---- */
static void box(struct paint *p, enum paint_chrome c, double x, double y, double w, double h)
{
  paint_source(p->cr, paint_chrome(p->theme, c), 1);
  cairo_rectangle(p->cr, x, y, w, h);
  cairo_fill(p->cr);
}

void paint_ground(struct paint *p)
{
  const struct vw_plan *plan = p->plan;
  cairo_set_antialias(p->cr, CAIRO_ANTIALIAS_NONE);
  box(p, PAINT_GROUND, 0, 0, plan->view.width, plan->view.height);
  for (size_t i = 0; i < plan->n_bands; i++)
    if (plan->bands[i].lane % 2)
      box(p, PAINT_STRIPE, 0, (double)plan->bands[i].y, plan->view.width, (double)plan->bands[i].h);
  for (size_t i = 0; i < plan->n_ticks; i++)
    if (plan->ticks[i].text != UINT32_MAX)
      box(p, PAINT_GRID, floor((double)plan->ticks[i].x), (double)plan->ruler, 1,
          plan->view.height);
  cairo_set_antialias(p->cr, CAIRO_ANTIALIAS_DEFAULT);
}

static void paint_labels_of(struct paint *p, enum vw_role role, enum paint_chrome c)
{
  for (size_t i = 0; i < p->plan->n_labels; i++) {
    const struct vw_label *l = &p->plan->labels[i];
    if (l->role != role)
      continue;
    paint_source(p->cr, paint_chrome(p->theme, c), 1);
    paint_text(p->painter, p->cr, p->theme, role, (double)l->x, (double)l->y, (double)l->max_w,
               p->plan->texts + l->text);
  }
}

void paint_gutter(struct paint *p)
{
  const struct vw_plan *plan = p->plan;
  double gutter = (double)plan->gutter;
  cairo_set_antialias(p->cr, CAIRO_ANTIALIAS_NONE);
  box(p, PAINT_GUTTER, 0, (double)plan->ruler, gutter, plan->view.height);
  for (size_t i = 0; i < plan->n_bands; i++)
    box(p, PAINT_GRID, 0, (double)plan->bands[i].y + (double)plan->bands[i].h - 1, plan->view.width,
        1);
  box(p, PAINT_LINE, gutter - 1, (double)plan->ruler, 1, plan->view.height);
  cairo_set_antialias(p->cr, CAIRO_ANTIALIAS_DEFAULT);
  paint_labels_of(p, VW_ROLE_TITLE, PAINT_TEXT);
  paint_labels_of(p, VW_ROLE_SUBTITLE, PAINT_MUTED);
}

void paint_ruler(struct paint *p)
{
  const struct vw_plan *plan = p->plan;
  double h = (double)plan->ruler;
  cairo_set_antialias(p->cr, CAIRO_ANTIALIAS_NONE);
  box(p, PAINT_GUTTER, 0, 0, plan->view.width, h);
  box(p, PAINT_LINE, 0, h - 1, plan->view.width, 1);
  for (size_t i = 0; i < plan->n_ticks; i++) {
    bool major = plan->ticks[i].text != UINT32_MAX;
    box(p, PAINT_LINE, floor((double)plan->ticks[i].x), major ? h - 12 : h - 5, 1, major ? 12 : 5);
  }
  cairo_set_antialias(p->cr, CAIRO_ANTIALIAS_DEFAULT);
  paint_source(p->cr, paint_chrome(p->theme, PAINT_MUTED), 1);
  for (size_t i = 0; i < plan->n_ticks; i++)
    if (plan->ticks[i].text != UINT32_MAX && plan->texts[plan->ticks[i].text])
      paint_text(p->painter, p->cr, p->theme, VW_ROLE_TICK, (double)plan->ticks[i].x + VW_TICK_GAP,
                 h / 2 - 2, 0, plan->texts + plan->ticks[i].text);
  paint_labels_of(p, VW_ROLE_NOTE, PAINT_MUTED);
}

/* ---- words on spans ---- */
/* On a thin line, or on the ground, a word stands on a plate, so that nothing strikes it through. */
static void plate(struct paint *p, const struct vw_label *l, const char *text, double left,
                  double h, double alpha)
{
  double w = paint_text_width(p->painter, p->theme, (enum vw_role)l->role, (double)l->max_w, text);
  paint_source(p->cr, paint_chrome(p->theme, PAINT_GROUND), alpha);
  left = floor((double)l->x) - left;
  cairo_rectangle(p->cr, left, floor((double)l->y - h / 2), (double)l->x + ceil(w) + 5 - left, h);
  cairo_fill(p->cr);
}

/* On a box a word stands on the box's own colour: arrows and patterns pass behind it. */
static void box_plate(struct paint *p, const struct vw_label *l, const struct vw_rect *r,
                      struct vw_rgb colour, const char *text)
{
  double w = paint_text_width(p->painter, p->theme, VW_ROLE_SPAN, (double)l->max_w, text);
  double whole = (double)r->h - 2 * floor((double)r->h * (1 - looks[r->state].part) / 2);
  double h = floor(fmin(14 * p->font, whole - 2)), left = floor((double)l->x) - 3;
  double right = fmin(left + ceil(w) + 6, (double)r->x + (double)r->w - 2);
  paint_source(p->cr, colour, 0.85);
  cairo_rectangle(p->cr, left, floor((double)l->y - h / 2), right - left, h);
  cairo_fill(p->cr);
}

static void span_word(struct paint *p, const struct vw_label *l)
{
  const struct vw_rect *r = &p->plan->rects[l->rect];
  const char *text = p->plan->texts + l->text;
  if (is_line((enum vw_state)r->state)) {
    plate(p, l, text, (double)(l->x - r->x), 14 * p->font, 1);
    struct vw_rgb ground = paint_chrome(p->theme, PAINT_GROUND);
    paint_source(p->cr,
                 l->dimmed ? vw_palette_faded_ink(p->theme, ground)
                           : paint_chrome(p->theme, PAINT_MUTED),
                 1);
  } else {
    struct vw_rgb on = rect_colour(p, r);
    box_plate(p, l, r, on, text);
    paint_source(p->cr,
                 l->dimmed ? vw_palette_faded_ink(p->theme, on) : vw_palette_ink(p->theme, on), 1);
  }
  paint_text(p->painter, p->cr, p->theme, VW_ROLE_SPAN, (double)l->x, (double)l->y,
             (double)l->max_w, text);
}

static void callout_word(struct paint *p, const struct vw_label *l)
{
  const char *text = p->plan->texts + l->text;
  struct vw_label at = *l;
  double spare = (double)l->max_w -
                 paint_text_width(p->painter, p->theme, VW_ROLE_CALLOUT, (double)l->max_w, text);
  if (l->to_right && spare > 0)
    at.x += (float)spare;
  plate(p, &at, text, 2, 15 * p->font, 1); /* a line of its own stairs may be behind it */
  paint_source(p->cr, paint_chrome(p->theme, PAINT_TEXT), 1);
  paint_text(p->painter, p->cr, p->theme, VW_ROLE_CALLOUT, (double)at.x, (double)at.y,
             (double)at.max_w, text);
}

void paint_labels(struct paint *p)
{
  for (size_t i = 0; i < p->plan->n_labels; i++) {
    const struct vw_label *l = &p->plan->labels[i];
    if (l->role == VW_ROLE_SPAN && l->rect != UINT32_MAX)
      span_word(p, l);
    if (l->role == VW_ROLE_CALLOUT)
      callout_word(p, l);
  }
}
