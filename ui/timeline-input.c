/* SPDX-License-Identifier: MIT */
/* timeline-input.c - mouse, touchpad and Space on the timeline; keys are actions (actions.def).
 *
 *   wheel             lanes; with Control zooms at the pointer, with Shift pans (a wheel that zooms by itself is
 *                     what people complain about most on touchpads)
 *   pinch             zooms at the fingers
 *   drag              marks an area and tells its length; or pans, as the person prefers (H), and then Shift marks
 *   middle drag, Space + drag   pans; Space alone plays
 *   click             selects what is there; on the ruler sets the cursor; on nothing clears
 *   double click      zooms to the span
 */
#include "timeline-private.h"

#define CLICK_SLOP 4
#define WHEEL_ZOOM 1.2

static void set_hover(UiTimeline *timeline, double x, double y)
{
  struct vw_trace *trace = ui_session_trace(timeline->session);
  struct vw_hit hit = { .what = VW_HIT_NOTHING };
  if (trace && timeline->plan && x >= 0)
    hit = vw_plan_hit(timeline->plan, trace, x, y);
  const bool is_same = hit.what == timeline->hover.what && hit.index == timeline->hover.index &&
                       hit.lane == timeline->hover.lane;
  timeline->hover = hit;
  if (!is_same)
    ui_timeline_queue_cursor(timeline);
}

static void on_motion(UiTimeline *timeline, double x, double y)
{
  if (x == timeline->pointer_x && y == timeline->pointer_y)
    return;
  timeline->pointer_x = x;
  timeline->pointer_y = y;
  timeline->is_pointer_last = true;
  set_hover(timeline, x, y);
}

static void on_leave(UiTimeline *timeline)
{
  timeline->pointer_x = -1;
  set_hover(timeline, -1, -1);
}

static gboolean on_scroll(UiTimeline *timeline, double dx, double dy,
                          GtkEventController *controller)
{
  if (!timeline->plan)
    return FALSE;
  const GdkModifierType state = gtk_event_controller_get_current_event_state(controller);
  if (state & GDK_CONTROL_MASK) {
    const double factor = dy < 0 ? WHEEL_ZOOM : 1 / WHEEL_ZOOM;
    if (dy != 0)
      ui_session_zoom(
          timeline->session, factor,
          vw_plan_t(timeline->plan, MAX(timeline->pointer_x, (double)timeline->plan->gutter)));
    return TRUE;
  }
  if (state & GDK_SHIFT_MASK) {
    dx += dy;
    dy = 0;
  }
  if (dx != 0)
    ui_session_pan(timeline->session, dx * 0.08);
  if (dy != 0)
    gtk_adjustment_set_value(timeline->vadjustment,
                             gtk_adjustment_get_value(timeline->vadjustment) + dy * 36);
  return TRUE;
}

static void on_pinch_begin(UiTimeline *timeline)
{
  timeline->pinch = 1;
}

static void on_pinch(UiTimeline *timeline, double scale, GtkGesture *gesture)
{
  double x, y;
  if (!timeline->plan || scale <= 0 || !gtk_gesture_get_bounding_box_center(gesture, &x, &y))
    return;
  ui_session_zoom(timeline->session, scale / timeline->pinch, vw_plan_t(timeline->plan, x));
  timeline->pinch = scale;
}

/* ---- clicks ---- */

/* The G that something on the picture belongs to, 0 none. */
static uint32_t g_of(UiTimeline *timeline, const struct vw_hit *hit)
{
  const struct vw_plan *plan = timeline->plan;
  struct vw_trace *trace = ui_session_trace(timeline->session);
  size_t n;
  switch (hit->what) {
  case VW_HIT_SPAN:
  case VW_HIT_OVERLAY:
    return plan->rects[hit->index].g;
  case VW_HIT_MARK: {
    const struct vw_plan_mark *mark = &plan->marks[hit->index];
    return vw_lane(trace, plan->view.lanes, mark->lane)->marks[mark->mark].g;
  }
  case VW_HIT_ARROW:
    return vw_arrows(trace, &n)[plan->arrows[hit->index].arrow].to.g;
  case VW_HIT_STEP:
    return vw_panics(trace, &n)[plan->path[hit->index].panic].g;
  default:
    return 0;
  }
}

