/* SPDX-License-Identifier: MIT */
/* timeline-private.h - what timeline.c, timeline-input.c and timeline-cursor.c share. */
#pragma once
#include "theme.h"
#include "timeline.h"

enum ui_drag {
  UI_DRAG_NONE,
  UI_DRAG_MARK,
  UI_DRAG_PAN
};

struct _UiTimeline {
  GtkWidget parent_instance;
  UiSession *session;
  GtkWidget *cursor; /* child on top: what moves without a new plan */
  GtkAdjustment *hadjustment, *vadjustment;
  bool is_syncing; /* the adjustments follow the session, not the other way */
  guint tick;

  struct vw_painter *painter;
  struct vw_plan *plan;         /* NULL until there is a trace */
  cairo_surface_t *surfaces[2]; /* painted in turn: GSK may still read the other */
  int painted;
  GskRenderNode *node; /* of surfaces[painted]; NULL when the plan is newer */
  int64_t plan_us, paint_us;

  struct vw_hit hover;
  double pointer_x; /* < 0: outside */
  double pointer_y;
  bool is_pointer_last; /* it moved after the last step: keys zoom where the person looks */
  enum ui_drag drag;
  double drag_x, drag_y;
  int64_t drag_t0, drag_t1, drag_t;
  double drag_scroll;
  double pinch;
  bool is_space_held, was_space_used; /* used: there was a drag meanwhile */
  bool drag_pans;                     /* and Shift marks; else a drag marks */
};

/* timeline.c */
void ui_timeline_queue_cursor(UiTimeline *timeline);
/* timeline-input.c */
void ui_timeline_add_input(UiTimeline *timeline);
/* timeline-cursor.c */
#define UI_TYPE_CURSOR (ui_cursor_get_type())
G_DECLARE_FINAL_TYPE(UiCursor, ui_cursor, UI, CURSOR, GtkWidget)
GtkWidget *ui_cursor_new(UiTimeline *timeline);
