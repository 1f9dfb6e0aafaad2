/* SPDX-License-Identifier: MIT */
/* query.h - a query typed in the window, and the rows that answer it. */
#pragma once
#include "session.h"

#include <gtk/gtk.h>

#define UI_TYPE_QUERY (ui_query_get_type())
G_DECLARE_FINAL_TYPE(UiQuery, ui_query, UI, QUERY, GtkBox)

GtkWidget *ui_query_new(UiSession *session);
/* The file to ask, once its trace is shown. */
void ui_query_set_path(UiQuery *query, const char *path);
/* To the entry; what it answered before is still there, and at first it tells the tables. */
void ui_query_focus(UiQuery *query);
/* Ends a query that is at work. False: there is none. */
gboolean ui_query_stop(UiQuery *query);
