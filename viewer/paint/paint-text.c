/* SPDX-License-Identifier: MIT */
/* paint-text.c - words, laid out once and kept.
 *
 * Laying out a word costs some 30 us, showing a laid-out one a few: so layouts live in a small table between
 * frames, and the word that comes to a full place takes it.  Texts are never Pango markup.  The
 * context reads from left to right whatever a text says, so a foreign name cannot move its neighbours.
 */
#include "paint-private.h"

#include <string.h>

static uint64_t hash_of(const char *text, int role, int max_w, double font)
{
  uint64_t h = 1469598103934665603u ^ (uint64_t)role ^ (uint64_t)(uint32_t)max_w << 8 ^
               (uint64_t)(font * 4096) << 40;
  for (; *text; text++)
    h = (h ^ (unsigned char)*text) * 1099511628211u;
  return h ^ h >> 29;
}

static void set_font(PangoLayout *layout, enum vw_role role, double font)
{
  PangoFontDescription *d = pango_font_description_new();
  pango_font_description_set_family(d, "Inter, Cantarell, Noto Sans, DejaVu Sans, sans-serif");
  pango_font_description_set_absolute_size(d, vw_role_size(role) * font * PANGO_SCALE);
  if (role == VW_ROLE_TITLE)
    pango_font_description_set_weight(d, PANGO_WEIGHT_BOLD);
  pango_layout_set_font_description(layout, d);
  pango_font_description_free(d);
}

static void forget(struct paint_word *w)
{
  if (w->layout)
    g_object_unref(w->layout);
  g_free(w->text);
  *w = (struct paint_word){ 0 };
}

static struct paint_word *word(struct vw_painter *painter, const char *text, enum vw_role role,
                               double max_w, double font)
{
  int limit = max_w > 0 ? (int)(max_w * PANGO_SCALE) : -1;
  uint64_t hash = hash_of(text, (int)role, limit, font);
  struct paint_word *w = &painter->words[hash % PAINT_WORDS];
  if (w->text && w->hash == hash && w->role == (int)role && w->max_w == limit && w->font == font &&
      strcmp(w->text, text) == 0)
    return w;
  forget(w);
  w->layout = pango_layout_new(painter->context);
  pango_layout_set_auto_dir(w->layout, FALSE);
  pango_layout_set_single_paragraph_mode(w->layout, TRUE);
  set_font(w->layout, role, font);
  pango_layout_set_text(w->layout, text, -1);
  if (limit >= 0) {
    pango_layout_set_width(w->layout, limit);
    pango_layout_set_ellipsize(w->layout, PANGO_ELLIPSIZE_END);
  }
  pango_layout_get_pixel_size(w->layout, &w->w, &w->h);
  w->text = g_strdup(text);
  w->hash = hash;
  w->role = (int)role;
  w->max_w = limit;
  w->font = font;
  return w;
}

static double scale_of(const struct vw_theme *theme)
{
  return theme->font_scale > 0 ? theme->font_scale : 1;
}

double paint_text(struct vw_painter *painter, cairo_t *cr, const struct vw_theme *theme,
                  enum vw_role role, double x, double y, double max_w, const char *text)
{
  struct paint_word *w = word(painter, text, role, max_w, scale_of(theme));
  cairo_move_to(cr, (double)(int)(x + 0.5), (double)(int)(y - w->h / 2.0 + 0.5));
  pango_cairo_show_layout(cr, w->layout);
  cairo_new_path(cr);
  return w->w;
}

double paint_text_width(struct vw_painter *painter, const struct vw_theme *theme, enum vw_role role,
                        double max_w, const char *text)
{
  return word(painter, text, role, max_w, scale_of(theme))->w;
}

void paint_text_clear(struct vw_painter *painter)
{
  for (size_t i = 0; i < PAINT_WORDS; i++)
    forget(&painter->words[i]);
}
