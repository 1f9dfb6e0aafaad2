/* SPDX-License-Identifier: MIT */
/* timeline-cursor.c - the glass above the lanes: cursor line, hover outline, marked area.
 *
 * A child widget of its own, so that stepping and hovering redraw these few lines and the lanes below stay the one
 * cached node that they were.  It takes no input.
 */
#include "timeline-private.h"

struct _UiCursor {
  GtkWidget parent_instance;
  UiTimeline *timeline; /* the parent */
};
G_DEFINE_TYPE(UiCursor, ui_cursor, GTK_TYPE_WIDGET)

static void snapshot(GtkWidget *widget, GtkSnapshot *snapshot)
{
  UiTimeline *timeline = UI_CURSOR(widget)->timeline;
  struct vw_trace *trace = ui_session_trace(timeline->session);
  if (!trace || !timeline->plan)
    return;
  const struct vw_view *view = ui_session_view(timeline->session);
  const struct vw_theme theme = ui_theme_get();
  cairo_t *cr = gtk_snapshot_append_cairo(
      snapshot, &GRAPHENE_RECT_INIT(0, 0, (float)gtk_widget_get_width(widget),
                                    (float)gtk_widget_get_height(widget)));
  vw_paint_cursor(timeline->painter, cr, timeline->plan, trace, &theme, view->event_no,
                  timeline->hover.what == VW_HIT_NOTHING ? NULL : &timeline->hover);
  cairo_destroy(cr);
}

static void ui_cursor_class_init(UiCursorClass *class)
{
  GTK_WIDGET_CLASS(class)->snapshot = snapshot;
  gtk_widget_class_set_accessible_role(GTK_WIDGET_CLASS(class), GTK_ACCESSIBLE_ROLE_PRESENTATION);
}

static void ui_cursor_init(UiCursor *cursor)
{
  gtk_widget_set_can_target(GTK_WIDGET(cursor), FALSE);
}

GtkWidget *ui_cursor_new(UiTimeline *timeline)
{
  UiCursor *cursor = g_object_new(UI_TYPE_CURSOR, NULL);
  cursor->timeline = timeline;
  return GTK_WIDGET(cursor);
}
