/* SPDX-License-Identifier: MIT */
/* timeline.c - the lanes of a trace as a widget.
 *
 * What stands where is viewer's plan, what it looks like the painter's; this file decides only *when*:
 *   session changes -> one tick callback -> (update phase) a new plan, adjustments set
 *                   -> (paint phase) snapshot paints the plan into an image surface, keeps it as a render node
 * However many events of a mouse arrive between two frames, there is one plan a frame; a frame in which only the
 * cursor moved makes none.
 *
 * I1  node is NULL or shows plan.    I2  plan belongs to the session's present trace.
 * I3  Adjustments are set in the tick, never in snapshot: scrollbars must be able to lay themselves out.
 *
 * One widget and not a list of rows, because arrows cross lanes.  Screen readers get the selection and the step's
 * sentence as the widget's description.
 */
#include "timeline-private.h"

#include "links.h"
#include "trace-text.h"

G_DEFINE_TYPE(UiTimeline, ui_timeline, GTK_TYPE_WIDGET)

enum {
  SIGNAL_PLANNED, /* there is a new plan, or none any more */
  N_SIGNALS
};
static guint signals[N_SIGNALS];

static void forget_plan(UiTimeline *timeline)
{
  g_clear_pointer(&timeline->node, gsk_render_node_unref);
  g_clear_pointer(&timeline->plan, vw_plan_free);
  timeline->hover = (struct vw_hit){ .what = VW_HIT_NOTHING };
}

/* ---- from the session to the screen ---- */

static void set_adjustments(UiTimeline *timeline)
{
  const struct vw_view *view = ui_session_view(timeline->session);
  const struct vw_plan *plan = timeline->plan;
  int64_t first, last;
  vw_time_range(ui_session_trace(timeline->session), &first, &last);
  const int64_t low = MIN(first, view->t0), high = MAX(last, view->t1);
  const double page = (double)(view->t1 - view->t0);
  const double visible = MAX(view->height - (double)plan->ruler, 1);
  timeline->is_syncing = true;
  gtk_adjustment_configure(timeline->hadjustment, (double)(view->t0 - first), (double)(low - first),
                           (double)(high - first), page / 10, page, page);
  gtk_adjustment_configure(timeline->vadjustment, view->scroll_y, 0,
                           MAX(plan->lanes_height, visible), 24, visible, visible);
  timeline->is_syncing = false;
}

static void make_plan(UiTimeline *timeline)
{
  forget_plan(timeline);
  struct vw_trace *trace = ui_session_trace(timeline->session);
  const int width = gtk_widget_get_width(GTK_WIDGET(timeline));
  const int height = gtk_widget_get_height(GTK_WIDGET(timeline));
  if (!trace || width < 2 || height < 2)
    return;
  ui_session_set_size(timeline->session, width, height);
  const int64_t began = g_get_monotonic_time();
  struct vw_view view = *ui_session_view(timeline->session);
  view.font_scale = ui_theme_get().font_scale;
  timeline->plan = vw_plan_new(trace, &view);
  timeline->plan_us = g_get_monotonic_time() - began;
  if (timeline->plan)
    set_adjustments(timeline);
}

static gboolean on_tick(GtkWidget *widget, GdkFrameClock *clock, gpointer data)
{
  UiTimeline *timeline = UI_TIMELINE(widget);
  (void)clock;
  (void)data;
  timeline->tick = 0;
  make_plan(timeline);
  g_signal_emit(timeline, signals[SIGNAL_PLANNED], 0);
  gtk_widget_queue_draw(widget);
  ui_timeline_queue_cursor(timeline); /* the glass keeps its own node, drawn for the plan before */
  return G_SOURCE_REMOVE;
}

static void queue_plan(UiTimeline *timeline)
{
  if (!timeline->tick)
    timeline->tick = gtk_widget_add_tick_callback(GTK_WIDGET(timeline), on_tick, NULL, NULL);
}

void ui_timeline_queue_cursor(UiTimeline *timeline)
{
  gtk_widget_queue_draw(timeline->cursor);
}

