/* SPDX-License-Identifier: MIT */
/* minimap.h - the whole trace in a strip, with the visible range to drag. */
#pragma once
#include "session.h"

#include <gtk/gtk.h>

#define UI_TYPE_MINIMAP (ui_minimap_get_type())
G_DECLARE_FINAL_TYPE(UiMinimap, ui_minimap, UI, MINIMAP, GtkWidget)

GtkWidget *ui_minimap_new(UiSession *session);
