/* SPDX-License-Identifier: MIT */
/* window.c - the main window: slots filled, panels written, labels kept true (window.h).
 *
 * The structure is in window.ui.  The window listens to the session like any widget and knows no other widget's
 * inside.  The step's sentence and both panels are written at most once a frame, in the update phase, so holding N
 * down costs one replay a frame and not one a key event.
 */
#include "window-private.h"

#include "inspector.h"
#include "keys.h"
#include "legend.h"
#include "links.h"
#include "minimap.h"
#include "state-panel.h"
#include "trace-text.h"
#include "why-panel.h"

G_DEFINE_TYPE(UiWindow, ui_window, GTK_TYPE_APPLICATION_WINDOW)

void ui_window_show_page(UiWindow *window, const char *name)
{
  const bool is_trace = g_str_equal(name, "trace");
  gtk_stack_set_visible_child_name(GTK_STACK(window->pages), name);
  gtk_widget_set_visible(window->lane_buttons, is_trace);
  gtk_widget_set_visible(window->step_buttons, is_trace);
  gtk_widget_set_visible(window->zoom_buttons, is_trace);
}

/* ---- titles and labels ---- */

static void write_titles(UiWindow *window, struct vw_trace *trace)
{
  gtk_widget_set_visible(window->subtitle, trace != NULL);
  if (!trace) {
    gtk_label_set_text(GTK_LABEL(window->title), "gmpscope");
    gtk_window_set_title(GTK_WINDOW(window), "gmpscope");
    return;
  }
  int64_t t0, t1;
  char length[64];
  vw_time_range(trace, &t0, &t1);
  trace_time_print(t1 - t0, length, sizeof length);
  g_autofree char *title = ui_text_clean(vw_trace_title(trace));
  g_autofree char *events = ui_text_many(vw_event_count(trace), "event");
  g_autofree char *ms = ui_text_many(vw_lane_count(trace, VW_LANES_M), "M");
  g_autofree char *ps = ui_text_many(vw_lane_count(trace, VW_LANES_P), "P");
  g_autofree char *gs = ui_text_many(vw_lane_count(trace, VW_LANES_G), "G");
  g_autofree char *subtitle = g_strdup_printf("%s · %s · %s, %s, %s", length, events, ms, ps, gs);
  g_autofree char *window_title = g_strdup_printf("%s - gmpscope", title);
  gtk_label_set_text(GTK_LABEL(window->title), title);
  gtk_label_set_text(GTK_LABEL(window->subtitle), subtitle);
  gtk_window_set_title(GTK_WINDOW(window), window_title);
}

static void write_warnings(UiWindow *window, struct vw_trace *trace)
{
  g_autoptr(GString) all = g_string_new(NULL);
  size_t n = 0;
  for (const char *warning; trace && (warning = vw_warning(trace, n)); n++) {
    g_autofree char *clean = ui_text_clean(warning);
    g_string_append_printf(all, "%s%s", n ? "\n" : "", clean);
  }
  const char *first_end = strchr(all->str, '\n');
  g_autofree char *shown = first_end ? g_strdup_printf("%.*s (and %zu more: hover to read)",
                                                       (int)(first_end - all->str), all->str, n - 1)
                                     : g_strdup(all->str);
  gtk_label_set_text(GTK_LABEL(window->warning_label), shown);
  gtk_widget_set_tooltip_text(window->warning_label, n > 1 ? all->str : NULL);
  gtk_info_bar_set_revealed(GTK_INFO_BAR(window->warning_bar), n > 0);
}

static void write_range(UiWindow *window)
{
  const struct vw_view *view = ui_session_view(window->session);
  struct vw_trace *trace = ui_session_trace(window->session);
  int64_t t0 = view->t0, t1 = view->t1, first, last;
  char from[64], length[64];
  if (!trace)
    return;
  vw_time_range(trace, &first, &last);
  t0 = MAX(t0, first); /* the margin beside the trace is no time of it */
  t1 = MAX(MIN(t1, last), t0);
  trace_time_print(t0, from, sizeof from);
  trace_time_print(t1 - t0, length, sizeof length);
  const bool is_all = t0 == first && t1 == last;
  g_autofree char *text = is_all ? g_strdup_printf("All %s shown", length)
                                 : g_strdup_printf("%s shown, from %s", length, from);
  gtk_label_set_text(GTK_LABEL(window->range_label), text);
}