static char *describe_range(const struct vw_view *view)
{
  static const char *const lanes[VW_LANE_KINDS] = { "M lanes", "P lanes", "G lanes" };
  char from[64], to[64];
  trace_time_print(view->t0, from, sizeof from);
  trace_time_print(view->t1, to, sizeof to);
  return g_strdup_printf("%s, %s to %s", lanes[view->lanes], from, to);
}

static void publish(UiTimeline *timeline)
{
  static const char letters[] = {
    [VW_SELECT_NONE] = ' ', [VW_SELECT_G] = 'G', [VW_SELECT_M] = 'M', [VW_SELECT_P] = 'P'
  };
  struct vw_trace *trace = ui_session_trace(timeline->session);
  const struct vw_view *view = ui_session_view(timeline->session);
  g_autoptr(GString) text = g_string_new(NULL);
  if (trace) {
    g_autofree char *range = describe_range(view);
    g_string_append(text, range);
    if (view->selected != VW_SELECT_NONE)
      g_string_append_printf(text, ". Selected %c%u", letters[view->selected], view->selected_id);
    if (view->event_no != VW_NONE) {
      char sentence[512];
      vw_sentence(trace, view->event_no, sentence, sizeof sentence);
      g_string_append_printf(text, ". Event %" G_GUINT64_FORMAT ": %s", view->event_no, sentence);
    }
  }
  g_autofree char *clean = ui_text_clean(text->str);
  gtk_accessible_update_property(GTK_ACCESSIBLE(timeline), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
                                 clean, -1);
}

/* A mark moves nothing on the plan: the glass shows it. */
static void show_mark(UiTimeline *timeline)
{
  const struct vw_view *view = ui_session_view(timeline->session);
  if (!timeline->plan)
    return;
  timeline->plan->view.mark_t0 = view->mark_t0;
  timeline->plan->view.mark_t1 = view->mark_t1;
}

static bool is_in_story(UiTimeline *timeline, uint64_t no)
{
  int64_t t0, t1;
  struct vw_trace *trace = ui_session_trace(timeline->session);
  return trace && no != VW_NONE && vw_panic_story_at(trace, no, &t0, &t1);
}

/* While something is selected the cursor's event decides which arrows are bold; and the panic that it is in, or has
 * just left, is the one whose story is told if there is no room for all. */
static bool is_event_planned(UiTimeline *timeline)
{
  const struct vw_view *view = ui_session_view(timeline->session);
  return view->selected != VW_SELECT_NONE || is_in_story(timeline, view->event_no) ||
         (timeline->plan && is_in_story(timeline, timeline->plan->view.event_no));
}

static void on_changed(UiTimeline *timeline, guint what)
{
  if (what & UI_CHANGED_TRACE)
    forget_plan(timeline);
  if (what & UI_CHANGED_EVENT)
    timeline->is_pointer_last = false;
  if (what & ~(guint)(UI_CHANGED_EVENT | UI_CHANGED_MARK) ||
      (what & UI_CHANGED_EVENT && is_event_planned(timeline)))
    queue_plan(timeline);
  if (what & UI_CHANGED_MARK)
    show_mark(timeline);
  ui_timeline_queue_cursor(timeline);
  publish(timeline);
}

static void on_theme(GtkWidget *widget)
{
  g_clear_pointer(&UI_TIMELINE(widget)->node, gsk_render_node_unref);
  gtk_widget_queue_draw(widget);
}

static void on_hvalue(UiTimeline *timeline)
{
  struct vw_trace *trace = ui_session_trace(timeline->session);
  if (timeline->is_syncing || !trace)
    return;
  const struct vw_view *view = ui_session_view(timeline->session);
  int64_t first, last;
  vw_time_range(trace, &first, &last);
  const int64_t t0 = first + (int64_t)gtk_adjustment_get_value(timeline->hadjustment);
  ui_session_set_range(timeline->session, t0, t0 + (view->t1 - view->t0));
}

static void on_vvalue(UiTimeline *timeline)
{
  if (!timeline->is_syncing)
    ui_session_set_scroll(timeline->session, gtk_adjustment_get_value(timeline->vadjustment));
}

/* ---- painting ---- */

