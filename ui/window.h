/* SPDX-License-Identifier: MIT */
/* window.h - the main window: one trace. */
#pragma once
#include "session.h"
#include "timeline.h"

#include <gtk/gtk.h>

#define UI_TYPE_WINDOW (ui_window_get_type())
G_DECLARE_FINAL_TYPE(UiWindow, ui_window, UI, WINDOW, GtkApplicationWindow)

UiWindow *ui_window_new(GtkApplication *application);
/* Opens in a thread; the window shows progress, then the trace or what is wrong. */
void ui_window_open(UiWindow *window, GFile *file);
/* Called once, when the next open has ended, with whether it did well. For the benchmark. */
void ui_window_when_opened(UiWindow *window,
                           void (*opened)(UiWindow *window, bool is_open, gpointer data),
                           gpointer data);
UiSession *ui_window_session(UiWindow *window);
UiTimeline *ui_window_timeline(UiWindow *window);