static void write_mark(UiWindow *window)
{
  const struct vw_view *view = ui_session_view(window->session);
  struct vw_trace *trace = ui_session_trace(window->session);
  if (!trace || view->mark_t1 <= view->mark_t0) {
    gtk_label_set_text(GTK_LABEL(window->mark_label), "");
    return;
  }
  char length[64];
  trace_time_print(view->mark_t1 - view->mark_t0, length, sizeof length);
  g_autofree char *events =
      ui_text_many(vw_event_at(trace, view->mark_t1) - vw_event_at(trace, view->mark_t0), "event");
  g_autofree char *text = g_strdup_printf("Marked: %s, %s", length, events);
  gtk_label_set_text(GTK_LABEL(window->mark_label), text);
}

/* After each plan: what the picture had no room for. */
static void on_planned(UiWindow *window)
{
  char text[300];
  ui_timeline_left_out(UI_TIMELINE(window->timeline), text, sizeof text);
  gtk_label_set_text(GTK_LABEL(window->left_out_label), text);
}

/* The right end of the status line: keys, and of these the one that helps just now. */
static void write_keys(UiWindow *window)
{
  const bool is_dense = ui_session_is_story_dense(window->session);
  gtk_label_set_text(GTK_LABEL(window->keys_label),
                     is_dense ? "Z zooms to this panic's story"
                              : "N P step · Space plays · WASD move · F fit · / search · ? keys");
}

static void write_step(UiWindow *window, struct vw_trace *trace)
{
  const uint64_t no = ui_session_view(window->session)->event_no;
  if (!trace || no == VW_NONE) {
    gtk_label_set_text(GTK_LABEL(window->step_label), "No event chosen");
    gtk_label_set_text(GTK_LABEL(window->sentence), "Press N to step through the scheduler.");
    return;
  }
  char at[64], sentence[1024];
  trace_time_print(vw_event(trace, no)->ts, at, sizeof at);
  vw_sentence(trace, no, sentence, sizeof sentence);
  g_autofree char *nth =
      ui_text_count(no + 1); /* numbers begin with 0, as everywhere; a place among all with 1 */
  g_autofree char *all = ui_text_count(vw_event_count(trace));
  g_autofree char *step =
      g_strdup_printf("Event #%" G_GUINT64_FORMAT " · %s of %s · %s", no, nth, all, at);
  g_autofree char *markup = ui_links_markup(sentence);
  gtk_label_set_text(GTK_LABEL(window->step_label), step);
  gtk_label_set_markup(GTK_LABEL(window->sentence), markup);
  g_autofree char *clean = ui_text_clean(sentence);
  gtk_widget_set_tooltip_text(window->sentence, clean);
}

/* ---- listening ---- */

static bool is_why_shown(UiWindow *window)
{
  return g_strcmp0(gtk_stack_get_visible_child_name(GTK_STACK(window->panels)), "why") == 0;
}

static gboolean write_panels(GtkWidget *widget, GdkFrameClock *clock, gpointer data)
{
  UiWindow *window = UI_WINDOW(widget);
  struct vw_trace *trace = ui_session_trace(window->session);
  (void)clock;
  (void)data;
  window->panels_tick = 0;
  write_step(window, trace);
  write_keys(window);
  ui_inspector_write(UI_FACTS(window->inspector), window->session);
  ui_state_panel_write(UI_FACTS(window->state), window->session);
  if (is_why_shown(window)) /* it replays more than the others */
    ui_why_panel_write(UI_FACTS(window->why), window->session);
  return G_SOURCE_REMOVE;
}