static void paint(UiTimeline *timeline, int width, int height)
{
  const struct vw_theme theme = ui_theme_get();
  const int64_t began = g_get_monotonic_time();
  timeline->painted ^= 1;
  cairo_surface_t **surface = &timeline->surfaces[timeline->painted];
  cairo_t *cr = ui_canvas_begin(surface, GTK_WIDGET(timeline), width, height);
  vw_paint_plan(timeline->painter, cr, timeline->plan, ui_session_trace(timeline->session), &theme);
  cairo_destroy(cr);
  GtkSnapshot *snapshot = gtk_snapshot_new();
  ui_canvas_append(*surface, snapshot, width, height);
  timeline->node = gtk_snapshot_free_to_node(snapshot);
  timeline->paint_us = g_get_monotonic_time() - began;
}

static void snapshot(GtkWidget *widget, GtkSnapshot *snapshot)
{
  UiTimeline *timeline = UI_TIMELINE(widget);
  if (timeline->plan && !timeline->node)
    paint(timeline, timeline->plan->view.width, timeline->plan->view.height);
  if (timeline->node)
    gtk_snapshot_append_node(snapshot, timeline->node);
  gtk_widget_snapshot_child(widget, timeline->cursor, snapshot);
}

static void measure(GtkWidget *widget, GtkOrientation orientation, int for_size, int *minimum,
                    int *natural, int *minimum_baseline, int *natural_baseline)
{
  (void)widget;
  (void)for_size;
  *minimum = orientation == GTK_ORIENTATION_HORIZONTAL ? 320 : 120;
  *natural = orientation == GTK_ORIENTATION_HORIZONTAL ? 800 : 400;
  *minimum_baseline = *natural_baseline = -1;
}

static void size_allocate(GtkWidget *widget, int width, int height, int baseline)
{
  UiTimeline *timeline = UI_TIMELINE(widget);
  gtk_widget_allocate(timeline->cursor, width, height, baseline, NULL);
  queue_plan(timeline);
}

static gboolean query_tooltip(GtkWidget *widget, int x, int y, gboolean is_keyboard,
                              GtkTooltip *tooltip)
{
  UiTimeline *timeline = UI_TIMELINE(widget);
  struct vw_trace *trace = ui_session_trace(timeline->session);
  if (is_keyboard || !timeline->plan || !trace || timeline->drag != UI_DRAG_NONE)
    return FALSE;
  const struct vw_hit hit = vw_plan_hit(timeline->plan, trace, x, y);
  char text[1024];
  if (hit.what == VW_HIT_NOTHING || !vw_hit_text(timeline->plan, trace, &hit, text, sizeof text))
    return FALSE;
  g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
  for (char **line = lines; *line; line++) {
    char *clean = ui_text_clean(*line);
    g_free(*line);
    *line = clean;
  }
  g_autofree char *clean = g_strjoinv("\n", lines);
  gtk_tooltip_set_text(tooltip, clean);
  return TRUE;
}

/* ---- the object ---- */

static void dispose(GObject *object)
{
  UiTimeline *timeline = UI_TIMELINE(object);
  if (timeline->tick)
    gtk_widget_remove_tick_callback(GTK_WIDGET(timeline), timeline->tick);
  timeline->tick = 0;
  forget_plan(timeline);
  g_clear_pointer(&timeline->cursor, gtk_widget_unparent);
  g_clear_pointer(&timeline->surfaces[0], cairo_surface_destroy);
  g_clear_pointer(&timeline->surfaces[1], cairo_surface_destroy);
  g_clear_pointer(&timeline->painter, vw_painter_free);
  g_clear_object(&timeline->hadjustment);
  g_clear_object(&timeline->vadjustment);
  g_clear_object(&timeline->session);
  G_OBJECT_CLASS(ui_timeline_parent_class)->dispose(object);
}

