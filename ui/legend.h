/* SPDX-License-Identifier: MIT */
/* legend.h - what the colours, marks and arrows mean. */
#pragma once
#include "session.h"

#include <gtk/gtk.h>

#define UI_TYPE_LEGEND (ui_legend_get_type())
G_DECLARE_FINAL_TYPE(UiLegend, ui_legend, UI, LEGEND, GtkWidget)

GtkWidget *ui_legend_new(UiSession *session);
