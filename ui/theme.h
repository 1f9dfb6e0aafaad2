/* SPDX-License-Identifier: MIT */
/* theme.h - GTK's settings as the painter's theme, and the surfaces that it paints on. */
#pragma once
#include "paint.h"

#include <gtk/gtk.h>

/* Light or dark as gtk-application-prefer-dark-theme says; contrast and font size likewise. */
struct vw_theme ui_theme_get(void);
/* "#rrggbb" of a palette colour, for markup. */
void ui_theme_hex(struct vw_rgb colour, char out[8]);
/* Calls changed(widget) whenever the theme changes, while the widget lives. */
void ui_theme_watch(GtkWidget *widget, void (*changed)(GtkWidget *widget));
/* An image surface of this size in widget pixels, at the widget's scale; reuses *surface if it fits. */
cairo_t *ui_canvas_begin(cairo_surface_t **surface, GtkWidget *widget, int width, int height);
/* Appends a surface to a snapshot as one opaque blit. */
void ui_canvas_append(cairo_surface_t *surface, GtkSnapshot *snapshot, int width, int height);
