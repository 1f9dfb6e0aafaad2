/* SPDX-License-Identifier: MIT */
/* render-out.c - painted plans as PNG, SVG or PDF.
 *
 * Cairo writes the words of an SVG as outlines, which look the same everywhere but can be neither searched nor
 * read aloud.  So the words are put into the file a second time, as its <title> and <desc>.
 */
#include "render-out.h"

#include <cairo-pdf.h>
#include <cairo-svg.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

struct bytes {
  char *data;
  size_t n, cap;
  bool failed;
};

static void add(struct bytes *b, const void *data, size_t n)
{
  if (b->failed || n == 0)
    return;
  if (b->n + n > b->cap) {
    size_t cap = (b->n + n) * 2;
    char *bigger = realloc(b->data, cap);
    if (!bigger) {
      b->failed = true;
      return;
    }
    b->data = bigger;
    b->cap = cap;
  }
  memcpy(b->data + b->n, data, n);
  b->n += n;
}

static cairo_status_t add_from_cairo(void *arg, const unsigned char *data, unsigned n)
{
  struct bytes *b = arg;
  add(b, data, n);
  return b->failed ? CAIRO_STATUS_NO_MEMORY : CAIRO_STATUS_SUCCESS;
}

enum render_format render_format_of(const char *path)
{
  static const struct {
    const char *ending;
    enum render_format format;
  } formats[] = { { ".png", RENDER_PNG }, { ".svg", RENDER_SVG }, { ".pdf", RENDER_PDF } };
  size_t n = strlen(path);
  for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
    if (n > 4 && strcasecmp(path + n - 4, formats[i].ending) == 0)
      return formats[i].format;
  return RENDER_NONE;
}

static cairo_surface_t *surface_new(struct bytes *out, enum render_format format, int width,
                                    int height)
{
  if (format == RENDER_SVG)
    return cairo_svg_surface_create_for_stream(add_from_cairo, out, width, height);
  if (format == RENDER_PDF)
    return cairo_pdf_surface_create_for_stream(add_from_cairo, out, width, height);
  return cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height);
}

/* ---- the words of an SVG ---- */
static void add_escaped(struct bytes *b, const char *text)
{
  for (; *text; text++) {
    const char *entity = *text == '&'   ? "&amp;"
                         : *text == '<' ? "&lt;"
                         : *text == '>' ? "&gt;"
                                        : NULL;
    add(b, entity ? entity : text, entity ? strlen(entity) : 1);
  }
}

static void add_words(struct bytes *b, const struct render_picture *picture)
{
  const struct vw_plan *plan = picture->plan;
  for (size_t i = 0; i < plan->n_labels; i++) {
    add_escaped(b, plan->texts + plan->labels[i].text);
    add(b, "\n", 1);
  }
  if (plan->note != UINT32_MAX)
    add_escaped(b, plan->texts + plan->note);
}

static void add_title_and_words(struct bytes *b, const struct render_picture *pictures, size_t n)
{
  add(b, "\n<title>", 8);
  for (size_t i = 0; i < n; i++) {
    char title[200];
    const char *raw = pictures[i].heading ? pictures[i].heading : vw_trace_title(pictures[i].trace);
    vw_display_text(raw, strlen(raw), title, sizeof title);
    add(b, "; ", i > 0 ? 2 : 0);
    add_escaped(b, title);
  }
  add(b, "</title>\n<desc>", 15);
  for (size_t i = 0; i < n; i++) {
    add(b, "\n", i > 0);
    add_words(b, &pictures[i]);
  }
  add(b, "</desc>", 7);
}

static void put_words_into(struct bytes *svg, const struct render_picture *pictures, size_t n)
{
  const char *root = svg->failed ? NULL : memmem(svg->data, svg->n, "<svg", 4);
  const char *end = root ? memchr(root, '>', svg->n - (size_t)(root - svg->data)) : NULL;
  if (!end)
    return;
  struct bytes whole = { 0 };
  size_t head = (size_t)(end + 1 - svg->data);
  add(&whole, svg->data, head);
  add_title_and_words(&whole, pictures, n);
  add(&whole, svg->data + head, svg->n - head);
  free(svg->data);
  *svg = whole;
}

