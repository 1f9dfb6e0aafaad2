/* SPDX-License-Identifier: MIT */
/* palette.h - every action by its name: the command palette. */
#pragma once
#include <gtk/gtk.h>

#define UI_TYPE_PALETTE (ui_palette_get_type())
G_DECLARE_FINAL_TYPE(UiPalette, ui_palette, UI, PALETTE, GtkBox)

/* Hidden at first. Lay it over a window's content. */
GtkWidget *ui_palette_new(void);
void ui_palette_open(UiPalette *palette);
void ui_palette_close(UiPalette *palette);
