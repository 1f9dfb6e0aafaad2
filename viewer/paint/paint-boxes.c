/* SPDX-License-Identifier: MIT */
/* paint-boxes.c - very narrow boxes, straight into the pixels.
 *
 * A crowded picture holds tens of thousands of boxes one pixel wide.  Cairo takes 1 to 2 us for each whatever its
 * size; writing the pixels takes a twentieth of that.  So where the target is an image in memory, drawn to without
 * scaling, boxes of whole pixels are written here; everywhere else (SVG, recordings, HiDPI) cairo does it.
 */
#include "paint-private.h"

#include <math.h>

/* The image behind cr, if boxes can be written straight into it; x and y shift, and its clip, in pixels. */
bool paint_canvas_begin(struct paint_canvas *canvas, cairo_t *cr)
{
  cairo_surface_t *s = cairo_get_group_target(cr);
  cairo_matrix_t m;
  double sx, sy, dx, dy;
  if (cairo_surface_get_type(s) != CAIRO_SURFACE_TYPE_IMAGE)
    return false;
  cairo_format_t format = cairo_image_surface_get_format(s);
  cairo_get_matrix(cr, &m);
  cairo_surface_get_device_scale(s, &sx, &sy);
  cairo_surface_get_device_offset(s, &dx, &dy);
  double x = m.x0 + dx, y = m.y0 + dy;
  bool plain = m.xx == 1 && m.yy == 1 && m.xy == 0 && m.yx == 0 && sx == 1 && sy == 1 &&
               x == floor(x) && y == floor(y) && fabs(x) < 1e6 && fabs(y) < 1e6;
  if (!plain || (format != CAIRO_FORMAT_RGB24 && format != CAIRO_FORMAT_ARGB32))
    return false;
  cairo_rectangle_list_t *clip = cairo_copy_clip_rectangle_list(cr);
  bool one = clip->status == CAIRO_STATUS_SUCCESS && clip->num_rectangles == 1;
  cairo_rectangle_t r = one ? clip->rectangles[0] : (cairo_rectangle_t){ 0, 0, 0, 0 };
  cairo_rectangle_list_destroy(clip);
  if (!one)
    return false;
  cairo_surface_flush(s);
  *canvas = (struct paint_canvas){ .surface = s,
                                   .data = cairo_image_surface_get_data(s),
                                   .stride = cairo_image_surface_get_stride(s),
                                   .x = (int)x,
                                   .y = (int)y };
  int w = cairo_image_surface_get_width(s), h = cairo_image_surface_get_height(s);
  double x0 = ceil(r.x + x), y0 = ceil(r.y + y), x1 = floor(r.x + r.width + x),
         y1 = floor(r.y + r.height + y);
  canvas->x0 = x0 > 0 ? (int)fmin(x0, w) : 0;
  canvas->y0 = y0 > 0 ? (int)fmin(y0, h) : 0;
  canvas->x1 = x1 < w ? (int)fmax(x1, 0) : w;
  canvas->y1 = y1 < h ? (int)fmax(y1, 0) : h;
  return canvas->data != NULL;
}

static int clamped(double v, int least, int most)
{
  return v < least ? least : v > most ? most : (int)v;
}

void paint_canvas_box(const struct paint_canvas *canvas, uint32_t pixel, double x, double y,
                      double w, double h)
{
  int x0 = clamped(x + canvas->x, canvas->x0, canvas->x1),
      x1 = clamped(x + w + canvas->x, canvas->x0, canvas->x1);
  int y0 = clamped(y + canvas->y, canvas->y0, canvas->y1),
      y1 = clamped(y + h + canvas->y, canvas->y0, canvas->y1);
  for (int row = y0; row < y1; row++) {
    uint32_t *pixels = (uint32_t *)(void *)(canvas->data + (ptrdiff_t)row * canvas->stride);
    for (int column = x0; column < x1; column++)
      pixels[column] = pixel;
  }
}

void paint_canvas_end(const struct paint_canvas *canvas)
{
  cairo_surface_mark_dirty(canvas->surface);
}