static void select_lane(UiTimeline *timeline, uint32_t index)
{
  static const enum vw_select select_of[VW_LANE_KINDS] = {
    [VW_LANES_M] = VW_SELECT_M, [VW_LANES_P] = VW_SELECT_P, [VW_LANES_G] = VW_SELECT_G
  };
  const enum vw_lane_kind kind = timeline->plan->view.lanes;
  const struct vw_lane *lane = vw_lane(ui_session_trace(timeline->session), kind, index);
  ui_session_select(timeline->session, select_of[kind], lane->id);
}

static void select_hit(UiTimeline *timeline, const struct vw_hit *hit)
{
  struct vw_trace *trace = ui_session_trace(timeline->session);
  if (hit->what == VW_HIT_RULER) {
    const uint64_t no = vw_event_at(trace, hit->t);
    ui_session_set_event(timeline->session, MIN(no, vw_event_count(trace) - 1), false);
    return;
  }
  if (hit->no != VW_NONE)
    ui_session_set_event(timeline->session, hit->no, false);
  const uint32_t g = g_of(timeline, hit);
  if (g)
    ui_session_select(timeline->session, VW_SELECT_G, g);
  else if (hit->lane != UINT32_MAX && hit->what != VW_HIT_LANE)
    select_lane(timeline, hit->lane);
  else
    ui_session_select(timeline->session, VW_SELECT_NONE, 0);
}

static void zoom_to(UiTimeline *timeline, const struct vw_hit *hit)
{
  if (hit->what != VW_HIT_SPAN && hit->what != VW_HIT_OVERLAY)
    return;
  const struct vw_rect *rect = &timeline->plan->rects[hit->index];
  const struct vw_lane *lane =
      vw_lane(ui_session_trace(timeline->session), timeline->plan->view.lanes, rect->lane);
  const struct vw_span *spans = rect->is_overlay ? lane->overlays : lane->spans;
  const struct vw_span *last = &spans[rect->span + rect->count - 1];
  ui_session_fit_span(timeline->session, spans[rect->span].t0, last->t1);
}

static void on_click(UiTimeline *timeline, int n_press, double x, double y)
{
  struct vw_trace *trace = ui_session_trace(timeline->session);
  gtk_widget_grab_focus(GTK_WIDGET(timeline));
  if (!timeline->plan || !trace || timeline->is_space_held)
    return;
  const struct vw_hit hit = vw_plan_hit(timeline->plan, trace, x, y);
  if (n_press == 2)
    zoom_to(timeline, &hit);
  else if (n_press == 1)
    select_hit(timeline, &hit);
}

/* ---- drags ---- */

static void on_drag_begin(UiTimeline *timeline, double x, double y)
{
  const struct vw_view *view = ui_session_view(timeline->session);
  timeline->drag = UI_DRAG_NONE;
  timeline->drag_x = x;
  timeline->drag_y = y;
  timeline->drag_t0 = view->t0;
  timeline->drag_t1 = view->t1;
  timeline->drag_scroll = view->scroll_y;
  timeline->drag_t = timeline->plan ? vw_plan_t(timeline->plan, x) : 0;
}

static void pan_by(UiTimeline *timeline, double dx, double dy)
{
  const double span = (double)(timeline->drag_t1 - timeline->drag_t0);
  const double width = MAX((double)timeline->plan->view.width - (double)timeline->plan->gutter, 1);
  const int64_t dt = (int64_t)(dx / width * span);
  ui_session_set_range(timeline->session, timeline->drag_t0 - dt, timeline->drag_t1 - dt);
  gtk_adjustment_set_value(timeline->vadjustment, timeline->drag_scroll - dy);
}

static void on_drag_update(UiTimeline *timeline, double dx, double dy, GtkGesture *gesture)
{
  if (!timeline->plan)
    return;
  const bool is_middle =
      gtk_gesture_single_get_current_button(GTK_GESTURE_SINGLE(gesture)) == GDK_BUTTON_MIDDLE;
  if (timeline->drag == UI_DRAG_NONE) {
    if (ABS(dx) < CLICK_SLOP && ABS(dy) < CLICK_SLOP)
      return;
    const GdkModifierType state =
        gtk_event_controller_get_current_event_state(GTK_EVENT_CONTROLLER(gesture));
    const bool pans = timeline->drag_pans && !(state & GDK_SHIFT_MASK);
    timeline->was_space_used |= timeline->is_space_held;
    timeline->drag = is_middle || timeline->is_space_held || pans ? UI_DRAG_PAN : UI_DRAG_MARK;
    gtk_gesture_set_state(gesture, GTK_EVENT_SEQUENCE_CLAIMED);
    gtk_widget_set_cursor_from_name(GTK_WIDGET(timeline),
                                    timeline->drag == UI_DRAG_PAN ? "grabbing" : "col-resize");
  }
  if (timeline->drag == UI_DRAG_PAN)
    pan_by(timeline, dx, dy);
  else
    ui_session_set_mark(
        timeline->session, timeline->drag_t,
        vw_plan_t(timeline->plan, MAX(timeline->drag_x + dx, (double)timeline->plan->gutter)));
}