static void ui_timeline_class_init(UiTimelineClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);
  G_OBJECT_CLASS(class)->dispose = dispose;
  widget_class->snapshot = snapshot;
  widget_class->measure = measure;
  widget_class->size_allocate = size_allocate;
  widget_class->query_tooltip = query_tooltip;
  signals[SIGNAL_PLANNED] = g_signal_new("planned", UI_TYPE_TIMELINE, G_SIGNAL_RUN_LAST, 0, NULL,
                                         NULL, NULL, G_TYPE_NONE, 0);
  gtk_widget_class_set_css_name(widget_class, "timeline");
  gtk_widget_class_set_accessible_role(widget_class, GTK_ACCESSIBLE_ROLE_IMG);
}

static void ui_timeline_init(UiTimeline *timeline)
{
  GtkWidget *widget = GTK_WIDGET(timeline);
  timeline->painter = vw_painter_new();
  timeline->hadjustment = g_object_ref_sink(gtk_adjustment_new(0, 0, 1, 0.1, 1, 1));
  timeline->vadjustment = g_object_ref_sink(gtk_adjustment_new(0, 0, 1, 24, 1, 1));
  timeline->pointer_x = -1;
  timeline->cursor = ui_cursor_new(timeline);
  gtk_widget_set_parent(timeline->cursor, widget);
  gtk_widget_set_focusable(widget, TRUE);
  gtk_widget_set_has_tooltip(widget, TRUE);
  gtk_widget_set_overflow(widget, GTK_OVERFLOW_HIDDEN);
  gtk_widget_set_hexpand(widget, TRUE);
  gtk_widget_set_vexpand(widget, TRUE);
  gtk_accessible_update_property(GTK_ACCESSIBLE(widget), GTK_ACCESSIBLE_PROPERTY_LABEL, "Timeline",
                                 -1);
  g_signal_connect_swapped(timeline->hadjustment, "value-changed", G_CALLBACK(on_hvalue), timeline);
  g_signal_connect_swapped(timeline->vadjustment, "value-changed", G_CALLBACK(on_vvalue), timeline);
  ui_theme_watch(widget, on_theme);
}

GtkWidget *ui_timeline_new(UiSession *session)
{
  UiTimeline *timeline = g_object_new(UI_TYPE_TIMELINE, NULL);
  timeline->session = g_object_ref(session);
  g_signal_connect_object(session, "changed", G_CALLBACK(on_changed), timeline, G_CONNECT_SWAPPED);
  ui_timeline_add_input(timeline);
  return GTK_WIDGET(timeline);
}

GtkAdjustment *ui_timeline_hadjustment(UiTimeline *timeline)
{
  return timeline->hadjustment;
}

GtkAdjustment *ui_timeline_vadjustment(UiTimeline *timeline)
{
  return timeline->vadjustment;
}

int64_t ui_timeline_anchor(UiTimeline *timeline)
{
  const struct vw_view *view = ui_session_view(timeline->session);
  struct vw_trace *trace = ui_session_trace(timeline->session);
  const bool is_pointed = timeline->plan && timeline->pointer_x >= (double)timeline->plan->gutter;
  const int64_t pointed = is_pointed ? vw_plan_t(timeline->plan, timeline->pointer_x) : 0;
  if (is_pointed && timeline->is_pointer_last)
    return pointed;
  if (trace && view->event_no != VW_NONE) {
    const int64_t t = vw_event(trace, view->event_no)->ts;
    if (t >= view->t0 && t <= view->t1)
      return t;
  }
  return is_pointed ? pointed : view->t0 + (view->t1 - view->t0) / 2;
}

void ui_timeline_scroll_lanes(UiTimeline *timeline, int direction)
{
  GtkAdjustment *adjustment = timeline->vadjustment;
  gtk_adjustment_set_value(adjustment,
                           gtk_adjustment_get_value(adjustment) +
                               direction * gtk_adjustment_get_step_increment(adjustment));
}

void ui_timeline_left_out(UiTimeline *timeline, char *out, size_t n)
{
  out[0] = 0;
  if (timeline->plan)
    vw_plan_left_out(timeline->plan, out, n);
}

void ui_timeline_set_drag_pans(UiTimeline *timeline, bool drag_pans)
{
  timeline->drag_pans = drag_pans;
}

void ui_timeline_cost(UiTimeline *timeline, int64_t *plan_us, int64_t *paint_us)
{
  *plan_us = timeline->plan_us;
  *paint_us = timeline->paint_us;
}
