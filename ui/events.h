/* SPDX-License-Identifier: MIT */
/* events.h - the list of events with its search entry. */
#pragma once
#include "session.h"

#include <gtk/gtk.h>

#define UI_TYPE_EVENTS (ui_events_get_type())
G_DECLARE_FINAL_TYPE(UiEvents, ui_events, UI, EVENTS, GtkBox)

GtkWidget *ui_events_new(UiSession *session);
/* Puts the keyboard into the search entry. */
void ui_events_search(UiEvents *events);
/* Empties the search. False: it was empty. */
bool ui_events_clear_search(UiEvents *events);
