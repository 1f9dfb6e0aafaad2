/* SPDX-License-Identifier: MIT */
/* timeline.h - the lanes: one widget for all of them, with its own adjustments. */
#pragma once
#include "session.h"

#include <gtk/gtk.h>

#define UI_TYPE_TIMELINE (ui_timeline_get_type())
G_DECLARE_FINAL_TYPE(UiTimeline, ui_timeline, UI, TIMELINE, GtkWidget)

GtkWidget *ui_timeline_new(UiSession *session);
/* For scrollbars; borrowed. The horizontal one counts ns since the trace's first event. */
GtkAdjustment *ui_timeline_hadjustment(UiTimeline *timeline);
GtkAdjustment *ui_timeline_vadjustment(UiTimeline *timeline);
/* Where keys zoom: at what moved last, the pointer or the cursor, else in the middle. */
int64_t ui_timeline_anchor(UiTimeline *timeline);
void ui_timeline_scroll_lanes(UiTimeline *timeline, int direction);
/* What the picture had no room for, as a sentence; "" if nothing. Ask after the signal "planned". */
void ui_timeline_left_out(UiTimeline *timeline, char *out, size_t n);
/* A drag pans and Shift with a drag marks; else a drag marks. */
void ui_timeline_set_drag_pans(UiTimeline *timeline, bool drag_pans);
/* What the last frame cost, in us: making the plan, painting it. */
void ui_timeline_cost(UiTimeline *timeline, int64_t *plan_us, int64_t *paint_us);