static void queue_panels(UiWindow *window)
{
  if (!window->panels_tick)
    window->panels_tick =
        gtk_widget_add_tick_callback(GTK_WIDGET(window), write_panels, NULL, NULL);
}

/* On lanes of Gs the overview still tells of the Ms: there may be a million Gs, and an M's time says what they did. */
static void write_overview(UiWindow *window)
{
  const bool is_p = ui_session_view(window->session)->lanes == VW_LANES_P;
  gtk_label_set_text(GTK_LABEL(window->overview_label), is_p ? "Overview of Ps" : "Overview of Ms");
}

static void on_changed(UiWindow *window, guint what)
{
  struct vw_trace *trace = ui_session_trace(window->session);
  if (what & UI_CHANGED_TRACE) {
    write_titles(window, trace);
    write_warnings(window, trace);
  }
  if (what & (UI_CHANGED_TRACE | UI_CHANGED_LANES)) {
    ui_window_sync_actions(window);
    write_overview(window);
  }
  if (what & UI_CHANGED_RANGE) {
    write_range(window);
    write_keys(window);
  }
  ui_window_play_noticed(window, what);
  if (what & UI_CHANGED_MARK)
    write_mark(window);
  if (what & (UI_CHANGED_TRACE | UI_CHANGED_EVENT | UI_CHANGED_SELECTION))
    queue_panels(window);
}

static void on_warning_response(GtkInfoBar *bar)
{
  gtk_info_bar_set_revealed(bar, FALSE);
}

/* ---- building ---- */

/* A bar with nothing to scroll is invisible but keeps its place, so the lanes do not jump. */
static void on_adjustment(GtkAdjustment *adjustment, GtkWidget *bar)
{
  const double length = gtk_adjustment_get_upper(adjustment) - gtk_adjustment_get_lower(adjustment);
  const bool is_needed = length > gtk_adjustment_get_page_size(adjustment) + 0.5;
  gtk_widget_set_opacity(bar, is_needed ? 1 : 0);
  gtk_widget_set_sensitive(bar, is_needed);
}

static GtkWidget *make_scrollbar(GtkOrientation orientation, GtkAdjustment *adjustment,
                                 const char *label)
{
  GtkWidget *bar = gtk_scrollbar_new(orientation, adjustment);
  gtk_accessible_update_property(GTK_ACCESSIBLE(bar), GTK_ACCESSIBLE_PROPERTY_LABEL, label, -1);
  g_signal_connect_object(adjustment, "changed", G_CALLBACK(on_adjustment), bar, 0);
  return bar;
}

static void fill_slots(UiWindow *window)
{
  GtkGrid *grid = GTK_GRID(window->timeline_slot);
  window->timeline = ui_timeline_new(window->session);
  UiTimeline *timeline = UI_TIMELINE(window->timeline);
  g_signal_connect_object(timeline, "planned", G_CALLBACK(on_planned), window, G_CONNECT_SWAPPED);
  gtk_grid_attach(grid, window->timeline, 0, 0, 1, 1);
  gtk_grid_attach(
      grid,
      make_scrollbar(GTK_ORIENTATION_VERTICAL, ui_timeline_vadjustment(timeline), "Scroll lanes"),
      1, 0, 1, 1);
  gtk_grid_attach(
      grid,
      make_scrollbar(GTK_ORIENTATION_HORIZONTAL, ui_timeline_hadjustment(timeline), "Scroll time"),
      0, 1, 1, 1);
  gtk_box_append(GTK_BOX(window->minimap_slot), ui_minimap_new(window->session));
  gtk_box_append(GTK_BOX(window->legend_slot), ui_legend_new(window->session));
  window->events = ui_events_new(window->session);
  gtk_box_append(GTK_BOX(window->events_slot), window->events);
  window->query = ui_query_new(window->session);
  gtk_box_append(GTK_BOX(window->events_slot), window->query);
  window->inspector = ui_facts_new(window->session, "Inspector");
  gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(window->inspector_slot), window->inspector);
  window->state = ui_facts_new(window->session, "State");
  gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(window->state_slot), window->state);
  window->why = ui_facts_new(window->session, "Why");
  gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(window->why_slot), window->why);
  window->palette = ui_palette_new();
  gtk_overlay_add_overlay(GTK_OVERLAY(window->overlay), window->palette);
}