/* ---- the file ---- */
static int write_all(int fd, const struct bytes *b)
{
  for (size_t done = 0; done < b->n;) {
    ssize_t n = write(fd, b->data + done, b->n - done);
    if (n < 0 && errno != EINTR)
      return errno;
    done += n > 0 ? (size_t)n : 0;
  }
  return 0;
}

static int save(const char *path, const struct bytes *b)
{
  char *part = malloc(strlen(path) + 8);
  if (!part)
    return ENOMEM;
  sprintf(part, "%s.XXXXXX", path);
  int fd = mkostemp(part, O_CLOEXEC), failure = fd < 0 ? errno : 0;
  if (failure)
    goto undo_name;
  mode_t mask = umask(0);
  umask(mask);
  failure = write_all(fd, b);
  if (fchmod(fd, 0666 & ~mask) != 0 && !failure)
    failure = errno;
  if (close(fd) != 0 && !failure)
    failure = errno;
  if (!failure && rename(part, path) != 0)
    failure = errno;
  if (failure)
    unlink(part);
undo_name:
  free(part);
  return failure;
}

int render_heading_height(const struct vw_theme *theme)
{
  return (int)(30 * (theme->font_scale > 0 ? theme->font_scale : 1));
}

static int height_of(const struct render_picture *picture, const struct vw_theme *theme)
{
  return picture->plan->view.height + (picture->heading ? render_heading_height(theme) : 0);
}

/* At the top left of what cr is translated to. */
static void paint_picture(struct vw_painter *painter, cairo_t *cr,
                          const struct render_picture *picture, const struct vw_theme *theme)
{
  const struct vw_plan *plan = picture->plan;
  cairo_save(cr);
  cairo_rectangle(cr, 0, 0, plan->view.width, height_of(picture, theme));
  cairo_clip(cr);
  if (picture->heading) {
    int height = render_heading_height(theme);
    vw_paint_heading(painter, cr, plan->view.width, height, picture->heading, theme);
    cairo_translate(cr, 0, height);
  }
  vw_paint_plan(painter, cr, plan, picture->trace, theme);
  if (plan->view.event_no != VW_NONE)
    vw_paint_cursor(painter, cr, plan, picture->trace, theme, plan->view.event_no, NULL);
  cairo_restore(cr);
}

int render_write(const char *path, enum render_format format, const struct render_picture *pictures,
                 size_t n, const struct vw_theme *theme)
{
  struct bytes out = { 0 };
  struct vw_painter *painter = vw_painter_new();
  int height = 0;
  if (!painter)
    return ENOMEM;
  for (size_t i = 0; i < n; i++)
    height += height_of(&pictures[i], theme);
  cairo_surface_t *surface = surface_new(&out, format, pictures[0].plan->view.width, height);
  cairo_t *cr = cairo_create(surface);
  for (size_t i = 0; i < n; i++) {
    paint_picture(painter, cr, &pictures[i], theme);
    cairo_translate(cr, 0, height_of(&pictures[i], theme));
  }
  cairo_status_t status = cairo_status(cr);
  cairo_destroy(cr);
  if (format == RENDER_PNG && status == CAIRO_STATUS_SUCCESS)
    status = cairo_surface_write_to_png_stream(surface, add_from_cairo, &out);
  cairo_surface_finish(surface);
  if (status == CAIRO_STATUS_SUCCESS)
    status = cairo_surface_status(surface);
  cairo_surface_destroy(surface);
  vw_painter_free(painter);
  if (format == RENDER_SVG)
    put_words_into(&out, pictures, n);
  int failure = status != CAIRO_STATUS_SUCCESS || out.failed ? ENOMEM : save(path, &out);
  free(out.data);
  return failure;
}
