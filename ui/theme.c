/* SPDX-License-Identifier: MIT */
/* theme.c - where GTK's look meets the painter's (theme.h).
 *
 * Pictures are painted into image surfaces that live as long as their widget, in RGB24, and are given to GSK as one
 * cairo node with OPERATOR_SOURCE.  Measured on the software renderer this is the cheapest way by a factor of two
 * to five (against GSK nodes for rectangles, or a memory texture a frame, which copies and faults in 4 MB each time).
 */
#include "theme.h"

#include <math.h>
#include <string.h>

/* What a theme's name tells: GTK has its own two of high contrast under two names each, and a ":dark" of any. */
static void read_name(struct vw_theme *theme, const char *name)
{
  theme->high_contrast = g_str_has_prefix(name, "HighContrast") || strstr(name, "-hc");
  if (g_str_has_suffix(name, ":dark") || g_str_has_suffix(name, "-dark") ||
      g_str_has_prefix(name, "HighContrastInverse"))
    theme->dark = true;
}

struct vw_theme ui_theme_get(void)
{
  GtkSettings *settings = gtk_settings_get_default();
  struct vw_theme theme = { .font_scale = 1 };
  if (!settings)
    return theme;
  gboolean is_dark;
  int dpi;
  g_autofree char *name = NULL;
  g_object_get(settings, "gtk-application-prefer-dark-theme", &is_dark, "gtk-xft-dpi", &dpi,
               "gtk-theme-name", &name, NULL);
  const char *forced = g_getenv("GTK_THEME"); /* GTK obeys it and leaves the settings as they are */
  theme.dark = is_dark && !forced;
  if (forced || name)
    read_name(&theme, forced ? forced : name);
  if (dpi > 0)
    theme.font_scale = CLAMP(dpi / 1024.0 / 96.0, 0.5, 4);
  return theme;
}

void ui_theme_hex(struct vw_rgb colour, char out[8])
{
  g_snprintf(out, 8, "#%02x%02x%02x", (int)lrintf(colour.r * 255) & 255,
             (int)lrintf(colour.g * 255) & 255, (int)lrintf(colour.b * 255) & 255);
}

void ui_theme_watch(GtkWidget *widget, void (*changed)(GtkWidget *widget))
{
  static const char *const watched[] = { "notify::gtk-application-prefer-dark-theme",
                                         "notify::gtk-xft-dpi", "notify::gtk-theme-name" };
  GtkSettings *settings = gtk_settings_get_default();
  if (!settings)
    return;
  for (size_t i = 0; i < G_N_ELEMENTS(watched); i++)
    g_signal_connect_object(settings, watched[i], G_CALLBACK(changed), widget, G_CONNECT_SWAPPED);
}

cairo_t *ui_canvas_begin(cairo_surface_t **surface, GtkWidget *widget, int width, int height)
{
  const int scale = gtk_widget_get_scale_factor(widget);
  const bool fits = *surface && cairo_image_surface_get_width(*surface) == width * scale &&
                    cairo_image_surface_get_height(*surface) == height * scale;
  if (!fits) {
    g_clear_pointer(surface, cairo_surface_destroy);
    *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, width * scale, height * scale);
    cairo_surface_set_device_scale(*surface, scale, scale);
  }
  return cairo_create(*surface);
}

void ui_canvas_append(cairo_surface_t *surface, GtkSnapshot *snapshot, int width, int height)
{
  cairo_t *cr =
      gtk_snapshot_append_cairo(snapshot, &GRAPHENE_RECT_INIT(0, 0, (float)width, (float)height));
  cairo_set_source_surface(cr, surface, 0, 0);
  cairo_set_operator(cr, CAIRO_OPERATOR_SOURCE);
  cairo_paint(cr);
  cairo_destroy(cr);
}