static void on_panel_shown(UiWindow *window)
{
  const char *name = gtk_stack_get_visible_child_name(GTK_STACK(window->panels));
  GAction *action = g_action_map_lookup_action(G_ACTION_MAP(window), "panel");
  if (name && action)
    g_simple_action_set_state(G_SIMPLE_ACTION(action), g_variant_new_string(name));
  if (is_why_shown(window))
    queue_panels(window);
}

static void dispose(GObject *object)
{
  UiWindow *window = UI_WINDOW(object);
  ui_window_cancel_open(window);
  g_clear_handle_id(&window->playing, g_source_remove);
  g_clear_handle_id(&window->opening_poll, g_source_remove);
  g_clear_object(&window->opening);
  if (window->session)
    ui_session_take_trace(window->session, NULL);
  if (window->panels_tick)
    gtk_widget_remove_tick_callback(GTK_WIDGET(window), window->panels_tick);
  window->panels_tick = 0;
  if (window->session)
    g_signal_handlers_disconnect_by_data(window->session, window);
  g_clear_object(&window->session);
  G_OBJECT_CLASS(ui_window_parent_class)->dispose(object);
}

#define BIND(child) gtk_widget_class_bind_template_child(widget_class, UiWindow, child)

static void ui_window_class_init(UiWindowClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);
  G_OBJECT_CLASS(class)->dispose = dispose;
  gtk_widget_class_set_template_from_resource(widget_class, "/org/gmpscope/Viewer/window.ui");
  BIND(overlay);
  BIND(pages);
  BIND(lane_buttons);
  BIND(step_buttons);
  BIND(zoom_buttons);
  BIND(menu_button);
  BIND(title);
  BIND(subtitle);
  BIND(opening_label);
  BIND(opening_bar);
  BIND(error_what);
  BIND(error_why);
  BIND(error_todo);
  BIND(error_open);
  BIND(welcome_open);
  BIND(warning_bar);
  BIND(warning_label);
  BIND(minimap_slot);
  BIND(overview_label);
  BIND(timeline_slot);
  BIND(events_slot);
  BIND(legend_slot);
  BIND(legend_revealer);
  BIND(inspector_slot);
  BIND(state_slot);
  BIND(why_slot);
  BIND(panels);
  BIND(step_label);
  BIND(sentence);
  BIND(range_label);
  BIND(mark_label);
  BIND(left_out_label);
  BIND(keys_label);
  BIND(play_button);
}

static void ui_window_init(UiWindow *window)
{
  window->session = ui_session_new();
  gtk_widget_init_template(GTK_WIDGET(window));
  fill_slots(window);
  ui_window_add_actions(window);
  ui_window_sync_actions(window);
  ui_window_accept_drops(window);
  ui_keys_add_bare(GTK_WINDOW(window));
  ui_facts_link_label(window->session, GTK_LABEL(window->sentence));
  g_signal_connect_object(window->session, "changed", G_CALLBACK(on_changed), window,
                          G_CONNECT_SWAPPED);
  g_signal_connect(window->warning_bar, "response", G_CALLBACK(on_warning_response), NULL);
  g_signal_connect_object(window->panels, "notify::visible-child", G_CALLBACK(on_panel_shown),
                          window, G_CONNECT_SWAPPED);
  gtk_widget_grab_focus(window->welcome_open);
}

UiWindow *ui_window_new(GtkApplication *application)
{
  return g_object_new(UI_TYPE_WINDOW, "application", application, NULL);
}

UiSession *ui_window_session(UiWindow *window)
{
  return window->session;
}

UiTimeline *ui_window_timeline(UiWindow *window)
{
  return UI_TIMELINE(window->timeline);
}