static void on_drag_end(UiTimeline *timeline)
{
  timeline->drag = UI_DRAG_NONE;
  gtk_widget_set_cursor(GTK_WIDGET(timeline), NULL);
}

/* ---- Space ---- */

static gboolean on_key(UiTimeline *timeline, guint key)
{
  if (key != GDK_KEY_space)
    return FALSE;
  if (!timeline->is_space_held) /* and not a repeat */
    timeline->was_space_used = false;
  timeline->is_space_held = true;
  return TRUE;
}

static void on_key_up(UiTimeline *timeline, guint key)
{
  if (key != GDK_KEY_space || !timeline->is_space_held)
    return;
  timeline->is_space_held = false;
  if (!timeline->was_space_used)
    gtk_widget_activate_action(GTK_WIDGET(timeline), "win.play", NULL);
}

static void on_focus_out(UiTimeline *timeline)
{
  timeline->is_space_held = false; /* its release went elsewhere */
}

void ui_timeline_add_input(UiTimeline *timeline)
{
  GtkWidget *widget = GTK_WIDGET(timeline);
  GtkEventController *motion = gtk_event_controller_motion_new();
  g_signal_connect_swapped(motion, "enter", G_CALLBACK(on_motion), timeline);
  g_signal_connect_swapped(motion, "motion", G_CALLBACK(on_motion), timeline);
  g_signal_connect_swapped(motion, "leave", G_CALLBACK(on_leave), timeline);
  gtk_widget_add_controller(widget, motion);

  GtkEventController *scroll =
      gtk_event_controller_scroll_new(GTK_EVENT_CONTROLLER_SCROLL_BOTH_AXES);
  g_signal_connect_swapped(scroll, "scroll", G_CALLBACK(on_scroll), timeline);
  gtk_widget_add_controller(widget, scroll);

  GtkGesture *pinch = gtk_gesture_zoom_new();
  g_signal_connect_swapped(pinch, "begin", G_CALLBACK(on_pinch_begin), timeline);
  g_signal_connect_swapped(pinch, "scale-changed", G_CALLBACK(on_pinch), timeline);
  gtk_widget_add_controller(widget, GTK_EVENT_CONTROLLER(pinch));

  GtkGesture *click = gtk_gesture_click_new();
  g_signal_connect_swapped(click, "released", G_CALLBACK(on_click), timeline);
  gtk_widget_add_controller(widget, GTK_EVENT_CONTROLLER(click));

  static const guint buttons[] = { GDK_BUTTON_PRIMARY, GDK_BUTTON_MIDDLE };
  for (size_t i = 0; i < G_N_ELEMENTS(buttons); i++) {
    GtkGesture *drag = gtk_gesture_drag_new();
    gtk_gesture_single_set_button(GTK_GESTURE_SINGLE(drag), buttons[i]);
    g_signal_connect_swapped(drag, "drag-begin", G_CALLBACK(on_drag_begin), timeline);
    g_signal_connect_swapped(drag, "drag-update", G_CALLBACK(on_drag_update), timeline);
    g_signal_connect_swapped(drag, "drag-end", G_CALLBACK(on_drag_end), timeline);
    gtk_widget_add_controller(widget, GTK_EVENT_CONTROLLER(drag));
  }

  GtkEventController *keys = gtk_event_controller_key_new();
  g_signal_connect_swapped(keys, "key-pressed", G_CALLBACK(on_key), timeline);
  g_signal_connect_swapped(keys, "key-released", G_CALLBACK(on_key_up), timeline);
  gtk_widget_add_controller(widget, keys);

  GtkEventController *focus = gtk_event_controller_focus_new();
  g_signal_connect_swapped(focus, "leave", G_CALLBACK(on_focus_out), timeline);
  gtk_widget_add_controller(widget, focus);
}
